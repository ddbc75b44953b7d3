// A Backstage app with an in-memory catalogue, for tests; the reader has a token of
// the backend.
import type { Entity } from "@backstage/catalog-model";
import type { IdentityApi } from "@backstage/core-plugin-api";
import { InMemoryCatalogClient } from "@backstage/catalog-client/testUtils";
import { createApp } from "@backstage/frontend-defaults";
import { ApiBlueprint, createFrontendModule, type FrontendPlugin } from "@backstage/frontend-plugin-api";
import { SignInPageBlueprint } from "@backstage/plugin-app-react";
import { UserIdentity } from "@backstage/core-components";
import catalogPlugin from "@backstage/plugin-catalog/alpha";
import { catalogApiRef } from "@backstage/plugin-catalog-react";
import "@backstage/ui/css/styles.css";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import { entities } from "./entities";

const catalogModule = createFrontendModule({
    pluginId: "catalog",
    extensions: [
        ApiBlueprint.make({
            params: (defineParams) =>
                defineParams({
                    api: catalogApiRef,
                    deps: {},
                    factory: () => new InMemoryCatalogClient({ entities: entities as Entity[] }),
                }),
        }),
    ],
});

// As the configuration of the page says.
function readerToken(): string | undefined {
    return document.querySelector<HTMLMetaElement>("meta[name=reader-token]")?.content;
}

function SignIn(props: { onSignInSuccess(identity: IdentityApi): void }) {
    const { onSignInSuccess } = props;
    useEffect(() => {
        const guest = UserIdentity.createGuest();
        onSignInSuccess({
            getProfileInfo: () => guest.getProfileInfo(),
            getBackstageIdentity: () => guest.getBackstageIdentity(),
            getCredentials: async () => ({ token: readerToken() }),
            signOut: async () => {},
        });
    }, [onSignInSuccess]);
    return null;
}

const signInModule = createFrontendModule({
    pluginId: "app",
    extensions: [
        SignInPageBlueprint.make({
            params: { loader: async () => SignIn },
        }),
    ],
});

export function start(plugin: FrontendPlugin): void {
    const app = createApp({ features: [catalogPlugin, catalogModule, signInModule, plugin] });
    createRoot(document.getElementById("root")!).render(app.createRoot());
}
