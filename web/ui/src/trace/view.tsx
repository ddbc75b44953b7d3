// The view of a trace that has been read: holds what is chosen (all of it is in the
// address) and joins the parts.
import { useCallback, useEffect, useMemo, useRef } from "react";
import { useSetParams } from "../address";
import { formatCount, shownName } from "../format";
import { usePlace } from "../host";
import { Check, Choice } from "../parts/choice";
import { PageLink } from "../parts/marks";
import { Notice } from "../states";
import { arrange, type Arranged } from "./arrange";
import type { SpanNode } from "./spans";
import { useAllSpans, useSpanExtras, type ReadTrace } from "./ask_trace";
import { componentShares, toneOf } from "./colours";
import { Findings } from "./findings";
import { Flame } from "./flame";
import { aroundTrace, TraceHead } from "./head";
import { TimeList } from "./list";
import { Minimap } from "./minimap";
import { usePageKeys } from "./page_keys";
import { SpanPanel } from "./panel";
import {
    closedAbove,
    closedOf,
    closedText,
    findSpans,
    isClosed,
    logsBySpan,
    nextOf,
    toggleClosed,
    visibleRows,
    type Closed,
    type Only,
} from "./rows";
import { Find, Legend, OnlyChoice, PICTURES, type Picture } from "./toolbar";
import { TraceError } from "./trace_error";
import { Waterfall, type WaterfallHandle } from "./waterfall";
import { windowOfText, windowText, type TimeWindow } from "./window";

// What is chosen, from the address.
function useChoices() {
    const { params } = usePlace();
    const only: Only = params.only === "failed" || params.only === "critical" ? params.only : "all";
    const picture: Picture = params.view === "list" || params.view === "flame" ? params.view : "time";
    const closed = useMemo(() => closedOf(params.closed), [params.closed]);
    return {
        span: params.span,
        find: params.find ?? "",
        only,
        picture,
        closed,
        zoom: params.zoom,
        critical: params.critical !== "0",
        logs: params.logs !== "0",
    };
}

function useFound(
    arranged: Arranged,
    trace: ReadTrace,
    find: string,
    extras: ReturnType<typeof useSpanExtras>,
) {
    const bySpan = useMemo(() => logsBySpan(trace.logs), [trace.logs]);
    const hits = useMemo(
        () => findSpans(arranged, find, { logs: trace.logs, bySpan, extras }),
        [arranged, find, trace.logs, bySpan, extras],
    );
    const hitSet = useMemo(() => new Set(hits), [hits]);
    return { bySpan, hits, hitSet };
}

// How long it took is in the timeline of the browser's tools, beside when rows were shown.
function measuredArrange(spans: readonly SpanNode[]): Arranged {
    const start = performance.now();
    const arranged = arrange(spans);
    performance.measure("callboard-arrange", { start, end: performance.now() });
    return arranged;
}

// What is not in the picture, and why.
function LargeTrace(props: { trace: ReadTrace; all: ReturnType<typeof useAllSpans> }) {
    const { found } = props.trace;
    const { omitted, summary } = found;
    return (
        <>
            {omitted.spans > 0 && !props.all.data ? (
                props.all.error ? (
                    <TraceError error={props.all.error} again={() => void props.all.refetch()} />
                ) : (
                    <Notice
                        kind="note"
                        title={`The ${formatCount(summary.spanCount - omitted.spans)} most important spans are shown; the others of ${formatCount(summary.spanCount)} are on their way.`}
                    />
                )
            ) : null}
            {omitted.unreadSpans > 0 ? (
                <Notice
                    kind="note"
                    title={`The trace has ${formatCount(omitted.unreadSpans)} more spans than are read of one trace.`}
                />
            ) : null}
            {omitted.logs > 0 ? (
                <Notice
                    kind="note"
                    title={`${formatCount(omitted.logs)} more log records are not shown here; warnings and errors are shown first.`}
                >
                    <PageLink
                        page="logs"
                        params={{
                            ns: found.namespace,
                            project: undefined,
                            component: undefined,
                            trace: found.traceId,
                            ...aroundTrace(found),
                        }}
                    >
                        All log records of this trace
                    </PageLink>
                </Notice>
            ) : null}
            {(found.withheld ?? []).includes("logs") ? (
                <Notice kind="note" title="You may not see the log records of this trace." />
            ) : null}
            {(found.otherNamespaces ?? []).length > 0 ? (
                <Notice
                    kind="note"
                    title="Other namespaces have spans with the same trace id, which are not connected to these."
                >
                    {found.otherNamespaces!.map((namespace) => (
                        <PageLink key={namespace} page="trace" params={{ ns: namespace, id: found.traceId }}>
                            {shownName(namespace)}{" "}
                        </PageLink>
                    ))}
                </Notice>
            ) : null}
        </>
    );
}

