// The way to Callboard's query API: through Backstage's proxy, or directly.
import type { ConfigApi, DiscoveryApi, FetchApi } from "@backstage/core-plugin-api";

export interface CallboardApi {
    // Asks Callboard; path is one of its query API: "/api/v1/components".
    fetch(path: string, parts?: RequestInit): Promise<Response>;
    // Of Callboard's own page, without a slash at its end; absent where it is not configured.
    readonly pageUrl?: string;
    // Whether readers need the permission callboard.read.
    readonly asksPermission: boolean;
}

const GATEWAY = [502, 504];

// Errors of Backstage in the form of ours. Those of Callboard stay.
async function withOurError(answer: Response, direct: boolean): Promise<Response> {
    if (answer.ok) return answer;
    const text = await answer.text();
    const said = jsonOf(text);
    const headers = new Headers(answer.headers);
    headers.delete("Content-Length");
    if (typeof said.title === "string") return new Response(text, { status: answer.status, headers });
    headers.set("Content-Type", "application/json");
    const body = JSON.stringify(errorOf(answer.status, said, direct));
    return new Response(body, { status: answer.status, headers });
}

interface BackstageError {
    title?: unknown;
    error?: { name?: unknown; message?: unknown };
}

function jsonOf(text: string): BackstageError {
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === "object" && value !== null ? value : {};
    } catch {
        return {};
    }
}

function errorOf(status: number, said: BackstageError, direct: boolean) {
    if (GATEWAY.includes(status))
        return {
            title: "Callboard does not answer",
            message: "The portal's proxy cannot reach it. It is asked again by itself.",
        };
    if (status === 404 && !direct)
        return {
            title: "The portal has no way to Callboard",
            message: "Its configuration lacks proxy.endpoints./callboard.",
        };
    const { name, message } = said.error ?? {};
    return {
        title: typeof name === "string" ? name : `HTTP status ${status}`,
        message: typeof message === "string" ? message : "The portal refused it.",
    };
}

export function makeCallboardApi(ways: {
    configApi: ConfigApi;
    discoveryApi: DiscoveryApi;
    fetchApi: FetchApi;
}): CallboardApi {
    const { configApi, discoveryApi, fetchApi } = ways;
    const urlOf = (name: string) => configApi.getOptionalString(name)?.replace(/\/+$/, "");
    const direct = urlOf("callboard.directUrl");
    return {
        pageUrl: urlOf("callboard.pageUrl"),
        asksPermission: configApi.getOptionalBoolean("callboard.permission") ?? false,
        async fetch(path, parts) {
            const base = direct ?? `${await discoveryApi.getBaseUrl("proxy")}/callboard`;
            return withOurError(await fetchApi.fetch(base + path, parts), direct !== undefined);
        },
    };
}
