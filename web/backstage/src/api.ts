// The way to Callboard's query API: through Backstage's proxy, or directly.
import { createApiRef, type ConfigApi, type DiscoveryApi, type FetchApi } from "@backstage/core-plugin-api";
import { makeClient, type Client } from "@callboard/ui";

export interface CallboardApi {
    readonly client: Client;
    // Of our own page, without a slash at its end; absent where it is not configured.
    readonly pageUrl?: string;
}

export const callboardApiRef = createApiRef<CallboardApi>({ id: "plugin.callboard.api" });

interface Ways {
    configApi: ConfigApi;
    discoveryApi: DiscoveryApi;
    fetchApi: FetchApi;
}

const PLACEHOLDER = "http://callboard.invalid";

export function makeCallboardApi({ configApi, discoveryApi, fetchApi }: Ways): CallboardApi {
    const direct = configApi.getOptionalString("callboard.directUrl")?.replace(/\/+$/, "");
    const base = async () => direct ?? `${await discoveryApi.getBaseUrl("proxy")}/callboard`;
    return {
        pageUrl: configApi.getOptionalString("callboard.pageUrl")?.replace(/\/+$/, ""),
        // The base is known only when it is asked for, so each address gets it then.
        client: makeClient(PLACEHOLDER, async (address, parts) =>
            fetchApi.fetch((await base()) + address.slice(PLACEHOLDER.length), parts),
        ),
    };
}
