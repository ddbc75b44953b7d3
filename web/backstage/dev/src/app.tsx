// A Backstage app with an in-memory catalogue and the plugin, for tests.
import type { Entity } from "@backstage/catalog-model";
import type { IdentityApi } from "@backstage/core-plugin-api";
import { InMemoryCatalogClient } from "@backstage/catalog-client/testUtils";
import { createApp } from "@backstage/frontend-defaults";
import { ApiBlueprint, createFrontendModule } from "@backstage/frontend-plugin-api";
import { SignInPageBlueprint } from "@backstage/plugin-app-react";
import { UserIdentity } from "@backstage/core-components";
import catalogPlugin from "@backstage/plugin-catalog/alpha";
import { catalogApiRef } from "@backstage/plugin-catalog-react";
import "@backstage/ui/css/styles.css";
import callboardPlugin from "@callboard/backstage-plugin/alpha";
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

function SignInAsGuest(props: { onSignInSuccess(identity: IdentityApi): void }) {
    const { onSignInSuccess } = props;
    useEffect(() => onSignInSuccess(UserIdentity.createGuest()), [onSignInSuccess]);
    return null;
}

const signInModule = createFrontendModule({
    pluginId: "app",
    extensions: [
        SignInPageBlueprint.make({
            params: { loader: async () => SignInAsGuest },
        }),
    ],
});

const app = createApp({ features: [catalogPlugin, catalogModule, signInModule, callboardPlugin] });
createRoot(document.getElementById("root")!).render(app.createRoot());
