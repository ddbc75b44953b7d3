// A host for tests: answers from a table of routes, an address that is kept.
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { useState, type ReactElement } from "react";
import { toQuery, type Params } from "./address";
import { makeQueryClient } from "./ask";
import { makeClient } from "./client";
import { HostProvider, type Host, type PageName, type Place } from "./host";

// What a route answers: JSON, or [status, JSON].
export type Reply = object | [number, object];
export type Replies = Record<
    string,
    Reply | ((query: URLSearchParams, body: unknown) => Reply | Promise<Reply>)
>;

export interface Shown {
    asked: string[]; // "GET /path?query", "POST /path"
    gone: { page: PageName; params: Params; how?: string; section?: string }[];
}

async function replyOf(replies: Replies, address: string, body: unknown): Promise<Response> {
    const url = new URL(address);
    const found = replies[url.pathname];
    const reply = typeof found === "function" ? await found(url.searchParams, body) : found;
    const [status, json] = Array.isArray(reply)
        ? (reply as [number, object])
        : reply
          ? [200, reply]
          : [404, { title: "notFound", message: "no such path" }];
    return new Response(JSON.stringify(json), {
        status,
        headers: { "Content-Type": "application/json" },
    });
}

function makeTestHost(replies: Replies, shown: Shown, move: (place: Place) => void): Host {
    return {
        client: makeClient("http://test", async (address, parts) => {
            const { pathname, search } = new URL(address);
            shown.asked.push(`${parts.method} ${pathname}${search}`);
            return replyOf(replies, address, parts.body ? JSON.parse(String(parts.body)) : undefined);
        }),
        wholePage: true,
        href: (page, params, section) => `${page}?${toQuery(params)}${section ? "#" + section : ""}`,
        go: (page, params, how, section) => {
            shown.gone.push({ page, params, how, section });
            move({ page, params, section });
        },
    };
}

// Shows a view at a place; what it opens on its own page is shown as well.
export function showAt(view: ReactElement, place: Place, replies: Replies): Shown {
    const shown: Shown = { asked: [], gone: [] };
    const queries = makeQueryClient();
    function Page() {
        const [at, setAt] = useState(place);
        const [host] = useState(() =>
            makeTestHost(replies, shown, (next) => {
                if (next.page === place.page) setAt(next);
            }),
        );
        return (
            <HostProvider host={host} place={at}>
                {view}
            </HostProvider>
        );
    }
    render(
        <QueryClientProvider client={queries}>
            <Page />
        </QueryClientProvider>,
    );
    return shown;
}
