// The pages: one segment of the address each, one title, one view, loaded when
// it is first shown. "key" follows the key g.
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import type { PageName } from "@callboard/ui";

export interface Page {
    name: PageName;
    path: string;
    title: string;
    key?: string;
    // Shown in the navigation.
    listed: boolean;
    view: LazyExoticComponent<ComponentType>;
}

const page = (
    name: PageName,
    title: string,
    view: () => Promise<{ default: ComponentType }>,
    options: { key?: string; listed?: boolean } = {},
): Page => ({
    name,
    path: name === "overview" ? "" : name,
    title,
    view: lazy(view),
    listed: true,
    ...options,
});

export const PAGES: readonly Page[] = [
    page("overview", "Overview", () => import("@callboard/ui/views/overview"), { key: "o" }),
    page("project", "Project", () => import("@callboard/ui/views/project"), { key: "p" }),
    page("component", "Component", () => import("@callboard/ui/views/component"), { key: "c" }),
    page("logs", "Logs", () => import("@callboard/ui/views/logs"), { key: "l" }),
    page("traces", "Traces", () => import("@callboard/ui/views/traces"), { key: "t" }),
    page("trace", "Trace", () => import("@callboard/ui/views/trace"), { listed: false }),
    page("cause", "Cause", () => import("@callboard/ui/views/cause")),
    page("reports", "Reports", () => import("@callboard/ui/views/reports"), { key: "r" }),
    page("report", "Report", () => import("@callboard/ui/views/report"), { listed: false }),
    page("changes", "Changes", () => import("@callboard/ui/views/changes")),
    page("catalog", "Catalogue", () => import("@callboard/ui/views/catalog")),
    page("status", "Status", () => import("@callboard/ui/views/status")),
    page("signin", "Sign in", () => import("./sign_in"), { listed: false }),
];

export function pageOf(name: PageName): Page {
    return PAGES.find((entry) => entry.name === name)!;
}
