// The rows of a trace over time. One of the rows has focus; only those in view are drawn.
import {
    forwardRef,
    useCallback,
    useEffect,
    useId,
    useImperativeHandle,
    useRef,
    useState,
    type KeyboardEvent,
} from "react";
import { formatSeconds } from "../format";
import { useVirtualRows } from "../parts/virtual_rows";
import { useWidth } from "../parts/width";
import type { SpanExtras } from "./ask_trace";
import type { Arranged } from "./arrange";
import { LogRow, SpanRow } from "./row";
import { isClosed, isLog, logOf, type Closed, type Row } from "./rows";
import type { ReadLog, SpanNode } from "./spans";
import { shareOf, ticks, type TimeWindow } from "./window";

const ROW = 28;
const ROW_NARROW = 46;
const NARROW = 640;

export interface WaterfallProps {
    arranged: Arranged;
    rows: readonly Row[];
    logs: readonly ReadLog[];
    bySpan: ReadonlyMap<string, readonly number[]>;
    extras: ReadonlyMap<string, SpanExtras> | undefined;
    window: TimeWindow;
    tone: (node: SpanNode) => number;
    closed: Closed;
    selected: string | undefined; // key of a span
    hits: ReadonlySet<number>;
    critical: boolean;
    onFold: (row: number, how?: "fold" | "unfold") => void;
    onSelect: (node: SpanNode | undefined) => void;
    onKey: (key: string, row: number) => boolean; // other keys of the view
}

export interface WaterfallHandle {
    // Brings a span into view and gives it focus.
    show: (row: number) => void;
    // The span that has it now.
    row: () => number;
    focus: () => void;
}

// Log records of a span as objects, the same ones each time.
function useLogLists(bySpan: WaterfallProps["bySpan"], logs: readonly ReadLog[]) {
    const cache = useRef(new WeakMap<readonly number[], ReadLog[]>());
    return useCallback(
        (id: string): ReadLog[] | undefined => {
            const list = bySpan.get(id);
            if (!list) return undefined;
            let found = cache.current.get(list);
            if (!found) {
                found = list.map((i) => logs[i]!);
                cache.current.set(list, found);
            }
            return found;
        },
        [bySpan, logs],
    );
}

function Axis(props: { window: TimeWindow; width: number }) {
    const marks = ticks(props.window, Math.max(2, props.width / 120));
    return (
        <div className="cb-trace-axis">
            {marks.map((at) => {
                const share = shareOf(props.window, at);
                return (
                    <span
                        key={at}
                        className={
                            share > 0.92 ? "cb-trace-axis-mark cb-trace-axis-last" : "cb-trace-axis-mark"
                        }
                        style={{ left: `${(share * 100).toFixed(3)}%` }}
                    >
                        {formatSeconds(at / 1e9)}
                    </span>
                );
            })}
        </div>
    );
}

