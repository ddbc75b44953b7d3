// What the view of traces asks.
import { useMemo } from "react";
import { useAsk, type Asked } from "../ask";
import type { Client, Schemas } from "../client";
import { useScope } from "../scope";
import { nanoseconds, useTimeRange } from "../time";
import { tracesBody, withinBox, type Box, type TraceFilters, type TracesBody } from "./filters";

export interface FoundTrace {
    id: string;
    name: string;
    component: string;
    project: string;
    at: number; // ms since 1970
    start: string;
    duration: number; // seconds
    spans: number;
    failed: boolean;
}

export interface FoundTraces {
    traces: FoundTrace[];
    total: number;
    totalIsLowerBound: boolean;
    failed: number | undefined; // of total
    exact: boolean;
}

// Behind nine digits is the place of the last one in the list.
const plainTime = (timestamp: string) => timestamp.replace(/(\.\d{9})\d+Z$/, "$1Z");

function readTraces(answer: Schemas["TracesQueryResponse"]): FoundTraces {
    return {
        traces: answer.traces.map((trace) => ({
            id: trace.traceId,
            name: trace.rootSpanName || trace.traceName,
            component: trace.rootComponent ?? "",
            project: trace.rootProject ?? "",
            at: Number(nanoseconds(plainTime(trace.startTime)) / 1000n) / 1000,
            start: plainTime(trace.startTime),
            duration: trace.durationNs / 1e9,
            spans: trace.spanCount,
            failed: trace.hasErrors,
        })),
        total: answer.total,
        totalIsLowerBound: answer.totalIsLowerBound === true,
        failed: answer.failed,
        exact: answer.exact !== false,
    };
}

async function ask(client: Client, signal: AbortSignal, body: TracesBody) {
    const answer = await client.POST("/api/v1alpha1/traces/query", { body, signal });
    return { ...answer, data: answer.data && readTraces(answer.data) };
}

// The request of the address. Undefined: no namespace is chosen.
export function useTracesBody(filters: TraceFilters): TracesBody | undefined {
    const scope = useScope();
    const range = useTimeRange();
    return useMemo(
        () => (scope.namespace ? tracesBody(scope, range, filters) : undefined),
        [scope, range, filters],
    );
}

// Of the picture: all traces up to 1000, else a sample over the whole time.
export function useSample(body: TracesBody | undefined): Asked<FoundTraces> {
    return useAsk(
        ["traces-sample", body],
        (client, signal) => ask(client, signal, { ...body!, sample: true }),
        { enabled: body !== undefined },
    );
}

// Of the list, where the sample is not all: the newest or the slowest, within the box.
export function useListed(
    body: TracesBody | undefined,
    options: { box: Box | undefined; sort: "time" | "duration"; needed: boolean },
): Asked<FoundTraces> {
    const wanted = body && options.box ? withinBox(body, options.box) : body;
    return useAsk(
        ["traces-list", wanted, options.sort],
        (client, signal) => ask(client, signal, { ...wanted!, sortBy: options.sort }),
        { enabled: wanted !== undefined && options.needed },
    );
}

// Groups of equal traces, and outliers.
export function useGroups(body: TracesBody | undefined): Asked<Schemas["FoundTraces"]> {
    return useAsk(
        ["traces-groups", body],
        (client, signal) => {
            const { searchScope, startTime, endTime, operation, minDuration, maxDuration } = body!;
            const attr = Object.entries(body!.attributes ?? {}).map(
                ([name, value]) => `${name}=${String(value)}`,
            );
            return client.GET("/api/v1/traces", {
                params: {
                    query: {
                        ...searchScope,
                        startTime,
                        endTime,
                        operation,
                        minDuration,
                        maxDuration,
                        status: body!.errorsOnly ? "error" : undefined,
                        attr: attr as unknown as string,
                        limit: 1,
                    },
                },
                signal,
            });
        },
        { enabled: body !== undefined },
    );
}
