// From the series of the answer to the lines of charts: one list of times, a
// value or a gap for each.
import type { Line, Marker } from "../charts/types";
import type { Change, ComponentPage } from "./page_data";
import { formatSeconds, shownName } from "../format";
import type { Dot } from "../charts/types";

type Points = readonly { timestamp: string; value: number | null }[];
export type Series = ComponentPage["series"];

export function timesOf(...all: readonly Points[]): number[] {
    const times = new Set<number>();
    for (const points of all) for (const { timestamp } of points) times.add(Date.parse(timestamp));
    return [...times].sort((a, b) => a - b);
}

export function valuesAt(times: readonly number[], points: Points): (number | null)[] {
    const known = new Map(points.map(({ timestamp, value }) => [Date.parse(timestamp), value]));
    return times.map((at) => known.get(at) ?? null);
}

// What was at "shift" before each time, as near as half a step.
export function valuesBefore(
    times: readonly number[],
    points: Points,
    shift: number,
    stepMs: number,
): (number | null)[] {
    const known = points.map(({ timestamp, value }) => ({ at: Date.parse(timestamp) + shift, value }));
    let next = 0;
    return times.map((at) => {
        while (next < known.length && known[next]!.at < at - stepMs / 2) next++;
        const point = known[next];
        return point && point.at <= at + stepMs / 2 ? point.value : null;
    });
}

// Failed requests as a share of all. Steps without a failed one are not in the series.
export function shareOf(part: Points, requests: Points): { timestamp: string; value: number | null }[] {
    const known = new Map(part.map(({ timestamp, value }) => [timestamp, value]));
    return requests.map(({ timestamp, value }) => ({
        timestamp,
        value: value ? Math.min(1, (known.get(timestamp) ?? 0) / value) : null,
    }));
}

export const lastOf = (points: Points): number | null => points.at(-1)?.value ?? null;

export interface ChartLines {
    times: number[];
    lines: Line[];
}

interface Source {
    name: string;
    role: Line["role"];
    of: (series: Series) => Points;
    fill?: boolean;
}

// "before" is drawn of the first source only.
export function chartLines(
    sources: readonly Source[],
    series: Series,
    before: { series: Series; shift: number; name: string } | undefined,
    stepMs: number,
): ChartLines {
    const present = sources.filter((source) => of(source, series).length > 0);
    const times = timesOf(...present.map((source) => of(source, series)));
    const lines: Line[] = present.map(({ name, role, fill, of: points }) => ({
        name,
        role,
        fill,
        values: valuesAt(times, points(series)),
    }));
    const [first] = present;
    if (before && first) {
        const values = valuesBefore(times, first.of(before.series), before.shift, stepMs);
        if (values.some((value) => value !== null)) lines.push({ name: before.name, role: "before", values });
    }
    return { times, lines };
}

const of = (source: Source, series: Series) => source.of(series);

// A rollout brings a dozen Normal events: only what says that something is another.
export function markersOf(changes: readonly Change[]): Marker[] {
    return changes.flatMap((change): Marker[] => {
        const at = Date.parse(change.timestamp);
        const text = shownName(changeText(change));
        if (change.kind === "kubernetes")
            return change.type === "Warning" ? [{ at, kind: "warning", text }] : [];
        if (change.kind === "release") return [];
        return [{ at, kind: change.kind, text }];
    });
}

const KINDS: Record<Change["kind"], string> = {
    version: "version",
    image: "image",
    "pod-template": "pod template",
    release: "release",
    kubernetes: "event",
};

export function changeText(change: Change): string {
    const { kind, from, to, message } = change;
    if (kind === "kubernetes" || kind === "release" || (!from && !to)) return message;
    return from ? `${KINDS[kind]} ${from} → ${to ?? "none"}` : `${KINDS[kind]} ${to ?? ""}`;
}

// Slow and failed traces as dots on the latency.
export function dotsOf(traces: ComponentPage["traces"], from: number, to: number): Dot[] {
    const found = traces?.exemplars ?? [
        ...(traces?.slowest ?? []).map((trace) => ({ ...trace, failed: false })),
        ...(traces?.failed ?? []).map((trace) => ({ ...trace, failed: true })),
    ];
    const dots = new Map<string, Dot>();
    for (const { timestamp, duration, failed, traceId, operation } of found) {
        const at = Date.parse(timestamp);
        if (at < from || at > to) continue;
        const text = `${failed ? "failed" : "slow"}: ${shownName(operation)}, ${formatSeconds(duration)}`;
        dots.set(traceId, {
            at,
            value: duration,
            failed: failed || (dots.get(traceId)?.failed ?? false),
            traceId,
            text,
        });
    }
    return [...dots.values()];
}
