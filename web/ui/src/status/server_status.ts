// Version, limits and retention of the server, by GET /api/v1/status.
import { useQuery } from "@tanstack/react-query";
import type { Asked } from "../ask";
import { dataOf, type ApiError, type Schemas } from "../client";
import { formatSeconds } from "../format";
import { useHost } from "../host";

export type ServerStatus = Schemas["Status"];

const EVERY_MS = 30_000;

export function useServerStatus(): Asked<ServerStatus> {
    const { client } = useHost();
    return useQuery<ServerStatus, ApiError>({
        queryKey: ["status"],
        queryFn: ({ signal }) => dataOf(client.GET("/api/v1/status", { signal })),
        refetchInterval: EVERY_MS,
        staleTime: 0,
        retry: false,
    }) as Asked<ServerStatus>;
}

// How long each stream is kept, in words; derived series as metrics.
export function keptFor(retention: ServerStatus["retention"] | undefined): Record<string, string> {
    if (!retention) return {};
    const words = (seconds: number) => (seconds === 0 ? "ever" : formatSeconds(seconds));
    return {
        traces: words(retention.tracesSeconds),
        logs: words(retention.logsSeconds),
        metrics: words(retention.metricsSeconds),
        derived: words(retention.metricsSeconds),
    };
}
