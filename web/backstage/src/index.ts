// Old frontend system.
import {
    configApiRef,
    createApiFactory,
    createComponentExtension,
    createPlugin,
    createRoutableExtension,
    createRouteRef,
    discoveryApiRef,
    fetchApiRef,
} from "@backstage/core-plugin-api";
import type { ComponentType } from "react";
import { callboardApiRef, makeCallboardApi } from "./api";

export { callboardApiRef, type CallboardApi } from "./api";
export {
    COMPONENT_ANNOTATION,
    ENVIRONMENT_ANNOTATION,
    PROJECT_ANNOTATION,
    isCallboardAvailable,
} from "./target";

const entityRouteRef = createRouteRef({ id: "callboard.entity" });
const pageRouteRef = createRouteRef({ id: "callboard.page" });

export const callboardPlugin = createPlugin({
    id: "callboard",
    routes: { entity: entityRouteRef, page: pageRouteRef },
    apis: [
        createApiFactory({
            api: callboardApiRef,
            deps: { configApi: configApiRef, discoveryApi: discoveryApiRef, fetchApi: fetchApiRef },
            factory: (ways) => makeCallboardApi(ways),
        }),
    ],
});

// The tab; to be mounted below an entity at /callboard.
export const EntityCallboardContent: ComponentType = callboardPlugin.provide(
    createRoutableExtension({
        name: "EntityCallboardContent",
        component: () => import("./tab").then((module) => module.EntityCallboardContent),
        mountPoint: entityRouteRef,
    }),
);

export const EntityCallboardHealthCard: ComponentType = callboardPlugin.provide(
    createComponentExtension({
        name: "EntityCallboardHealthCard",
        component: { lazy: () => import("./cards").then((module) => module.EntityCallboardHealthCard) },
    }),
);

export const EntityCallboardErrorsCard: ComponentType = callboardPlugin.provide(
    createComponentExtension({
        name: "EntityCallboardErrorsCard",
        component: { lazy: () => import("./cards").then((module) => module.EntityCallboardErrorsCard) },
    }),
);

export const EntityCallboardCauseCard: ComponentType = callboardPlugin.provide(
    createComponentExtension({
        name: "EntityCallboardCauseCard",
        component: { lazy: () => import("./cards").then((module) => module.EntityCallboardCauseCard) },
    }),
);

// Of all components.
export const CallboardPage: ComponentType = callboardPlugin.provide(
    createRoutableExtension({
        name: "CallboardPage",
        component: () => import("./page").then((module) => module.CallboardPage),
        mountPoint: pageRouteRef,
    }),
);
