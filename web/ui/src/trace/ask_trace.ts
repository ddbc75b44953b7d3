// What the view of a trace asks.
import { useMemo } from "react";
import { useAsk, type Asked } from "../ask";
import type { Client, Schemas } from "../client";
import { rfc3339 } from "../time";
import { offsetReader, readLogs, readPageSpans, readTreeSpans, type ReadLog, type SpanNode } from "./spans";

// What GET /api/v1/traces/{traceId} and a page of spans answer at most.
const SHOWN = 10_000;
const LOGS = 1000;
// The details of all spans (events on the bars, attributes in find) are read of
// traces up to this size.
const DETAILED = 500;
// Where a page is too large for the server, a tenth is asked for, down to this.
const SMALLEST = 100;
const TOO_LARGE = 413;

export interface ReadTrace {
    // The answer without its spans and their logs.
    found: Omit<Schemas["TraceTree"], "spans" | "logs">;
    spans: SpanNode[];
    logs: ReadLog[];
}

function readTree(tree: Schemas["TraceTree"]): ReadTrace {
    const { spans, logs, ...found } = tree;
    return { found, spans: readTreeSpans(spans), logs: readLogs({ spans, logs }) };
}

async function askTree(client: Client, signal: AbortSignal, id: string, namespace: string | undefined) {
    const answer = await client.GET("/api/v1/traces/{traceId}", {
        params: { path: { traceId: id }, query: { namespace, limit: SHOWN, logs: LOGS } },
        signal,
    });
    return { ...answer, data: answer.data && readTree(answer.data) };
}

// Without a namespace the answer has what is connected to the trace in others (a
// gateway). Where two namespaces use one id, that of the address is asked for.
export function useTrace(id: string | undefined, namespace: string | undefined): Asked<ReadTrace> {
    return useAsk(
        ["trace", id, namespace],
        async (client, signal) => {
            const whole = await askTree(client, signal, id!, undefined);
            if (whole.response.status === TOO_LARGE && namespace)
                return (await askPagesOnly(client, signal, id!, namespace)) ?? whole;
            const others = whole.data?.found.otherNamespaces;
            if (!namespace || !others?.includes(namespace)) return whole;
            return askTree(client, signal, id!, namespace);
        },
        { enabled: id !== undefined, keep: false },
    );
}

// ---- All spans, page by page ----

interface Window {
    startTime: string;
    endTime: string;
}

// The window of a trace, and a little more.
function windowOf(found: ReadTrace["found"]): Window {
    return {
        startTime: rfc3339(Date.parse(found.summary.startTime) - 1000),
        endTime: rfc3339(Date.parse(found.summary.endTime) + 1000),
    };
}

function askSpans(
    client: Client,
    signal: AbortSignal,
    traceId: string,
    namespace: string,
    parts: Window & { limit: number; includeAttributes: boolean; cursor: string | undefined },
) {
    return client.POST("/api/v1alpha1/traces/{traceId}/spans/query", {
        params: { path: { traceId } },
        body: { ...parts, sortOrder: "asc", searchScope: { namespace } },
        signal,
    });
}

type SpansAnswer = Awaited<ReturnType<typeof askSpans>>;

// The next page is asked for while one is read. Pages that are too large for the
// server (413) become smaller.
async function readPages(
    ask: (limit: number, cursor: string | undefined) => Promise<SpansAnswer>,
    read: (spans: readonly Schemas["Span"][]) => void,
): Promise<SpansAnswer> {
    let limit = SHOWN;
    let asked = ask(limit, undefined);
    for (let cursor: string | undefined = undefined; ; ) {
        const page: SpansAnswer = await asked;
        if (page.response.status === TOO_LARGE && limit > SMALLEST) {
            limit = Math.ceil(limit / 10);
            asked = ask(limit, cursor);
            continue;
        }
        if (!page.data) return page;
        cursor = page.data.nextCursor;
        if (cursor) asked = ask(limit, cursor);
        read(page.data.spans);
        if (!cursor) return page;
    }
}

// All spans of a trace that is larger than one answer.
export function useAllSpans(trace: ReadTrace | undefined): Asked<SpanNode[]> {
    const found = trace?.found;
    return useAsk(
        ["trace-spans", found?.traceId, found?.namespace],
        async (client, signal) => {
            const offsetOf = offsetReader(found!.summary.startTime);
            const spans: SpanNode[] = [];
            const last = await readPages(
                (limit, cursor) =>
                    askSpans(client, signal, found!.traceId, found!.namespace, {
                        ...windowOf(found!),
                        limit,
                        includeAttributes: false,
                        cursor,
                    }),
                (page) => {
                    for (const span of readPageSpans(page, offsetOf)) spans.push(span);
                },
            );
            return { ...last, data: last.data && addPlaces(spans, trace!.spans) };
        },
        { enabled: found !== undefined && found.omitted.spans > 0, keep: false },
    );
}

// ---- A trace that the server cannot show as a whole ----

// Pages of spans are asked about this much time at most.
const PAGES_DAYS_MS = 30 * 86_400_000;