// Changes of what is chosen.
function useChanges(arranged: Arranged, closed: Closed, selected: string | undefined) {
    const set = useSetParams();
    const select = useCallback(
        (node: SpanNode | undefined) =>
            set({ span: node?.key }, selected === undefined && node ? "step" : "replace"),
        [set, selected],
    );
    const fold = useCallback(
        (row: number, how?: "fold" | "unfold") => {
            const node = arranged.nodes[row]!;
            if (how !== undefined && isClosed(closed, node) === (how === "fold")) return;
            set({ closed: closedText(toggleClosed(closed, [node])) }, "replace");
        },
        [set, arranged, closed],
    );
    const zoom = useCallback(
        (window: TimeWindow | undefined) => set({ zoom: window && windowText(window, arranged.end) }),
        [set, arranged],
    );
    const find = useCallback((text: string) => set({ find: text || undefined }, "replace"), [set]);
    return { set, select, fold, zoom, find };
}

export function TraceView({ trace }: { trace: ReadTrace }) {
    const { found, logs } = trace;
    const all = useAllSpans(trace);
    const extras = useSpanExtras(trace);
    const arranged = useMemo(() => measuredArrange(all.data ?? trace.spans), [all.data, trace.spans]);
    const shares = useMemo(() => componentShares(arranged), [arranged]);
    const tone = useMemo(() => toneOf(shares), [shares]);
    const choices = useChoices();
    const { span, only, closed, picture } = choices;
    const { set, select, fold, zoom, find } = useChanges(arranged, closed, span);
    const { bySpan, hits, hitSet } = useFound(arranged, trace, choices.find, extras);
    const shownLogs = choices.logs && picture === "time" ? bySpan : undefined;
    const rows = useMemo(
        () => visibleRows(arranged, { closed, only, logs: shownLogs }),
        [arranged, closed, only, shownLogs],
    );
    const window = useMemo(() => windowOfText(choices.zoom, arranged.end), [choices.zoom, arranged.end]);
    const waterfall = useRef<WaterfallHandle>(null);
    const findInput = useRef<HTMLInputElement>(null);
    const selected = span === undefined ? undefined : arranged.nodes[arranged.rowOf.get(span) ?? -1];
    const current = useRef(0);

    // Unfolds what hides a row, and brings it into view.
    const show = useCallback(
        (row: number, open: boolean) => {
            current.current = row;
            const above = closedAbove(arranged, closed, row);
            const changes: Record<string, string | undefined> = {};
            if (above.length > 0) changes.closed = closedText(toggleClosed(closed, above));
            if (open) changes.span = arranged.nodes[row]!.key;
            if (Object.keys(changes).length > 0) set(changes, "replace");
            waterfall.current?.show(row);
        },
        [arranged, closed, set],
    );
    // A span in the address is in view when the page opens.
    const opened = useRef(false);
    useEffect(() => {
        const row = span === undefined ? undefined : arranged.rowOf.get(span);
        if (opened.current) return;
        opened.current = true;
        if (row !== undefined) show(row, false);
    }, [span, arranged, show]);

    const now = () => waterfall.current?.row() ?? current.current;
    const nextHit = (back: boolean, from: number = now()) => {
        const row = nextOf(hits, from, back);
        if (row !== undefined) show(row, span !== undefined);
    };
    const nextFailed = (from: number) => {
        const failed = arranged.nodes.flatMap((node, row) => (node.failed ? [row] : []));
        const row = nextOf(failed, from, false);
        if (row !== undefined) show(row, span !== undefined);
    };
    const onKey = (key: string, row: number): boolean => {
        const keys: Record<string, () => void> = {
            n: () => nextHit(false, row),
            N: () => nextHit(true, row),
            "!": () => nextFailed(row),
            c: () => set({ critical: choices.critical ? "0" : undefined }, "replace"),
            f: () => findInput.current?.focus(),
        };
        keys[key]?.();
        return key in keys;
    };
    usePageKeys((key) => {
        if (!onKey(key, now())) return false;
        if (key !== "f" && key !== "c") waterfall.current?.focus();
        return true;
    });
    const openSpan = (id: string) => {
        const row = arranged.rowOf.get(id);
        if (row !== undefined) show(row, true);
    };
    return (
        <div className="cb-trace">
            <TraceHead found={found} />
            <Findings found={found} onSpan={openSpan} />
            <LargeTrace trace={trace} all={all} />
            <Minimap arranged={arranged} tone={tone} window={window} onWindow={zoom} />
            <Legend shares={shares} onFind={find} />
            <div className="cb-toolbar" role="toolbar" aria-label="Spans">
                <Choice
                    label="Picture"
                    options={PICTURES}
                    value={picture}
                    onChange={(view) => set({ view: view === "time" ? undefined : view })}
                />
                <Find
                    text={choices.find}
                    count={hits.length}
                    inputRef={findInput}
                    onText={find}
                    onNext={(back) => nextHit(back)}
                />
                <OnlyChoice
                    only={only}
                    failed={found.summary.errorCount}
                    onOnly={(value) => set({ only: value === "all" ? undefined : value })}
                />
                {picture === "time" ? (
                    <>
                        <Check
                            checked={choices.critical}
                            title="What its caller waited for, under the bars (c)"
                            onChange={(on) => set({ critical: on ? undefined : "0" }, "replace")}
                        >
                            Critical path
                        </Check>
                        <Check
                            checked={choices.logs}
                            onChange={(on) => set({ logs: on ? undefined : "0" }, "replace")}
                        >
                            Logs
                        </Check>
                        <button
                            type="button"
                            className="cb-button"
                            onClick={() => set({ closed: "d1" }, "replace")}
                        >
                            Fold all
                        </button>
                        <button
                            type="button"
                            className="cb-button"
                            disabled={closedText(closed) === undefined}
                            onClick={() => set({ closed: undefined }, "replace")}
                        >
                            Unfold all
                        </button>
                    </>
                ) : null}
            </div>
            <div className={selected ? "cb-trace-body cb-trace-split" : "cb-trace-body"}>
                <div className="cb-trace-picture">
                    {picture === "time" ? (
                        <Waterfall
                            ref={waterfall}
                            arranged={arranged}
                            rows={rows}
                            logs={logs}
                            bySpan={bySpan}
                            extras={extras}
                            window={window}
                            tone={tone}
                            closed={closed}
                            selected={span}
                            hits={hitSet}
                            critical={choices.critical}
                            onFold={fold}
                            onSelect={select}
                            onKey={onKey}
                        />
                    ) : picture === "list" ? (
                        <TimeList
                            find={choices.find}
                            hits={hitSet}
                            arranged={arranged}
                            rows={rows}
                            logs={logs}
                            tone={tone}
                            selected={span}
                            onSelect={select}
                        />
                    ) : (
                        <Flame arranged={arranged} tone={tone} onSelect={select} />
                    )}
                </div>
                {selected ? (
                    <SpanPanel
                        key={selected.key}
                        found={found}
                        node={selected}
                        logs={(bySpan.get(selected.id) ?? []).map((i) => logs[i]!)}
                        onClose={() => select(undefined)}
                    />
                ) : null}
            </div>
            <p className="cb-quiet cb-trace-keys">
                Keys: n and N next and previous found, ! next failed, c critical path, f find. In the rows: ↑
                ↓ move, ← → fold and unfold, Enter opens, Esc closes.
            </p>
        </div>
    );
}
