// From the lines of a chart to the columns that uPlot draws.
import type { Line } from "./types";

// One column of uPlot: a line, its unfinished last step, or a layer of stacked bars.
export interface Column {
    line: number;
    part: "whole" | "unfinished" | "bars";
}

export interface Prepared {
    times: number[];
    columns: Column[];
    values: (number | null | undefined)[][];
}

type Cell = number | null | undefined;

// Times at which no line may go on, as nothing is known for more than two steps,
// are added, so that there is a place for the gap.
function withGaps(times: readonly number[], stepMs: number): { times: number[]; from: number[] } {
    const all: number[] = [];
    const from: number[] = []; // the index in "times", or -1
    times.forEach((at, i) => {
        const before = times[i - 1];
        if (before !== undefined && at - before > 2 * stepMs) {
            all.push(before + stepMs);
            from.push(-1);
        }
        all.push(at);
        from.push(i);
    });
    return { times: all, from };
}

// uPlot goes on over "undefined" and stops at null: a value that is missing
// between two that are at most two steps apart makes no gap.
function bridged(cells: Cell[], times: readonly number[], stepMs: number): Cell[] {
    const out = [...cells];
    let last = -1;
    cells.forEach((cell, i) => {
        if (cell == null) return;
        if (last >= 0 && i - last > 1 && times[i]! - times[last]! <= 2 * stepMs)
            out.fill(undefined, last + 1, i);
        last = i;
    });
    return out;
}

// Whether the last step reaches over the end of the range, so that more may come.
export function isUnfinished(times: readonly number[], stepMs: number, to: number): boolean {
    const last = times[times.length - 1];
    return last !== undefined && last + stepMs > to + 1;
}

function cutUnfinished(cells: Cell[]): { whole: Cell[]; unfinished: Cell[] } {
    const last = cells.length - 1;
    let joint = last - 1;
    while (joint > 0 && cells[joint] === undefined) joint--;
    return {
        whole: cells.map((cell, i) => (i === last ? null : cell)),
        unfinished: cells.map((cell, i) => (i >= joint ? (i > joint && i < last ? undefined : cell) : null)),
    };
}

// Layers from the highest to the lowest, so that each covers what is above its own share.
function stacked(lines: readonly { line: Line; index: number }[], from: readonly number[]) {
    const sums: number[] = from.map(() => 0);
    const layers = lines.map(({ line, index }) => ({
        column: { line: index, part: "bars" as const },
        values: from.map((source, i) => {
            if (source < 0) return null;
            sums[i] = sums[i]! + (line.values[source] ?? 0);
            return sums[i]!;
        }),
    }));
    return layers.reverse();
}

export function prepare(
    times: readonly number[],
    lines: readonly Line[],
    stepMs: number,
    to: number,
): Prepared {
    const grid = withGaps(times, stepMs);
    const unfinished = times.length > 1 && isUnfinished(times, stepMs, to);
    const indexed = lines.map((line, index) => ({ line, index }));
    const bars = stacked(
        indexed.filter(({ line }) => line.stacked),
        grid.from,
    );
    const columns: Column[] = bars.map((layer) => layer.column);
    const values: Cell[][] = bars.map((layer) => layer.values);
    for (const { line, index } of indexed) {
        if (line.stacked) continue;
        const cells = grid.from.map((source) => (source < 0 ? null : (line.values[source] ?? null)));
        const joined = bridged(cells, grid.times, stepMs);
        const whole = line.role === "before" || line.role === "limit" || !unfinished;
        const parts = whole ? { whole: joined, unfinished: joined } : cutUnfinished(joined);
        columns.push({ line: index, part: "whole" });
        values.push(parts.whole);
        if (whole) continue;
        columns.push({ line: index, part: "unfinished" });
        values.push(parts.unfinished);
    }
    return { times: grid.times, columns, values };
}

// The index of the time that is nearest, or -1.
export function nearest(times: readonly number[], at: number): number {
    let low = 0;
    let high = times.length - 1;
    if (high < 0) return -1;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (times[middle]! < at) low = middle + 1;
        else high = middle;
    }
    if (low > 0 && at - times[low - 1]! <= times[low]! - at) return low - 1;
    return low;
}

interface Point {
    timestamp: string;
    value?: number | null;
}

// Series of an answer on one grid: the times that any of them has, and each
// one's values there. "absent": what is not in a series that others are in
// (0 for counts and rates, which the server leaves out where they are 0).
export function onOneGrid(
    series: readonly (readonly Point[] | undefined)[],
    absent: number | null = null,
): { times: number[]; values: (number | null)[][] } {
    const at = new Set<number>();
    for (const points of series) for (const point of points ?? []) at.add(Date.parse(point.timestamp));
    const times = [...at].sort((a, b) => a - b);
    const place = new Map(times.map((time, i) => [time, i]));
    const values = series.map((points) => {
        const cells: (number | null)[] = times.map(() => absent);
        for (const point of points ?? [])
            cells[place.get(Date.parse(point.timestamp))!] = point.value ?? null;
        return cells;
    });
    return { times, values };
}
