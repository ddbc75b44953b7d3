// Of many rows, only those in view are drawn. The height of a row is known before,
// or a guess that is replaced when the row has been drawn; what the reader looks
// at does not move then.
import { useCallback, useEffect, useMemo, useRef, useState, type RefObject } from "react";
import { flushSync } from "react-dom";

type Key = string | number;

export interface VirtualRow {
    index: number;
    start: number; // px below the first row's top
    size: number;
}

export interface VirtualRows {
    drawn: readonly VirtualRow[];
    height: number; // of all rows
    // Scrolls as little as it needs to; "center": the row into the middle.
    show: (index: number, where?: "near" | "center") => void;
    // The ref of a row that has "data-index", if rows are not as high as was said.
    measure: (row: HTMLElement | null) => void;
    // Heights that were measured hold no longer.
    forget: () => void;
}

export interface VirtualRowsOptions {
    scroller: RefObject<HTMLElement | null>;
    count: number;
    // Both from useCallback, or the same each time.
    sizeOf: (index: number) => number;
    keyOf?: (index: number) => Key;
    extra?: number; // rows that are drawn beyond each end of the view
    enabled?: boolean;
}

const UNKNOWN_HEIGHT = 800; // of the view, before the layout is known

// starts[i]: where row i starts; starts[count]: the height of all.
function startsOf(count: number, sizeOf: (index: number) => number): Float64Array {
    const starts = new Float64Array(count + 1);
    for (let i = 0; i < count; i++) starts[i + 1] = starts[i]! + sizeOf(i);
    return starts;
}

// The row at a height: the last that starts at it or above.
export function rowAt(starts: Float64Array, at: number): number {
    let low = 0;
    let high = Math.max(0, starts.length - 2);
    while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= at) low = middle;
        else high = middle - 1;
    }
    return low;
}

interface View {
    top: number;
    height: number;
}

// Where the view is. Told only when other rows come into it.
function useView(
    scroller: RefObject<HTMLElement | null>,
    starts: { current: Float64Array },
    enabled: boolean,
) {
    const [view, setView] = useState<View>({ top: 0, height: UNKNOWN_HEIGHT });
    useEffect(() => {
        const element = scroller.current;
        if (!enabled || !element) return;
        const look = () => {
            const next = { top: element.scrollTop, height: element.clientHeight || UNKNOWN_HEIGHT };
            setView((old) => {
                const [first, last] = [old, next].map(({ top }) => rowAt(starts.current, top));
                return first === last && old.height === next.height ? old : next;
            });
        };
        look();
        element.addEventListener("scroll", look, { passive: true });
        const observer = new ResizeObserver(look);
        observer.observe(element);
        return () => {
            element.removeEventListener("scroll", look);
            observer.disconnect();
        };
    }, [scroller, starts, enabled]);
    return view;
}

// Tells the heights of rows when they have been drawn and when they change.
function useMeasured(onSizes: (sizes: readonly { index: number; size: number }[]) => void) {
    const [observer] = useState(
        () =>
            new ResizeObserver((entries) => {
                const sizes = entries.flatMap(({ target, borderBoxSize }) => {
                    const size = borderBoxSize?.[0]?.blockSize ?? 0;
                    const index = Number((target as HTMLElement).dataset.index);
                    return target.isConnected && size > 0 ? [{ index, size }] : [];
                });
                latest.current(sizes);
            }),
    );
    const latest = useRef(onSizes);
    latest.current = onSizes;
    const seen = useRef(new Set<HTMLElement>());
    const measure = useCallback(
        (row: HTMLElement | null) => {
            for (const old of seen.current)
                if (!old.isConnected) {
                    observer.unobserve(old);
                    seen.current.delete(old);
                }
            if (!row || seen.current.has(row)) return;
            seen.current.add(row);
            observer.observe(row);
        },
        [observer],
    );
    useEffect(() => () => observer.disconnect(), [observer]);
    return measure;
}

// The height of a head that stays in view above the rows.
function headOf(scroller: HTMLElement): number {
    const rows = scroller.querySelector<HTMLElement>("[role=rowgroup]");
    return rows && rows.offsetParent === scroller ? rows.offsetTop : 0;
}

export function useVirtualRows(options: VirtualRowsOptions): VirtualRows {
    const { scroller, count, sizeOf, keyOf, extra = 10, enabled = true } = options;
    const sizes = useRef(new Map<Key, number>());
    const [version, setVersion] = useState(0);
    const keyAt = useCallback((index: number): Key => (keyOf ? keyOf(index) : index), [keyOf]);
    const starts = useMemo(
        () => startsOf(count, (index) => sizes.current.get(keyAt(index)) ?? sizeOf(index)),
        // "version" is that of the sizes.
        // eslint-disable-next-line react-hooks/exhaustive-deps
        [count, sizeOf, keyAt, version],
    );
    const latest = useRef(starts);
    latest.current = starts;
    const { top, height } = useView(scroller, latest, enabled);

    // What is above the view grows upwards. A row that begins above it does so
    // when it is first known, and grows downwards when the reader opens it.
    const grown = (index: number, first: boolean) => {
        const edge = scroller.current?.scrollTop ?? 0;
        return first ? starts[index]! < edge : starts[index + 1]! <= edge;
    };
    const measure = useMeasured((measured) => {
        let above = 0;
        let changed = false;
        for (const { index, size } of measured) {
            if (index >= count) continue;
            const key = keyAt(index);
            const old = sizes.current.get(key);
            const more = size - (old ?? sizeOf(index));
            sizes.current.set(key, size);
            if (Math.abs(more) < 0.5) continue;
            changed = true;
            if (grown(index, old === undefined)) above += more;
        }
        if (!changed) return;
        // Before the frame is painted.
        flushSync(() => setVersion((old) => old + 1));
        if (above !== 0 && scroller.current) scroller.current.scrollTop += above;
    });
    const forget = useCallback(() => {
        sizes.current.clear();
        setVersion((old) => old + 1);
    }, []);

    const show = useCallback(
        (index: number, where: "near" | "center" = "near") => {
            const element = scroller.current;
            if (!element) return;
            const [start, end] = [latest.current[index] ?? 0, latest.current[index + 1] ?? 0];
            const seen = element.clientHeight - headOf(element);
            if (where === "center") element.scrollTop = (start + end - seen) / 2;
            else if (start < element.scrollTop) element.scrollTop = start;
            else if (end > element.scrollTop + seen) element.scrollTop = end - seen;
        },
        [scroller],
    );

    const drawn = useMemo(() => {
        if (!enabled || count === 0) return [];
        const first = Math.max(0, rowAt(starts, top) - extra);
        const last = Math.min(count - 1, rowAt(starts, top + height) + extra);
        return Array.from({ length: last - first + 1 }, (_, i): VirtualRow => {
            const index = first + i;
            return { index, start: starts[index]!, size: starts[index + 1]! - starts[index]! };
        });
    }, [enabled, count, starts, top, height, extra]);
    return { drawn, height: starts[count]!, show, measure, forget };
}
