// The query API, typed by docs/openapi.yaml (schema.d.ts is generated from it).
import createClient, { type Client as OpenApiClient } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Client = OpenApiClient<paths>;

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

export function makeClient(baseUrl: string, fetchParts: FetchParts): Client {
    return createClient<paths>({
        baseUrl,
        fetch: async (request) => {
            const body =
                request.method === "GET" || request.method === "HEAD" ? undefined : await request.text();
            return fetchParts(request.url, {
                method: request.method,
                headers: Object.fromEntries(request.headers),
                body,
                signal: request.signal,
            });
        },
    });
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
