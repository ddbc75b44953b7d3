// What the tab and the page show: the views of ui/, one under each sub-tab.
import type { PageName } from "@callboard/ui";
import { lazy, type ComponentType, type LazyExoticComponent } from "react";

export interface SubTab {
    page: PageName;
    title: string;
    // Not a tab of its own: a link leads there.
    hidden?: boolean;
    // What its link does not keep.
    params?: Record<string, undefined>;
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
    reports: lazy(() => import("@callboard/ui/views/reports")),
    report: lazy(() => import("@callboard/ui/views/report")),
};

const RECORDS: SubTab[] = [
    { page: "logs", title: "Logs" },
    { page: "traces", title: "Traces" },
    { page: "trace", title: "Trace", hidden: true },
    { page: "changes", title: "Changes" },
    { page: "cause", title: "Cause" },
];
// Of one component, of all: a sub-tab of a project drops the component that was looked at.
const WHOLE = { component: undefined };

export const COMPONENT_TABS: readonly SubTab[] = [{ page: "component", title: "Overview" }, ...RECORDS];
export const PROJECT_TABS: readonly SubTab[] = [
    { page: "project", title: "Overview", params: WHOLE },
    { page: "component", title: "Component", hidden: true },
    ...RECORDS,
];
export const PAGE_TABS: readonly SubTab[] = [
    { page: "overview", title: "Overview", params: { ...WHOLE, project: undefined } },
    { page: "project", title: "Project", params: WHOLE },
    { page: "component", title: "Component", hidden: true },
    ...RECORDS,
    { page: "reports", title: "Reports" },
    { page: "report", title: "Report", hidden: true },
];

export const pagesOf = (tabs: readonly SubTab[]): readonly PageName[] => tabs.map((tab) => tab.page);
