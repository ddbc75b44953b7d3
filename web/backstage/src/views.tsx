// What the tab shows: the views of ui/, one under each sub-tab.
import type { PageName } from "@callboard/ui";
import { lazy, type ComponentType, type LazyExoticComponent } from "react";

export interface SubTab {
    page: PageName;
    title: string;
    // Not a tab of its own: a link leads there.
    hidden?: boolean;
}

export const VIEWS: Partial<Record<PageName, LazyExoticComponent<ComponentType>>> = {
    overview: lazy(() => import("@callboard/ui/views/overview")),
    project: lazy(() => import("@callboard/ui/views/project")),
    component: lazy(() => import("@callboard/ui/views/component")),
    logs: lazy(() => import("@callboard/ui/views/logs")),
    traces: lazy(() => import("@callboard/ui/views/traces")),
    trace: lazy(() => import("@callboard/ui/views/trace")),
    changes: lazy(() => import("@callboard/ui/views/changes")),
    cause: lazy(() => import("@callboard/ui/views/cause")),
};

const RECORDS: SubTab[] = [
    { page: "logs", title: "Logs" },
    { page: "traces", title: "Traces" },
    { page: "trace", title: "Trace", hidden: true },
    { page: "changes", title: "Changes" },
    { page: "cause", title: "Cause" },
];

export const COMPONENT_TABS: readonly SubTab[] = [{ page: "component", title: "Overview" }, ...RECORDS];
export const PROJECT_TABS: readonly SubTab[] = [{ page: "project", title: "Overview" }, ...RECORDS];
