// Old frontend system.
import {
    configApiRef,
    createApiFactory,
    createPlugin,
    createRoutableExtension,
    createRouteRef,
    discoveryApiRef,
    fetchApiRef,
} from "@backstage/core-plugin-api";
import { callboardApiRef, makeCallboardApi } from "./api";

export { callboardApiRef, type CallboardApi } from "./api";
export {
    COMPONENT_ANNOTATION,
    ENVIRONMENT_ANNOTATION,
    PROJECT_ANNOTATION,
    isCallboardAvailable,
} from "./target";

const rootRouteRef = createRouteRef({ id: "callboard" });

export const callboardPlugin = createPlugin({
    id: "callboard",
    routes: { root: rootRouteRef },
    apis: [
        createApiFactory({
            api: callboardApiRef,
            deps: { configApi: configApiRef, discoveryApi: discoveryApiRef, fetchApi: fetchApiRef },
            factory: (ways) => makeCallboardApi(ways),
        }),
    ],
});

export const EntityCallboardContent = callboardPlugin.provide(
    createRoutableExtension({
        name: "EntityCallboardContent",
        component: () => import("./tab").then((module) => module.EntityCallboardContent),
        mountPoint: rootRouteRef,
    }),
);
