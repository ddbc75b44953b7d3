// A table of any length: virtual rows, sorting, one row or cell of focus.
import {
    useCallback,
    useMemo,
    useRef,
    useState,
    type CSSProperties,
    type KeyboardEvent,
    type ReactNode,
} from "react";
import { useVirtualRows } from "./virtual_rows";
import { useWidth } from "./width";

export interface Column<Row> {
    id: string;
    title: string;
    // Widths as CSS grid tracks: "8rem", "minmax(10rem, 2fr)".
    width: string;
    cell: (row: Row) => ReactNode;
    // What it is sorted by; absent: it cannot be. Null and undefined come last.
    sortBy?: (row: Row) => string | number | null | undefined;
    align?: "end";
    // Not shown below this width of the table, in px.
    hiddenBelow?: number;
}

export interface Sort {
    column: string;
    descending: boolean;
}

// "-p99" and "name" of the address.
export function sortOf(text: string | undefined, initial: Sort): Sort {
    if (!text) return initial;
    return text.startsWith("-")
        ? { column: text.slice(1), descending: true }
        : { column: text, descending: false };
}

export function sortText(sort: Sort): string {
    return (sort.descending ? "-" : "") + sort.column;
}

function compare(a: string | number, b: string | number): number {
    return typeof a === "number" && typeof b === "number"
        ? a - b
        : String(a).localeCompare(String(b), "en", { numeric: true });
}

export function sortRows<Row>(
    rows: readonly Row[],
    columns: readonly Column<Row>[],
    sort: Sort | undefined,
): Row[] {
    const by = columns.find((column) => column.id === sort?.column)?.sortBy;
    if (!by) return [...rows];
    const sign = sort?.descending ? -1 : 1;
    return rows
        .map((row, index) => ({ row, index, key: by(row) }))
        .sort((a, b) => {
            if (a.key == null || b.key == null)
                return (a.key == null ? 1 : 0) - (b.key == null ? 1 : 0) || a.index - b.index;
            return sign * compare(a.key, b.key) || a.index - b.index;
        })
        .map((entry) => entry.row);
}

export interface DataTableProps<Row> {
    label: string;
    rows: readonly Row[];
    columns: readonly Column<Row>[];
    keyOf: (row: Row) => string;
    sort?: Sort;
    onSort?: (sort: Sort) => void;
    onOpen?: (row: Row) => void; // Enter, or a click beside a link
    onHover?: (row: Row | undefined) => void;
    selected?: string; // key of the row that is marked
    rowHeight?: number;
    height?: string; // CSS; absent: all rows are in the page (for short tables)
    empty?: ReactNode;
}

const ROW = 36;
// Shorter tables are drawn whole.
const WHOLE = 60;

function HeadCell<Row>(props: { column: Column<Row>; sort?: Sort; onSort?: (sort: Sort) => void }) {
    const { column, sort, onSort } = props;
    const active = sort?.column === column.id;
    const direction = active ? (sort.descending ? "descending" : "ascending") : undefined;
    const next = { column: column.id, descending: active ? !sort.descending : true };
    return (
        <div
            role="columnheader"
            aria-sort={direction}
            className={column.align === "end" ? "cb-end" : undefined}
        >
            {column.sortBy && onSort ? (
                <button type="button" className="cb-sort" onClick={() => onSort(next)}>
                    {column.title}
                    <span aria-hidden="true">{active ? (sort.descending ? " ▾" : " ▴") : ""}</span>
                </button>
            ) : (
                column.title
            )}
        </div>
    );
}

export function DataTable<Row>(props: DataTableProps<Row>) {
    const { rows, columns, keyOf, onOpen, rowHeight = ROW } = props;
    const scroller = useRef<HTMLDivElement>(null);
    const width = useWidth(scroller);
    const [focus, setFocus] = useState(0);
    const shown = useMemo(
        () => columns.filter((column) => width >= (column.hiddenBelow ?? 0)),
        [columns, width],
    );
    const sorted = useMemo(() => sortRows(rows, columns, props.sort), [rows, columns, props.sort]);
    const virtual = props.height !== undefined && sorted.length > WHOLE;
    const sizeOf = useCallback(() => rowHeight, [rowHeight]);
    const view = useVirtualRows({ scroller, count: sorted.length, sizeOf, extra: 12, enabled: virtual });
    const tracks = { "--cb-tracks": shown.map((column) => column.width).join(" ") } as CSSProperties;
    const current = Math.min(focus, Math.max(0, sorted.length - 1));

    const move = (to: number) => {
        const index = Math.max(0, Math.min(sorted.length - 1, to));
        setFocus(index);
        if (virtual) view.show(index);
        requestAnimationFrame(() =>
            scroller.current
                ?.querySelector<HTMLElement>(`[data-index="${index}"]`)
                ?.focus({ preventScroll: virtual }),
        );
    };
    const steps: Record<string, () => void> = {
        ArrowDown: () => move(current + 1),
        ArrowUp: () => move(current - 1),
        j: () => move(current + 1),
        k: () => move(current - 1),
        Home: () => move(0),
        End: () => move(sorted.length - 1),
        PageDown: () => move(current + 10),
        PageUp: () => move(current - 10),
        Enter: () => sorted[current] && onOpen?.(sorted[current]),
    };
    const keyDown = (event: KeyboardEvent) => {
        const target = event.target as HTMLElement;
        if (target.getAttribute("role") !== "row" || event.ctrlKey || event.metaKey || event.altKey) return;
        const step = steps[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        step();
    };

    const row = (item: Row, index: number, style?: CSSProperties) => (
        // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the grid handles the keys
        <div
            key={keyOf(item)}
            role="row"
            aria-rowindex={index + 2}
            aria-selected={props.selected === keyOf(item) || undefined}
            data-index={index}
            tabIndex={index === current ? 0 : -1}
            className={"cb-row" + (onOpen ? " cb-row-opens" : "")}
            style={style}
            onFocus={() => setFocus(index)}
            onMouseEnter={props.onHover && (() => props.onHover?.(item))}
            onMouseLeave={props.onHover && (() => props.onHover?.(undefined))}
            onClick={(event) => {
                if (!(event.target as HTMLElement).closest("a, button, input, label")) onOpen?.(item);
            }}
        >
            {shown.map((column) => (
                <div
                    key={column.id}
                    role="gridcell"
                    className={column.align === "end" ? "cb-cell cb-end" : "cb-cell"}
                >
                    {column.cell(item)}
                </div>
            ))}
        </div>
    );

    return (
        <div
            ref={scroller}
            className="cb-table"
            style={{ ...tracks, maxHeight: props.height }}
            role="grid"
            tabIndex={-1}
            aria-label={props.label}
            aria-rowcount={sorted.length + 1}
            onKeyDown={keyDown}
        >
            <div role="row" aria-rowindex={1} className="cb-row cb-row-head">
                {shown.map((column) => (
                    <HeadCell key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
                ))}
            </div>
            {sorted.length === 0 ? props.empty : null}
            {virtual ? (
                <div role="rowgroup" className="cb-rows" style={{ height: view.height }}>
                    {view.drawn.map((item) =>
                        row(sorted[item.index]!, item.index, {
                            transform: `translateY(${item.start}px)`,
                            height: rowHeight,
                        }),
                    )}
                </div>
            ) : (
                sorted.map((item, index) => row(item, index))
            )}
        </div>
    );
}