// Only spans: what the server would find out about them is not there.
function foundOfSpans(
    id: string,
    namespace: string,
    spans: readonly SpanNode[],
    base: string,
): ReadTrace["found"] {
    const end = spans.reduce((latest, span) => Math.max(latest, span.start + span.duration), 0);
    const first = spans[0]!;
    const root = spans.find((span) => span.parentId === "") ?? first;
    return {
        traceId: id,
        namespace,
        summary: {
            root: { spanId: root.id, spanName: root.name, component: root.component, project: root.project },
            startTime: base,
            endTime: rfc3339(Date.parse(base) + Math.ceil(end / 1e6)),
            durationNs: end,
            rootDurationNs: root.duration,
            status: root.failed ? "error" : "ok",
            spanCount: spans.length,
            errorCount: spans.filter((span) => span.failed).length,
            componentCount: new Set(spans.map((span) => span.project + "\0" + span.component)).size,
            depth: 0,
            logCount: 0,
        },
        remarks: [
            "The server has not enough memory to examine so large a trace: its spans are shown, without log records",
        ],
        components: [],
        criticalPath: [],
        errors: [],
        repeated: [],
        clockSkew: [],
        omitted: { spans: 0, unreadSpans: 0, logs: 0 },
        tookMs: 0,
    };
}

async function askPagesOnly(client: Client, signal: AbortSignal, id: string, namespace: string) {
    const now = Date.now();
    const window = { startTime: rfc3339(now - PAGES_DAYS_MS), endTime: rfc3339(now) };
    const spans: SpanNode[] = [];
    let base = "";
    let offsetOf: ReturnType<typeof offsetReader> | undefined;
    const last = await readPages(
        (limit, cursor) =>
            askSpans(client, signal, id, namespace, { ...window, limit, includeAttributes: false, cursor }),
        (page) => {
            base ||= page[0]?.startTime ?? "";
            offsetOf ??= offsetReader(base);
            for (const span of readPageSpans(page, offsetOf)) spans.push(span);
        },
    );
    if (!last.data || spans.length === 0) return undefined;
    return { ...last, data: { found: foundOfSpans(id, namespace, spans, base), spans, logs: [] } };
}

// Pages do not tell pod and environment; those that the tree has are taken over.
function addPlaces(spans: SpanNode[], known: readonly SpanNode[]): SpanNode[] {
    const places = new Map<string, SpanNode>();
    for (const span of known) places.set(span.project + "\0" + span.component, span);
    for (const span of spans) {
        const place = places.get(span.project + "\0" + span.component);
        if (!place) continue;
        span.environment = place.environment;
        span.namespace = place.namespace;
    }
    return spans;
}

export interface SpanExtras {
    events: { at: number; name: string }[];
    text: string; // attributes, for find
}

// Events and attributes of all spans, by span id; of smaller traces only.
export function useSpanExtras(trace: ReadTrace | undefined): Map<string, SpanExtras> | undefined {
    const found = trace?.found;
    const asked = useAsk(
        ["trace-extras", found?.traceId, found?.namespace],
        (client, signal) =>
            askSpans(client, signal, found!.traceId, found!.namespace, {
                ...windowOf(found!),
                limit: DETAILED,
                includeAttributes: true,
                cursor: undefined,
            }),
        { enabled: found !== undefined && found.summary.spanCount <= DETAILED, keep: false },
    );
    const data = asked.data;
    const start = found?.summary.startTime;
    return useMemo(() => {
        if (!data || !start) return undefined;
        const offsetOf = offsetReader(start);
        return new Map(
            data.spans.map((span) => [
                span.spanId,
                {
                    events: (span.events ?? []).map((event) => ({
                        at: offsetOf(event.timestamp),
                        name: event.name,
                    })),
                    text: attributesText(span.attributes) + attributesText(span.resourceAttributes),
                },
            ]),
        );
    }, [data, start]);
}

function attributesText(attributes: object | undefined): string {
    return Object.entries(attributes ?? {})
        .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}\n`)
        .join("");
}

// One span with attributes, resource, events and links.
export function useSpan(trace: ReadTrace["found"], span: SpanNode): Asked<Schemas["Span"]> {
    const namespace = span.namespace || trace.namespace;
    return useAsk(
        ["span", trace.traceId, span.id, namespace],
        (client, signal) =>
            client.POST("/api/v1alpha1/traces/{traceId}/spans/{spanId}", {
                params: { path: { traceId: trace.traceId, spanId: span.id } },
                body: { searchScope: { namespace } },
                signal,
            }),
        { keep: false },
    );
}

// The component's page in the hour before the trace: how long this operation takes usually.
export function useUsual(trace: ReadTrace["found"], span: SpanNode) {
    const end = Date.parse(trace.summary.endTime) + 60_000;
    const known = Boolean(span.component && span.project && span.operation && span.kind === "SERVER");
    const path = {
        namespace: span.namespace || trace.namespace,
        project: span.project,
        component: span.component,
    };
    const asked = useAsk(
        ["usual", path, span.environment, end],
        (client, signal) =>
            client.GET("/api/v1/components/{namespace}/{project}/{component}", {
                params: {
                    path,
                    query: {
                        environment: span.environment || undefined,
                        startTime: rfc3339(end - 3_600_000),
                        endTime: rfc3339(end),
                    },
                },
                signal,
            }),
        { enabled: known, keep: false },
    );
    return asked.data?.endpoints
        .flatMap((endpoint) => endpoint.operations)
        .find((operation) => operation.operation === span.operation);
}
