// Backstage as a host of the views: the API through Backstage, links inside the
// tab, to other entities, or to our own page.
import { useApi } from "@backstage/core-plugin-api";
import { HostProvider, toQuery, type Host, type PageName, type Params } from "@callboard/ui";
import { QueryClientProvider } from "@tanstack/react-query";
import { useMemo, type ReactNode } from "react";
import { useLocation, useNavigate } from "react-router-dom";
import { readPlace, writeQuery } from "./address";
import { callboardApiRef } from "./api";
import { useEntityPaths } from "./entity_paths";
import { queryClient } from "./query_client";
import { sameTarget, type Target } from "./target";

function fixedParams(target: Target | undefined): Params {
    if (!target) return {};
    const params: Record<string, string> = { ns: target.namespace, project: target.project };
    if (target.component) params.component = target.component;
    return params;
}

// Where a link leads that is not about the target: "here" is this tab.
function isHere(
    target: Target | undefined,
    page: PageName,
    params: Params,
    pages: readonly PageName[],
): boolean {
    if (!pages.includes(page)) return false;
    if (!target) return true;
    const other = { namespace: params.ns ?? "", project: params.project ?? "", component: params.component };
    if (page === "component" || page === "logs")
        return sameTarget(target, { ...other, environment: undefined });
    return other.namespace === target.namespace;
}

export function BackstageHost(props: {
    target?: Target;
    first: PageName;
    pages: readonly PageName[];
    // Of the tab; links from cards lead there.
    tabPath?: string;
    children: ReactNode;
}) {
    const { target, first, pages, tabPath, children } = props;
    const api = useApi(callboardApiRef);
    const location = useLocation();
    const navigate = useNavigate();
    const entityPath = useEntityPaths();
    const fixed = useMemo(() => fixedParams(target), [target]);

    const place = useMemo(() => {
        const read = readPlace(location.search, location.hash, fixed, first);
        const known = pages.includes(read.page) ? read : { ...read, page: first };
        const env = known.params.env ?? target?.environment;
        return env ? { ...known, params: { ...known.params, env } } : known;
    }, [location.search, location.hash, fixed, first, pages, target]);

    const host = useMemo((): Host => {
        const path = tabPath ?? location.pathname;
        const here = (page: PageName, params: Params, section?: string) =>
            path +
            writeQuery(location.search, page, params, fixed, first) +
            (section ? "#" + encodeURIComponent(section) : "");
        const addressOf = (page: PageName, params: Params, section?: string) => {
            if (isHere(target, page, params, pages)) return here(page, params, section);
            const entity =
                page === "component" ? entityPath(params.ns, params.project, params.component) : undefined;
            if (entity) return entity;
            if (!api.pageUrl) return undefined;
            const query = toQuery(params);
            return `${api.pageUrl}/ui/${page === "overview" ? "" : page}${query ? "?" + query : ""}`;
        };
        return {
            client: api.client,
            href: addressOf,
            go: (page, params, how = "step", section) => {
                const address = addressOf(page, params, section);
                if (address === undefined) return;
                if (/^https?:/.test(address)) window.location.assign(address);
                else if (address !== location.pathname + location.search + location.hash)
                    navigate(address, { replace: how === "replace" });
            },
        };
    }, [api, entityPath, first, fixed, location, navigate, pages, tabPath, target]);

    return (
        <QueryClientProvider client={queryClient}>
            <HostProvider host={host} place={place}>
                <div className="cb-root">{children}</div>
            </HostProvider>
        </QueryClientProvider>
    );
}
