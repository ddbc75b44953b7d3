// State in the address of a Backstage page: query parameters that begin with
// "cb-", so that neither other tabs read ours nor we theirs.
import type { PageName, Params, Place } from "@callboard/ui";

const PREFIX = "cb-";
const PAGE = PREFIX + "page";
const OF = PREFIX + "of";
const ALL = "*"; // of all environments, where the entity names one

// What an address is read against.
export interface Spot {
    fixed: Params; // by the entity: not in the address
    environment?: string; // where the address has none
    first: PageName; // where the address names no page
    of?: string; // which component of an entity with several; absent: the first
}

export function readPlace(search: string, hash: string, spot: Spot, pages: readonly PageName[]): Place {
    const params: Record<string, string> = {};
    let page = spot.first;
    for (const [name, value] of new URLSearchParams(search)) {
        if (value === "" || !name.startsWith(PREFIX) || name === OF) continue;
        if (name !== PAGE) params[name.slice(PREFIX.length)] = value;
        else if (pages.includes(value as PageName)) page = value as PageName;
    }
    if (params.env === ALL) delete params.env;
    else if (!params.env && spot.environment) params.env = spot.environment;
    return {
        page,
        params: { ...params, ...spot.fixed },
        section: hash ? decodeHash(hash.slice(1)) : undefined,
    };
}

function decodeHash(text: string): string {
    try {
        return decodeURIComponent(text);
    } catch {
        return text;
    }
}

// Which component of the entity the address names.
export function readOf(search: string): string | undefined {
    return new URLSearchParams(search).get(OF) ?? undefined;
}

// The query with our parameters replaced; what the entity says is not in it.
export function writeQuery(search: string, page: PageName, params: Params, spot: Spot): string {
    const query = new URLSearchParams(search);
    for (const name of [...query.keys()]) if (name.startsWith(PREFIX)) query.delete(name);
    if (spot.of) query.set(OF, spot.of);
    if (page !== spot.first) query.set(PAGE, page);
    for (const [name, value] of Object.entries(params))
        if (spot.fixed[name] !== value && !(name === "env" && value === spot.environment))
            query.set(PREFIX + name, value);
    if (spot.environment && !params.env) query.set(PREFIX + "env", ALL);
    const text = query.toString().replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%2C", ",");
    return text ? "?" + text : "";
}
