// The spans of a trace as they are read: from the tree of the API, or from its
// pages of spans. Times are nanoseconds after the first start of the trace.
import type { Schemas } from "../client";
import { nanoseconds } from "../time";

export interface ReadSpan {
    id: string;
    parentId: string; // "": none
    name: string;
    kind: string;
    start: number;
    duration: number;
    failed: boolean;
    status: string;
    message: string;
    component: string;
    project: string;
    environment: string;
    namespace: string; // "": that of the trace
    pod: string;
    operation: string;
    hidden: boolean;
}

// A span, and what arrange() finds out about it: one object, as traces have 50,000.
// Fields are set one by one: objects made by spreading are slow.
export class SpanNode implements ReadSpan {
    id: string;
    parentId: string;
    name: string;
    kind: string;
    start: number;
    duration: number;
    failed: boolean;
    status: string;
    message: string;
    component: string;
    project: string;
    environment: string;
    namespace: string;
    pod: string;
    operation: string;
    hidden: boolean;

    key: string; // its id; of further spans with one id with a number
    parent = -1; // its row; -1 at the top
    depth = 0;
    last = 0; // row of the last one below it; its own without any
    children = 0;
    self = 0; // ns in which none of its children ran
    critical = 0; // ns of the critical path that are its own
    parts: number[] | undefined = undefined; // of the critical path: from, to, from, to, as its times are
    clock = 0; // ns by which its clock is ahead of that of the root
    skewed = false; // its clock differs from that of its parent
    origin = false; // it failed, and nothing below it did
    async = false; // its parent does not wait for it
    missing = false; // a parent that was not received
    orphan = false; // its parent was not received
    cycle = false; // it is its own ancestor
    duplicate = false; // another span has its id

    constructor(span: ReadSpan) {
        this.id = this.key = span.id;
        this.parentId = span.parentId;
        this.name = span.name;
        this.kind = span.kind;
        this.start = span.start;
        this.duration = span.duration;
        this.failed = span.failed;
        this.status = span.status;
        this.message = span.message;
        this.component = span.component;
        this.project = span.project;
        this.environment = span.environment;
        this.namespace = span.namespace;
        this.pod = span.pod;
        this.operation = span.operation;
        this.hidden = span.hidden;
    }

    // Before it is arranged again.
    reset(): void {
        this.key = this.id;
        this.parent = -1;
        this.depth = this.last = this.children = this.self = this.critical = this.clock = 0;
        this.parts = undefined;
        this.skewed = this.origin = this.async = this.missing = false;
        this.orphan = this.cycle = this.duplicate = false;
    }
}

export interface ReadLog {
    at: number;
    timestamp: string;
    level: string;
    spanId: string; // "": of no span
    component: string;
    text: string;
}

type TreeSpan = Schemas["TraceTreeSpan"];

// Spans that the tree adds for parents that were not received are left out:
// arrange() adds them again.
export function readTreeSpans(spans: readonly TreeSpan[]): SpanNode[] {
    return spans
        .filter((span) => !span.missing)
        .map(
            (span) =>
                new SpanNode({
                    id: span.spanId,
                    parentId: span.parentSpanId ?? "",
                    name: span.spanName,
                    kind: span.spanKind ?? "",
                    start: span.offsetNs,
                    duration: span.durationNs,
                    failed: span.status.code === "error",
                    status: span.status.code,
                    message: span.status.message ?? "",
                    component: span.component ?? "",
                    project: span.project ?? "",
                    environment: span.environment ?? "",
                    namespace: span.namespace ?? "",
                    pod: span.podName ?? "",
                    operation: span.operation ?? "",
                    hidden: span.hidden === true,
                }),
        );
}

// Nanoseconds of timestamps after a base. Spans of a trace share few seconds, so
// the date is parsed once for each.
export function offsetReader(base: string): (timestamp: string) => number {
    const baseNs = nanoseconds(base);
    const seconds = new Map<string, number>();
    return (timestamp) => {
        const whole = timestamp.slice(0, 19);
        let at = seconds.get(whole);
        if (at === undefined) {
            at = Number(nanoseconds(whole + "Z") - baseNs);
            seconds.set(whole, at);
        }
        if (timestamp.length < 22) return at;
        return at + Number(timestamp.slice(20, -1).padEnd(9, "0").slice(0, 9));
    };
}

export function readPageSpans(
    spans: readonly Schemas["Span"][],
    offsetOf: (timestamp: string) => number,
): SpanNode[] {
    return spans.map(
        (span) =>
            new SpanNode({
                id: span.spanId,
                parentId: span.parentSpanId ?? "",
                name: span.spanName,
                kind: span.spanKind ?? "",
                start: offsetOf(span.startTime),
                duration: span.durationNs,
                failed: span.status.code === "error",
                status: span.status.code,
                message: span.status.message ?? "",
                component: span.component ?? "",
                project: span.project ?? "",
                environment: "",
                namespace: "",
                pod: "",
                operation: span.operation ?? "",
                hidden: span.spanName === "hidden" && span.component === undefined,
            }),
    );
}

type TreeLog = Schemas["TraceLog"];

function readLog(log: TreeLog, spanId: string): ReadLog {
    return {
        at: log.offsetNs,
        timestamp: log.timestamp,
        level: log.level,
        spanId,
        component: log.component ?? "",
        text: log.log,
    };
}

// All log records of the answer, by time.
export function readLogs(tree: Pick<Schemas["TraceTree"], "spans" | "logs">): ReadLog[] {
    const logs = tree.logs.map((log) => readLog(log, log.spanId ?? ""));
    for (const span of tree.spans) for (const log of span.logs ?? []) logs.push(readLog(log, span.spanId));
    return logs.sort((a, b) => a.at - b.at);
}
