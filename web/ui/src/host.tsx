// The seam between the views and what they are shown in: our own page, or
// Backstage. A host gives three functions; views use nothing else of it.
import { createContext, useContext, type ReactNode } from "react";
import type { Client } from "./client";
import type { Params } from "./address";

// The pages that a link can lead to.
export type PageName =
    | "overview"
    | "project"
    | "component"
    | "logs"
    | "traces"
    | "trace"
    | "cause"
    | "reports"
    | "report"
    | "changes"
    | "catalog"
    | "status"
    | "signin";

export interface Host {
    // Asks the query API; see client.ts.
    client: Client;
    // The address of a page, for links. Undefined: this host has no such page, so no link is drawn.
    href(page: PageName, params: Params, section?: string): string | undefined;
    // Changes the parameters of the page that is shown, or opens another page.
    // "step": Back returns from it. "replace": it does not, as for what follows by itself.
    go(page: PageName, params: Params, how?: "step" | "replace", section?: string): void;
    // The whole page is Callboard's: keys of a view work wherever the focus is. Else
    // only those of what has the focus.
    wholePage?: boolean;
    // Where telemetry is sent by OTLP over HTTP, as far as the host knows.
    otlpAddress?: string;
}

export interface Place {
    page: PageName;
    params: Params;
    section?: string;
}

interface HostAndPlace {
    host: Host;
    place: Place;
}

const Context = createContext<HostAndPlace | null>(null);

export function HostProvider(props: { host: Host; place: Place; children: ReactNode }) {
    const { host, place, children } = props;
    return <Context.Provider value={{ host, place }}>{children}</Context.Provider>;
}

function useContextValue(): HostAndPlace {
    const value = useContext(Context);
    if (!value) throw new Error("a view is shown outside of HostProvider");
    return value;
}

export function useHost(): Host {
    return useContextValue().host;
}

export function usePlace(): Place {
    return useContextValue().place;
}
