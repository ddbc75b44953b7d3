// Which rows of an arranged trace are shown, and what is found in it.
import type { Arranged } from "./arrange";
import type { SpanExtras } from "./ask_trace";
import type { ReadLog, SpanNode } from "./spans";

export type Only = "all" | "failed" | "critical";

// A row: a span by its row in the tree, or a log record by its place, as -1 - place.
export type Row = number;
export const logRow = (log: number): Row => -1 - log;
export const isLog = (row: Row): boolean => row < 0;
export const logOf = (row: Row): number => -1 - row;

// Folded spans in the address: "d3" folds from depth 3 on; ids turn that over for one span.
export interface Closed {
    depth: number | undefined;
    ids: ReadonlySet<string>;
}

export function closedOf(text: string | undefined): Closed {
    const parts = (text ?? "").split(",").filter(Boolean);
    const depth = parts.map((part) => /^d(\d{1,5})$/.exec(part)?.[1]).find((found) => found !== undefined);
    return {
        depth: depth === undefined ? undefined : Number(depth),
        ids: new Set(parts.filter((part) => !/^d\d{1,5}$/.test(part))),
    };
}

export function closedText(closed: Closed): string | undefined {
    const parts = closed.depth === undefined ? [] : [`d${closed.depth}`];
    return [...parts, ...closed.ids].join(",") || undefined;
}

export function isClosed(closed: Closed, node: SpanNode): boolean {
    if (node.children === 0) return false;
    return closed.ids.has(node.key) !== (closed.depth !== undefined && node.depth >= closed.depth);
}

export function toggleClosed(closed: Closed, nodes: readonly SpanNode[]): Closed {
    const ids = new Set(closed.ids);
    for (const node of nodes) if (!ids.delete(node.key)) ids.add(node.key);
    return { depth: closed.depth, ids };
}

// What "only" leaves, with the spans above it.
function keptRows(nodes: readonly SpanNode[], only: Only): Uint8Array | undefined {
    if (only === "all") return undefined;
    const kept = new Uint8Array(nodes.length);
    for (let i = nodes.length; i-- > 0; ) {
        const node = nodes[i]!;
        if (only === "failed" ? node.failed : node.parts !== undefined) kept[i] = 1;
        if (kept[i] && node.parent >= 0) kept[node.parent] = 1;
    }
    return kept;
}

// Log records by span id, in their order.
export function logsBySpan(logs: readonly ReadLog[]): Map<string, number[]> {
    const found = new Map<string, number[]>();
    logs.forEach((log, i) => {
        const list = found.get(log.spanId);
        if (list) list.push(i);
        else found.set(log.spanId, [i]);
    });
    return found;
}

export function visibleRows(
    arranged: Arranged,
    options: { closed: Closed; only: Only; logs: ReadonlyMap<string, readonly number[]> | undefined },
): Row[] {
    const { nodes } = arranged;
    const kept = keptRows(nodes, options.only);
    const rows: Row[] = [];
    for (let i = 0; i < nodes.length; ) {
        const node = nodes[i]!;
        if (kept && !kept[i]) {
            i = node.last + 1;
            continue;
        }
        rows.push(i);
        const logs = node.key === node.id ? options.logs?.get(node.id) : undefined;
        for (const log of logs ?? []) rows.push(logRow(log));
        i = isClosed(options.closed, node) ? node.last + 1 : i + 1;
    }
    return rows;
}

// The folded spans above a row, from the top.
export function closedAbove(arranged: Arranged, closed: Closed, row: number): SpanNode[] {
    const found: SpanNode[] = [];
    for (let at = arranged.nodes[row]!.parent; at >= 0; at = arranged.nodes[at]!.parent)
        if (isClosed(closed, arranged.nodes[at]!)) found.push(arranged.nodes[at]!);
    return found.reverse();
}

// ---- Find ----

// Spans that have a text: in their names, ids, messages, attributes, or log records.
export function findSpans(
    arranged: Arranged,
    text: string,
    parts: {
        logs: readonly ReadLog[];
        bySpan: ReadonlyMap<string, readonly number[]>;
        extras: ReadonlyMap<string, SpanExtras> | undefined;
    },
): number[] {
    const wanted = text.trim().toLowerCase();
    if (wanted === "") return [];
    const has = (candidate: string) => candidate.toLowerCase().includes(wanted);
    const found: number[] = [];
    arranged.nodes.forEach((node, row) => {
        if (
            has(node.name) ||
            has(node.component) ||
            has(node.operation) ||
            (node.message !== "" && has(node.message)) ||
            node.id.startsWith(wanted) ||
            has(parts.extras?.get(node.id)?.text ?? "") ||
            (parts.bySpan.get(node.id) ?? []).some((log) => has(parts.logs[log]!.text))
        )
            found.push(row);
    });
    return found;
}

// The next of some rows after (or before) a row; around the end it begins again.
export function nextOf(rows: readonly number[], from: number, back: boolean): number | undefined {
    if (rows.length === 0) return undefined;
    const at = rows.findIndex((row) => (back ? row >= from : row > from));
    if (back) return rows[at <= 0 ? rows.length - 1 : at - 1];
    return rows[at < 0 ? 0 : at];
}
