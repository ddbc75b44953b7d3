// Where a link of a view leads: inside this tab, to the tab of another entity, or
// to our own page.
import { toQuery, type Params } from "@callboard/ui/address";
import type { PageName } from "@callboard/ui";
import { writeQuery, type Spot } from "./address";
import type { Target } from "./target";

// Of the tab below an entity's page, unless the app has mounted it elsewhere.
export const TAB_PATH = "/callboard";

// An entity of the catalogue that shows a component or project of ours.
export interface EntityPlace {
    path: string; // of its page, as the router knows it
    target: Target;
    of?: string;
}

export interface Surroundings {
    target?: Target; // absent: the page of all
    spot: Spot;
    pages: readonly PageName[];
    path: string; // of this tab
    tabPath: string; // of the tab below an entity
    search: string; // of the address that is shown
    entityOf(namespace?: string, project?: string, component?: string): EntityPlace | undefined;
    pageUrl?: string;
}

export function spotOf(target: Target | undefined, of?: string): Spot {
    if (!target) return { fixed: {}, first: "overview" };
    const fixed: Record<string, string> = { ns: target.namespace, project: target.project };
    if (target.component) fixed.component = target.component;
    return {
        fixed,
        environment: target.environment,
        first: target.component ? "component" : "project",
        of,
    };
}

// A trace and a cause are of everything that took part, so they have no other place.
const OF_ALL: readonly PageName[] = ["trace", "cause"];

function isAbout(target: Target, page: PageName, params: Params): boolean {
    if (target.namespace !== params.ns) return false;
    if (OF_ALL.includes(page)) return true;
    if (target.project !== params.project) return false;
    return target.component === undefined || target.component === params.component;
}

// "inside": a path that the router knows; "outside": a whole address.
export type Way = { inside: string } | { outside: string };

export function wayTo(
    around: Surroundings,
    page: PageName,
    params: Params,
    section?: string,
): Way | undefined {
    const { target, spot, pages, path, tabPath, search, pageUrl } = around;
    const hash = section ? "#" + encodeURIComponent(section) : "";
    const here = { inside: path + writeQuery(search, page, params, spot) + hash };
    const known = pages.includes(page);
    const about = !target || isAbout(target, page, params);
    // A project's tab shows its components only where they have no tab of their own.
    if (known && about && (page !== "component" || target?.component)) return here;
    const entity =
        page === "overview" || (!target && page !== "component")
            ? undefined
            : around.entityOf(params.ns, params.project, page === "project" ? undefined : params.component);
    if (entity) {
        const other = spotOf(entity.target, entity.of);
        return { inside: entity.path + tabPath + writeQuery("", page, params, other) + hash };
    }
    if (known && about) return here;
    if (!pageUrl || page === "signin") return undefined;
    const query = toQuery(params);
    return { outside: `${pageUrl}/ui/${page === "overview" ? "" : page}${query ? "?" + query : ""}${hash}` };
}
