// Backstage as a host of the views: the API through Backstage, links inside the
// tab, to other entities, or to our own page.
import { useApi } from "@backstage/core-plugin-api";
import { advanceClock, HostProvider, type Host, type PageName } from "@callboard/ui";
import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useMemo, type ReactNode } from "react";
import { useHref, useLocation, useNavigate } from "react-router-dom";
import { readPlace } from "./address";
import { callboardApiRef } from "./api";
import { wayOf } from "./client";
import { useEntityPlaces } from "./entity_paths";
import { spotOf, wayTo, type Surroundings } from "./links";
import { queryClient } from "./query_client";
import { putStyles } from "./styles";
import type { Target } from "./target";

const STALE_MS = 30_000;
let opened = Date.now();

// What is opened later than the rest shows the time in which it is opened.
function useFreshClock(): void {
    useEffect(() => {
        if (Date.now() - opened < STALE_MS) return;
        opened = Date.now();
        advanceClock(opened);
    }, []);
}

export function BackstageHost(props: {
    target?: Target;
    of?: string;
    pages: readonly PageName[];
    path: string; // of the tab or page that links lead to
    tabPath: string;
    // The address is not read: a card shows the same, whatever the tab shows.
    fixedPlace?: boolean;
    className?: string;
    children: ReactNode;
}) {
    const { target, of, pages, path, tabPath, fixedPlace, children } = props;
    const api = useApi(callboardApiRef);
    const location = useLocation();
    const navigate = useNavigate();
    const base = useHref("/").replace(/\/$/, "");
    const entityOf = useEntityPlaces();
    useFreshClock();
    useEffect(putStyles, []);
    const spot = useMemo(() => spotOf(target, of), [target, of]);
    const search = fixedPlace ? "" : location.search;
    const place = useMemo(
        () => readPlace(search, fixedPlace ? "" : location.hash, spot, pages),
        [search, location.hash, fixedPlace, spot, pages],
    );
    const host = useMemo((): Host => {
        const around: Surroundings = {
            ...{ target, spot, pages, path, tabPath, search, entityOf },
            pageUrl: api.pageUrl,
        };
        return {
            client: wayOf(api).client,
            href: (page, params, section) => {
                const way = wayTo(around, page, params, section);
                return way && ("inside" in way ? base + way.inside : way.outside);
            },
            go: (page, params, how = "step", section) => {
                const way = wayTo(around, page, params, section);
                if (!way) return;
                if ("outside" in way) window.location.assign(way.outside);
                else if (way.inside !== location.pathname + location.search + location.hash)
                    navigate(way.inside, { replace: how === "replace", preventScrollReset: true });
            },
        };
    }, [api, base, entityOf, location, navigate, pages, path, search, spot, tabPath, target]);
    return (
        <QueryClientProvider client={queryClient}>
            <HostProvider host={host} place={place}>
                <div className={"cb-root " + (props.className ?? "cb-tab-root")}>{children}</div>
            </HostProvider>
        </QueryClientProvider>
    );
}
