// The questions of the log search: pages of lines, then their volume, and the
// changes that are drawn on it.
import { keepPreviousData, useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import { useMemo } from "react";
import { useAsk } from "../ask";
import { dataOf, type ApiError, type Schemas } from "../client";
import { useHost } from "../host";
import type { Scope } from "../scope";
import { rfc3339, type TimeRange } from "../time";
import { requestBody, requestQuery, type LogEntry, type LogFilters } from "./filters";

export const PAGE_LINES = 200;
type LogsAnswer = Schemas["LogsQueryResponse"];
export type LogOrder = "asc" | "desc";

function windowOf(range: TimeRange) {
    return { startTime: rfc3339(range.start), endTime: rfc3339(range.end) };
}

export function useLogPages(
    scope: Scope,
    range: TimeRange,
    filters: LogFilters,
    options: { order: LogOrder; attributes: boolean; enabled: boolean },
) {
    const { client } = useHost();
    const body = {
        ...requestBody(scope, windowOf(range), filters),
        limit: PAGE_LINES,
        sortOrder: options.order,
        includeAttributes: options.attributes,
    };
    return useInfiniteQuery<
        LogsAnswer,
        ApiError,
        InfiniteData<LogsAnswer>,
        readonly unknown[],
        string | undefined
    >({
        queryKey: ["logs", body],
        queryFn: ({ pageParam, signal }) =>
            dataOf(client.POST("/api/v1/logs/query", { body: { ...body, cursor: pageParam }, signal })),
        initialPageParam: undefined,
        getNextPageParam: (last) => last.nextCursor,
        placeholderData: keepPreviousData,
        enabled: options.enabled,
    });
}

// Asked once the lines are there: they are what people wait for.
export function useVolume(scope: Scope, range: TimeRange, filters: LogFilters, enabled: boolean) {
    const body = requestBody(scope, windowOf(range), { ...filters, levels: [] });
    return useAsk(
        ["log volume", body],
        (client, signal) => client.POST("/api/v1/logs/histogram", { body, signal }),
        { enabled },
    );
}

export function useMarkerChanges(scope: Scope, range: TimeRange, enabled: boolean) {
    const query = { ...requestQuery(scope, NO_FILTERS), ...windowOf(range) };
    return useAsk(
        ["log changes", query],
        (client, signal) =>
            client.GET("/api/v1/changes", {
                params: { query: { ...query, kind: "version,image,pod-template,release", limit: 200 } },
                signal,
            }),
        { enabled },
    );
}

export function usePatterns(scope: Scope, range: TimeRange, filters: LogFilters) {
    const query = { ...requestQuery(scope, filters), ...windowOf(range), limit: 200, examples: 0 };
    return useAsk(["log patterns", query], (client, signal) =>
        client.GET("/api/v1/logs/patterns", { params: { query }, signal }),
    );
}

const NO_FILTERS: LogFilters = { levels: [], words: [], attributes: {}, without: [] };

// Around a record: of its component, without filters.
const CONTEXT_READ = 200;
export const CONTEXT_SHOWN = 10;

export function useContextLines(log: LogEntry, enabled: boolean) {
    const { metadata } = log;
    const scope = useMemo(
        () => ({
            namespace: metadata?.namespaceName,
            project: metadata?.projectName,
            component: metadata?.componentName,
            environment: metadata?.environmentName,
        }),
        [metadata],
    );
    const at = new Date(log.timestamp).getTime();
    const hour = 3600e3;
    const ask = (sortOrder: LogOrder) => ({
        ...requestBody(
            scope,
            sortOrder === "asc"
                ? { startTime: log.timestamp, endTime: rfc3339(at + hour) }
                : { startTime: rfc3339(at - hour), endTime: log.timestamp },
            NO_FILTERS,
        ),
        sortOrder,
        limit: CONTEXT_READ,
    });
    const [before, after] = [ask("desc"), ask("asc")];
    const options = { enabled, keep: false };
    return {
        before: useAsk(
            ["log context", before],
            (client, signal) => client.POST("/api/v1/logs/query", { body: before, signal }),
            options,
        ),
        after: useAsk(
            ["log context", after],
            (client, signal) => client.POST("/api/v1/logs/query", { body: after, signal }),
            options,
        ),
    };
}