export const Waterfall = forwardRef<WaterfallHandle, WaterfallProps>(function Waterfall(props, handle) {
    const { arranged, rows, onSelect, onFold } = props;
    const scroller = useRef<HTMLDivElement>(null);
    const name = useId();
    const width = useWidth(scroller);
    const narrow = width < NARROW;
    const height = narrow ? ROW_NARROW : ROW;
    const logsOf = useLogLists(props.bySpan, props.logs);
    const [focused, setFocused] = useState<Row>(0);
    const sizeOf = useCallback((index: number) => (isLog(rows[index]!) ? ROW : height), [rows, height]);
    const view = useVirtualRows({ scroller, count: rows.length, sizeOf, extra: 4 });
    const { show } = view;
    const current = Math.max(0, rows.indexOf(focused));

    const focusIndex = (index: number) => {
        const at = Math.max(0, Math.min(rows.length - 1, index));
        const row = rows[at];
        if (row === undefined) return;
        setFocused(row);
        show(at);
        if (props.selected !== undefined && !isLog(row)) onSelect(arranged.nodes[row]!);
    };
    const wanted = useRef<number>();
    const [asked, setAsked] = useState(0);
    useImperativeHandle(handle, () => ({
        show: (row) => {
            wanted.current = row;
            setAsked((count) => count + 1);
        },
        row: () => spanRow(current),
        focus: () => scroller.current?.focus({ preventScroll: true }),
    }));
    // After the rows above it have been unfolded.
    useEffect(() => {
        const index = wanted.current === undefined ? -1 : rows.indexOf(wanted.current);
        if (index < 0) return;
        setFocused(rows[index]!);
        show(index, "center");
        wanted.current = undefined;
    }, [rows, asked, show]);

    useEffect(() => {
        performance.mark("callboard-rows");
    }, [arranged]);

    // The row of a span for a row of the list: a log record's span.
    const spanRow = (index: number): number => {
        for (let i = index; i >= 0; i--) if (!isLog(rows[i]!)) return rows[i]!;
        return 0;
    };
    const left = () => {
        const row = spanRow(current);
        const node = arranged.nodes[row]!;
        if (!isLog(rows[current]!) && node.children > 0 && !isClosed(props.closed, node)) onFold(row, "fold");
        else if (isLog(rows[current]!)) focusIndex(rows.indexOf(row));
        else if (node.parent >= 0) focusIndex(rows.indexOf(node.parent));
    };
    const right = () => {
        const node = arranged.nodes[spanRow(current)]!;
        if (node.children > 0 && isClosed(props.closed, node)) onFold(spanRow(current), "unfold");
        else focusIndex(current + 1);
    };
    const page = () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / height) - 2);
    const steps: Record<string, () => void> = {
        ArrowDown: () => focusIndex(current + 1),
        ArrowUp: () => focusIndex(current - 1),
        j: () => focusIndex(current + 1),
        k: () => focusIndex(current - 1),
        Home: () => focusIndex(0),
        End: () => focusIndex(rows.length - 1),
        PageDown: () => focusIndex(current + page()),
        PageUp: () => focusIndex(current - page()),
        ArrowLeft: left,
        ArrowRight: right,
        Enter: () => onSelect(arranged.nodes[spanRow(current)]),
        Escape: () => onSelect(undefined),
    };
    const keyDown = (event: KeyboardEvent) => {
        if (event.ctrlKey || event.metaKey || event.altKey || rows.length === 0) return;
        const step = steps[event.key];
        if (step) step();
        else if (!props.onKey(event.key, spanRow(current))) return;
        event.preventDefault();
        event.stopPropagation();
    };
    const open = useCallback(
        (index: number, row: number) => {
            setFocused(rows[index]!);
            onSelect(arranged.nodes[row]!);
        },
        [rows, arranged, onSelect],
    );
    const openLog = useCallback(
        (index: number) => {
            const log = props.logs[logOf(rows[index]!)]!;
            const row = arranged.rowOf.get(log.spanId);
            setFocused(rows[index]!);
            if (row !== undefined) onSelect(arranged.nodes[row]!);
        },
        [rows, arranged, onSelect, props.logs],
    );
    const fold = useCallback((row: number) => onFold(row), [onFold]);

    return (
        <div
            ref={scroller}
            className={narrow ? "cb-waterfall cb-waterfall-narrow" : "cb-waterfall"}
            role="treegrid"
            tabIndex={0}
            aria-label="Spans over time"
            aria-rowcount={rows.length + 1}
            aria-activedescendant={rows.length > 0 ? `${name}-${current}` : undefined}
            onKeyDown={keyDown}
        >
            <div role="row" aria-rowindex={1} className="cb-span cb-span-head">
                <div role="columnheader">Component and span</div>
                <div
                    role="columnheader"
                    className="cb-span-bar"
                    aria-label="Time after the start of the trace"
                >
                    <Axis window={props.window} width={narrow ? width : width * 0.62} />
                </div>
            </div>
            <div role="rowgroup" className="cb-span-rows" style={{ height: view.height }}>
                {view.drawn.map((item) => {
                    const row = rows[item.index]!;
                    const place = {
                        id: `${name}-${item.index}`,
                        index: item.index,
                        top: item.start,
                        height: item.size,
                        window: props.window,
                        focused: item.index === current,
                    };
                    if (isLog(row)) {
                        const log = props.logs[logOf(row)]!;
                        const span = arranged.nodes[arranged.rowOf.get(log.spanId) ?? 0];
                        return (
                            <LogRow
                                key={row}
                                {...place}
                                log={log}
                                depth={span?.depth ?? 0}
                                onOpen={openLog}
                            />
                        );
                    }
                    const node = arranged.nodes[row]!;
                    return (
                        <SpanRow
                            key={row}
                            {...place}
                            node={node}
                            row={row}
                            tone={props.tone(node)}
                            closed={isClosed(props.closed, node)}
                            selected={node.key === props.selected}
                            hit={props.hits.has(row)}
                            critical={props.critical}
                            logs={logsOf(node.id)}
                            extras={props.extras?.get(node.id)}
                            onFold={fold}
                            onOpen={open}
                        />
                    );
                })}
            </div>
        </div>
    );
});
