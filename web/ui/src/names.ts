// The names that there are, for pickers and the search: the component list, kept in memory.
import { useQuery } from "@tanstack/react-query";
import { dataOf, type ApiError, type Client } from "./client";
import { useHost } from "./host";
import { rfc3339 } from "./time";

export interface KnownComponent {
    namespace: string;
    project: string;
    component: string;
    environment?: string;
}

const PAGE = 1000;
const MOST_PAGES = 20;
const FRESH_MS = 60_000;

async function askNames(client: Client, signal: AbortSignal): Promise<KnownComponent[]> {
    const names: KnownComponent[] = [];
    let cursor: string | undefined;
    // The figures are not used: a minute of them costs little.
    const end = Date.now();
    const window = { startTime: rfc3339(end - 60_000), endTime: rfc3339(end) };
    for (let page = 0; page < MOST_PAGES; page++) {
        const answer = await dataOf(
            client.GET("/api/v1/components", {
                params: { query: { ...window, limit: PAGE, cursor } },
                signal,
            }),
        );
        for (const { namespace, project, component, environment } of answer.components)
            names.push({ namespace, project, component, environment });
        cursor = answer.nextCursor;
        if (!cursor) break;
    }
    return names;
}

export function useNames(enabled: boolean) {
    const { client } = useHost();
    return useQuery<KnownComponent[], ApiError>({
        queryKey: ["names"],
        queryFn: ({ signal }) => askNames(client, signal),
        enabled,
        staleTime: FRESH_MS,
        gcTime: Infinity,
    });
}

// Different values, sorted as people count.
export function distinct(values: readonly (string | undefined)[]): string[] {
    const known = new Set(values.filter((value): value is string => value !== undefined && value !== ""));
    return [...known].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}
