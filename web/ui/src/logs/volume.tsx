// How many lines there were, by time and level, with the changes of the time.
import { useMemo } from "react";
import { useSetParams } from "../address";
import { useTimeAxis } from "../charts/time_axis";
import { TimeChart } from "../charts/time_chart";
import type { Line, Marker } from "../charts/types";
import type { Schemas } from "../client";
import { usePlace } from "../host";
import { ErrorNotice } from "../states";
import { rfc3339, type TimeRange } from "../time";
import type { Scope } from "../scope";
import { levelsAfter } from "./controls";
import { LEVELS, type LogFilters, type LogLevel } from "./filters";
import { useMarkerChanges, useVolume } from "./search";

type Histogram = Schemas["LogHistogram"];
const ROLES: Record<LogLevel, Line["role"]> = {
    ERROR: "error",
    WARN: "warning",
    INFO: "info",
    DEBUG: "debug",
};

// Every step of the range, also those without lines; the worst level at the foot.
export function volumeLines(histogram: Histogram, from: number, to: number, levels: readonly LogLevel[]) {
    const stepMs = histogram.stepSeconds * 1000;
    const found = new Map(histogram.buckets.map((bucket) => [Date.parse(bucket.timestamp), bucket]));
    const times: number[] = [];
    for (let at = Math.floor(from / stepMs) * stepMs; at < to; at += stepMs) times.push(at);
    const shown = LEVELS.filter((level) => levels.length === 0 || levels.includes(level));
    const lines = shown.map((level): Line => {
        const values = times.map((at) => found.get(at)?.[level] ?? 0);
        return { name: level, role: ROLES[level], stacked: true, values };
    });
    return { times, lines, stepMs };
}

const MARKED: Record<string, Marker["kind"]> = {
    version: "version",
    image: "image",
    release: "release",
    "pod-template": "pod-template",
};

export function markersOf(changes: readonly Schemas["ChangeRow"][]): Marker[] {
    return changes.flatMap((change) => {
        const kind = MARKED[change.kind];
        return kind
            ? [{ at: Date.parse(change.timestamp), kind, text: `${change.component}: ${change.title}` }]
            : [];
    });
}

const HEIGHT = 96;

export function Volume(props: { scope: Scope; range: TimeRange; filters: LogFilters; ready: boolean }) {
    const { scope, range, filters, ready } = props;
    const { params } = usePlace();
    const set = useSetParams();
    const asked = useVolume(scope, range, filters, ready);
    const changes = useMarkerChanges(scope, range, ready && asked.data !== undefined);
    const [from, to] = [range.start.getTime(), range.end.getTime()];
    const drawn = useMemo(
        () => asked.data && volumeLines(asked.data, from, to, filters.levels),
        [asked.data, from, to, filters.levels],
    );
    const markers = useMemo(() => markersOf(changes.data?.changes ?? []), [changes.data]);
    const axis = useTimeAxis();
    const folded = params.chart === "off";
    if (asked.error && !asked.data)
        return <ErrorNotice error={asked.error} again={() => void asked.refetch()} />;
    return (
        <div className="cb-log-volume">
            <button
                type="button"
                className="cb-chart-button"
                aria-expanded={!folded}
                onClick={() => set({ chart: folded ? undefined : "off" }, "replace")}
            >
                {folded ? "▸ Lines over time" : "▾ Fold"}
            </button>
            {folded ? null : (
                <TimeChart
                    title="Lines over time"
                    unit="count"
                    times={drawn?.times ?? NO_TIMES}
                    lines={drawn?.lines ?? NO_LINES}
                    {...axis}
                    stepMs={drawn?.stepMs ?? 60e3}
                    markers={markers}
                    height={HEIGHT}
                    onMarker={(hit) =>
                        set({
                            from: rfc3339(hit[0]!.at - 300e3),
                            to: rfc3339(hit[0]!.at + 300e3),
                            live: undefined,
                        })
                    }
                    onLine={(line) =>
                        set({ level: levelsAfter(filters.levels, line.name as LogLevel).join(",") })
                    }
                    loading={asked.isFetching || !ready}
                    empty="No lines in this time."
                />
            )}
        </div>
    );
}

const NO_TIMES: readonly number[] = [];
const NO_LINES: readonly Line[] = [];
