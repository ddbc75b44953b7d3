// The address bar: "/any/prefix/ui/component?ns=acme#errors". All pages are one
// segment below the base, so relative addresses hold behind any prefix.
import { useSyncExternalStore } from "react";
import { toQuery, type PageName, type Params, type Place } from "@callboard/ui";
import { PAGES } from "./pages";

// ".../ui/": what comes before the page's segment.
const base = new URL("./", window.location.href).pathname;

// Of the API: beside ui/.
export const API_BASE = new URL("../", window.location.href).href.replace(/\/$/, "");

function read(): Place {
    const { pathname, search, hash } = window.location;
    const segment = pathname.slice(base.length);
    const page = PAGES.find((entry) => entry.path === segment)?.name ?? "overview";
    const params: Record<string, string> = {};
    for (const [name, value] of new URLSearchParams(search)) if (value !== "") params[name] = value;
    return { page, params, section: hash ? decodeURIComponent(hash.slice(1)) : undefined };
}

export function addressOf(page: PageName, params: Params, section?: string): string {
    const path = PAGES.find((entry) => entry.name === page)!.path;
    const query = toQuery(params);
    return base + path + (query ? "?" + query : "") + (section ? "#" + encodeURIComponent(section) : "");
}

let place = read();
const listeners = new Set<() => void>();

function changed(): void {
    place = read();
    for (const listener of listeners) listener();
}

window.addEventListener("popstate", changed);

// The same address is never pushed twice.
export function goTo(
    page: PageName,
    params: Params,
    how: "step" | "replace" = "step",
    section?: string,
): void {
    const address = addressOf(page, params, section);
    const { pathname, search, hash } = window.location;
    if (address === pathname + search + hash) return;
    const newPage = page !== place.page;
    if (how === "step") window.history.pushState(null, "", address);
    else window.history.replaceState(null, "", address);
    changed();
    if (newPage) window.scrollTo(0, 0);
}

export function useAddressBar(): Place {
    return useSyncExternalStore(
        (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        () => place,
    );
}
