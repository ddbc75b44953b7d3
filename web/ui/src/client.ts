// The query API, typed by docs/openapi.yaml (schema.d.ts is generated from it).
import type { Client as OpenApiClient } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Client = Pick<OpenApiClient<paths>, "GET" | "POST" | "PUT">;

// A way to fetch: an address and parts, never a Request (Backstage's fetchApi
// reads it twice, and a body can be read once).
export type FetchParts = (address: string, parts: RequestInit) => Promise<Response>;

export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly title: string,
        message: string,
        readonly retryAfterSeconds?: number,
    ) {
        super(message);
    }
}

interface Asking {
    params?: { path?: Record<string, unknown>; query?: Record<string, unknown> };
    body?: unknown;
    parseAs?: "json" | "text";
    signal?: AbortSignal;
}

// "/a/{id}?x=1": what is undefined is left out, a list is repeated.
function addressOf(route: string, { path = {}, query = {} }: NonNullable<Asking["params"]>): string {
    const filled = route.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name])));
    const known = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
        for (const one of Array.isArray(value) ? value : [value])
            if (one !== undefined && one !== null) known.append(name, String(one));
    const text = known.toString();
    return filled + (text ? "?" + text : "");
}

function jsonOf(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

// The types are those of openapi-fetch; of its abilities this has what we use.
export function makeClient(baseUrl: string, fetchParts: FetchParts): Client {
    const asker =
        (method: string) =>
        async (route: string, { params = {}, body, parseAs = "json", signal }: Asking = {}) => {
            const response = await fetchParts(baseUrl + addressOf(route, params), {
                method,
                headers: body === undefined ? {} : { "Content-Type": "application/json" },
                body: body === undefined ? undefined : JSON.stringify(body),
                signal,
            });
            if (!response.ok) return { error: jsonOf(await response.text()), response };
            const text = await response.text();
            if (parseAs === "text") return { data: text, response };
            return { data: text ? (JSON.parse(text) as unknown) : undefined, response };
        };
    return { GET: asker("GET"), POST: asker("POST"), PUT: asker("PUT") } as unknown as Client;
}

interface Answer<Data> {
    data?: Data;
    error?: unknown;
    response: Response;
}

// The data of an answer; what is not 2xx becomes an ApiError.
export async function dataOf<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
    let answer: Answer<Data>;
    try {
        answer = await asked;
    } catch (failure) {
        if (failure instanceof DOMException && failure.name === "AbortError") throw failure;
        throw new ApiError(0, "no answer", "Callboard cannot be reached. It is asked again by itself.");
    }
    if (answer.response.ok && answer.data !== undefined) return answer.data;
    const text = (answer.error ?? {}) as { title?: unknown; message?: unknown };
    const retryAfter = Number(answer.response.headers.get("Retry-After") ?? NaN);
    throw new ApiError(
        answer.response.status,
        typeof text.title === "string" ? text.title : answer.response.statusText || "error",
        typeof text.message === "string" ? text.message : `HTTP status ${answer.response.status}`,
        Number.isFinite(retryAfter) ? retryAfter : undefined,
    );
}
