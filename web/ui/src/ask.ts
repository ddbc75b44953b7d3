// Questions to the query API, by react-query. The key is what was asked; data of
// the same question is kept while it is asked again.
import { keepPreviousData, QueryClient, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { ApiError, dataOf, type Client } from "./client";
import { useHost } from "./host";

export type Asked<Data> = UseQueryResult<Data, ApiError>;

const RETRIES = 3;

// What was asked before its window was over, and all of it had come, is asked again
// where it is shown anew: a figure of one page would differ from that of the next.
const COMES_WITHIN = 60_000;
const FRESH = 10_000;

function endOf(key: unknown): number {
    if (typeof key !== "object" || key === null) return NaN;
    const own = (key as { endTime?: unknown }).endTime;
    if (typeof own === "string") return Date.parse(own);
    for (const part of Object.values(key)) {
        const found = endOf(part);
        if (!Number.isNaN(found)) return found;
    }
    return NaN;
}

export function freshFor(key: readonly unknown[], answeredAt: number): number {
    return endOf(key) + COMES_WITHIN > answeredAt ? FRESH : Infinity;
}

// What is busy (503, 429) is asked once more after Retry-After; what cannot be
// reached a few times; a refusal is final.
function retry(failures: number, error: ApiError): boolean {
    if (error.status === 503 || error.status === 429) return failures < 1;
    return error.status === 0 && failures < RETRIES;
}

function retryDelay(failures: number, error: ApiError): number {
    return error.retryAfterSeconds !== undefined ? error.retryAfterSeconds * 1000 : 1000 * 2 ** failures;
}

export function makeQueryClient(): QueryClient {
    return new QueryClient({
        defaultOptions: {
            queries: {
                retry: (failures, error) => error instanceof ApiError && retry(failures, error),
                retryDelay: (failures, error) =>
                    error instanceof ApiError ? retryDelay(failures, error) : 1000,
                // "now" is part of the key; the clock of time.ts asks again.
                staleTime: ({ queryKey, state }) => freshFor(queryKey, state.dataUpdatedAt),
                gcTime: 60_000,
                refetchOnWindowFocus: false,
            },
        },
    });
}

// useAsk(["components", ns, range.start], (client, signal) => client.GET(...)).
export function useAsk<Data>(
    key: readonly unknown[],
    ask: (
        client: Client,
        signal: AbortSignal,
    ) => Promise<{ data?: Data; error?: unknown; response: Response }>,
    options: { enabled?: boolean; keep?: boolean } = {},
): Asked<Data> {
    const { client } = useHost();
    return useQuery<Data, ApiError>({
        queryKey: key,
        queryFn: ({ signal }) => dataOf(ask(client, signal)),
        enabled: options.enabled ?? true,
        placeholderData: options.keep === false ? undefined : keepPreviousData,
    });
}
