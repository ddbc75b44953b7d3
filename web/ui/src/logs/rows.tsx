// The list of log lines: virtual rows of any height, one focused, one opened.
// While it follows, its end stays in view; rows that arrive move nothing else.
import {
    useCallback,
    useEffect,
    useLayoutEffect,
    useRef,
    useState,
    type KeyboardEvent,
    type ReactNode,
    type RefObject,
} from "react";
import type { LogEntry } from "./filters";
import { useVirtualRows } from "../parts/virtual_rows";
import { LineCells } from "./line";

export interface LogRow {
    key: string | number;
    log: LogEntry;
}

export interface LogRowsProps {
    label: string;
    rows: readonly LogRow[];
    total: number; // -1: not known
    columns: readonly string[];
    wrap: boolean;
    showComponent: boolean;
    opened?: LogRow["key"];
    onOpen: (row: LogRow | undefined) => void;
    details: (row: LogRow) => ReactNode;
    onEnd?: () => void; // the last rows are near
    follow?: boolean;
    onScrolledAway?: () => void;
    onScrolledToEnd?: () => void;
    footer?: ReactNode;
}

const ROW_HEIGHT = 26;
const guess = () => ROW_HEIGHT;
const NEAR_END = 15;
const AWAY_PX = 40;

// Keeps the end in view, and tells when the reader leaves or reaches it.
function useFollow(scroller: RefObject<HTMLDivElement | null>, props: LogRowsProps, size: number) {
    const { follow, onScrolledAway, onScrolledToEnd } = props;
    const last = useRef(0);
    useLayoutEffect(() => {
        const element = scroller.current;
        if (!follow || !element) return;
        element.scrollTop = element.scrollHeight;
        last.current = element.scrollTop;
    }, [follow, scroller, size, props.rows]);
    return () => {
        const element = scroller.current;
        if (!element || follow === undefined) return;
        const { scrollTop } = element;
        const below = element.scrollHeight - scrollTop - element.clientHeight;
        if (follow && scrollTop < last.current && below > AWAY_PX) onScrolledAway?.();
        if (!follow && scrollTop > last.current && below < 2) onScrolledToEnd?.();
        last.current = scrollTop;
    };
}

export function LogRows(props: LogRowsProps) {
    const { rows, opened, onOpen, onEnd } = props;
    const scroller = useRef<HTMLDivElement>(null);
    const [focus, setFocus] = useState(0);
    const keyOf = useCallback((index: number) => rows[index]?.key ?? index, [rows]);
    const view = useVirtualRows({ scroller, count: rows.length, sizeOf: guess, keyOf });
    const { show, forget } = view;
    const onScroll = useFollow(scroller, props, view.height);
    const lastIndex = view.drawn.at(-1)?.index ?? -1;
    useEffect(() => {
        if (lastIndex >= rows.length - NEAR_END) onEnd?.();
    }, [lastIndex, rows.length, onEnd]);
    // Heights are other ones when lines are wrapped or columns come.
    useEffect(forget, [forget, props.wrap]);

    const current = Math.min(focus, Math.max(0, rows.length - 1));
    const move = (to: number) => {
        const index = Math.max(0, Math.min(rows.length - 1, to));
        setFocus(index);
        show(index);
        requestAnimationFrame(() =>
            scroller.current
                ?.querySelector<HTMLElement>(`[data-index="${index}"] > [role=row]`)
                ?.focus({ preventScroll: true }),
        );
    };
    const toggle = (row: LogRow | undefined) => row && onOpen(row.key === opened ? undefined : row);
    const steps: Record<string, () => void> = {
        ArrowDown: () => move(current + 1),
        ArrowUp: () => move(current - 1),
        j: () => move(current + 1),
        k: () => move(current - 1),
        Home: () => move(0),
        End: () => move(rows.length - 1),
        PageDown: () => move(current + 20),
        PageUp: () => move(current - 20),
        Enter: () => toggle(rows[current]),
        " ": () => toggle(rows[current]),
    };
    const keyDown = (event: KeyboardEvent) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "Escape" && opened !== undefined) {
            event.stopPropagation();
            onOpen(undefined);
            move(current);
            return;
        }
        const target = event.target as HTMLElement;
        const step = target.dataset.line !== undefined ? steps[event.key] : undefined;
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        step();
    };
    const click = (row: LogRow, target: EventTarget) => {
        if ((target as HTMLElement).closest("a, button, input")) return;
        // Text that was just marked is not to be folded away.
        if (document.getSelection()?.type === "Range") return;
        toggle(row);
    };

    return (
        <div
            ref={scroller}
            className={"cb-log-rows" + (props.wrap ? " cb-log-wrap" : "")}
            role="treegrid"
            tabIndex={-1}
            aria-label={props.label}
            aria-rowcount={props.total}
            onKeyDown={keyDown}
            onScroll={onScroll}
        >
            <div role="rowgroup" className="cb-log-sizer" style={{ height: view.height }}>
                {view.drawn.map((item) => {
                    const row = rows[item.index]!;
                    const isOpen = row.key === opened;
                    return (
                        <div
                            key={row.key}
                            role="none"
                            ref={view.measure}
                            data-index={item.index}
                            className="cb-log-item"
                            style={{ transform: `translateY(${item.start}px)` }}
                        >
                            {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the grid handles the keys */}
                            <div
                                role="row"
                                data-line=""
                                aria-rowindex={item.index + 1}
                                aria-level={1}
                                aria-expanded={isOpen}
                                tabIndex={item.index === current ? 0 : -1}
                                className={`cb-log-row cb-log-row-${(row.log.level ?? "none").toLowerCase()}`}
                                onFocus={() => setFocus(item.index)}
                                onClick={(event) => click(row, event.target)}
                            >
                                <LineCells
                                    log={row.log}
                                    columns={props.columns}
                                    wrap={props.wrap}
                                    showComponent={props.showComponent}
                                />
                            </div>
                            {isOpen ? (
                                <div role="row" aria-level={2} className="cb-log-opened">
                                    <div role="gridcell">{props.details(row)}</div>
                                </div>
                            ) : null}
                        </div>
                    );
                })}
            </div>
            {props.footer}
        </div>
    );
}
