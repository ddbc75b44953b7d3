// State in the address of a Backstage page: query parameters that begin with
// "cb-", so that neither other tabs read ours nor we theirs.
import type { PageName, Params, Place } from "@callboard/ui";

const PREFIX = "cb-";
const PAGE = PREFIX + "page";

export function readPlace(search: string, hash: string, fixed: Params, first: PageName): Place {
    const params: Record<string, string> = {};
    let page = first;
    for (const [name, value] of new URLSearchParams(search)) {
        if (value === "" || !name.startsWith(PREFIX)) continue;
        if (name === PAGE) page = value as PageName;
        else params[name.slice(PREFIX.length)] = value;
    }
    return {
        page,
        params: { ...params, ...fixed },
        section: hash ? decodeURIComponent(hash.slice(1)) : undefined,
    };
}

// The query with our parameters replaced; what the entity fixes is not in it.
export function writeQuery(
    search: string,
    page: PageName,
    params: Params,
    fixed: Params,
    first: PageName,
): string {
    const query = new URLSearchParams(search);
    for (const name of [...query.keys()]) if (name.startsWith(PREFIX)) query.delete(name);
    if (page !== first) query.set(PAGE, page);
    for (const [name, value] of Object.entries(params))
        if (fixed[name] !== value) query.set(PREFIX + name, value);
    const text = query.toString();
    return text ? "?" + text : "";
}
