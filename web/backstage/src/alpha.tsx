// New frontend system: the plugin is the default export.
import {
    ApiBlueprint,
    configApiRef,
    createFrontendPlugin,
    discoveryApiRef,
    fetchApiRef,
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

export default createFrontendPlugin({
    pluginId: "callboard",
    extensions: [api, tab],
});
export { isCallboardAvailable };
void EntityCardBlueprint;
