// New frontend system: the plugin is the default export.
import {
    ApiBlueprint,
    configApiRef,
    createFrontendPlugin,
    discoveryApiRef,
    fetchApiRef,
    PageBlueprint,
} from "@backstage/frontend-plugin-api";
import { EntityCardBlueprint, EntityContentBlueprint } from "@backstage/plugin-catalog-react/alpha";
import { callboardApiRef, makeCallboardApi } from "./api";
import { isCallboardAvailable } from "./target";

const api = ApiBlueprint.make({
    params: (defineParams) =>
        defineParams({
            api: callboardApiRef,
            deps: { configApi: configApiRef, discoveryApi: discoveryApiRef, fetchApi: fetchApiRef },
            factory: (ways) => makeCallboardApi(ways),
        }),
});

const tab = EntityContentBlueprint.make({
    params: {
        path: "/callboard",
        title: "Callboard",
        group: "observability",
        filter: { kind: { $in: ["component", "system"] } },
        loader: () => import("./tab").then(({ EntityCallboardContent }) => <EntityCallboardContent />),
    },
});

const health = EntityCardBlueprint.make({
    name: "health",
    params: {
        type: "info",
        filter: isCallboardAvailable,
        loader: () => import("./cards").then((cards) => <cards.EntityCallboardHealthCard />),
    },
});

const errors = EntityCardBlueprint.make({
    name: "errors",
    params: {
        type: "content",
        filter: isCallboardAvailable,
        loader: () => import("./cards").then((cards) => <cards.EntityCallboardErrorsCard />),
    },
});

const cause = EntityCardBlueprint.make({
    name: "cause",
    params: {
        type: "info",
        filter: isCallboardAvailable,
        loader: () => import("./cards").then((cards) => <cards.EntityCallboardCauseCard />),
    },
});

const page = PageBlueprint.make({
    disabled: true,
    params: {
        path: "/callboard",
        title: "Callboard",
        loader: () => import("./page").then(({ CallboardPage }) => <CallboardPage />),
    },
});

export default createFrontendPlugin({
    pluginId: "callboard",
    extensions: [api, tab, cause, health, errors, page],
});
