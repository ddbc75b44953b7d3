// What is in the address: parameters by name, an absent one has no entry.
import { useCallback } from "react";
import { useHost, usePlace, type PageName } from "./host";

export type Params = Readonly<Record<string, string>>;

// Kept by every link between pages.
export const KEPT = ["ns", "project", "component", "env", "from", "to", "live", "cmp"] as const;

// Sets and removes (undefined or empty) parameters.
export function withParams(params: Params, changes: Record<string, string | undefined>): Params {
    const next: Record<string, string> = { ...params };
    for (const [name, value] of Object.entries(changes)) {
        if (value === undefined || value === "") delete next[name];
        else next[name] = value;
    }
    return next;
}

// Those that another page keeps: scope and time, not what is only this page's.
export function keptParams(params: Params): Params {
    return Object.fromEntries(
        KEPT.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]])),
    );
}

export function toQuery(params: Params): string {
    const query = new URLSearchParams(Object.entries(params)).toString();
    // Slashes, colons and commas may stand in a query; names stay readable.
    return query.replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%2C", ",");
}

// [value, set] of one parameter of this page. Setting is a step that Back undoes, unless "replace".
export function useParam(
    name: string,
): [string | undefined, (value: string | undefined, how?: "step" | "replace") => void] {
    const host = useHost();
    const place = usePlace();
    const set = useCallback(
        (value: string | undefined, how: "step" | "replace" = "step") =>
            host.go(place.page, withParams(place.params, { [name]: value }), how, place.section),
        [host, place, name],
    );
    return [place.params[name], set];
}

// Sets several parameters of this page in one step.
export function useSetParams() {
    const host = useHost();
    const place = usePlace();
    return useCallback(
        (changes: Record<string, string | undefined>, how: "step" | "replace" = "step") =>
            host.go(place.page, withParams(place.params, changes), how, place.section),
        [host, place],
    );
}

// The address of another page with this page's scope and time, and changes.
export function useHref() {
    const host = useHost();
    const place = usePlace();
    return useCallback(
        (page: PageName, changes: Record<string, string | undefined> = {}, section?: string) =>
            host.href(page, withParams(keptParams(place.params), changes), section),
        [host, place],
    );
}
