// Requests, errors, latency, CPU, memory and log lines on one time axis, with
// changes, incidents and traces over them.
import { lazy, Suspense, useMemo } from "react";
import { useParam } from "../address";
import { CHART_HEIGHT, ChartFrame } from "../charts/frame";
import { TimeChart } from "../charts/time_chart";
import { useTimeAxis } from "../charts/time_axis";
import type { Band, Line, Marker } from "../charts/types";
import { keptParams, withParams } from "../address";
import { useHost, usePlace } from "../host";
import { useTimeRange } from "../time";
import { shownName } from "../format";
import { useLogVolume, type ComponentPage, type ComponentScope, type OwnIncident } from "./page_data";
import { chartLines, dotsOf, markersOf, shareOf, type Series } from "./series";

// Loaded when it is asked for.
const Heatmap = lazy(async () => ({ default: (await import("../charts/heatmap")).Heatmap }));
const HEATMAP_COMES = (
    <ChartFrame title="Latency" summary="" height={CHART_HEIGHT} loading hasData={false}>
        {null}
    </ChartFrame>
);

interface Before {
    series: Series;
    shift: number;
    name: string;
}

const errorShare = (series: Series) => shareOf(series.errorRate, series.requestRate);
const clientShare = (series: Series) =>
    series.clientErrorRate.length > 0 ? shareOf(series.clientErrorRate, series.requestRate) : [];

const REQUESTS = [
    { name: "requests", role: "primary" as const, fill: true, of: (s: Series) => s.requestRate },
];
const ERRORS = [
    { name: "failed", role: "error" as const, fill: true, of: errorShare },
    { name: "4xx", role: "warning" as const, of: clientShare },
];
const LATENCY = [
    { name: "p99", role: "p99" as const, of: (s: Series) => s.latencyP99 },
    { name: "p90", role: "p90" as const, of: (s: Series) => s.latencyP90 },
    { name: "p50", role: "p50" as const, of: (s: Series) => s.latencyP50 },
];
const CPU = [
    { name: "used", role: "primary" as const, fill: true, of: (s: Series) => s.cpuUsage },
    { name: "limit", role: "limit" as const, of: (s: Series) => s.cpuLimits },
];
const MEMORY = [
    { name: "used", role: "primary" as const, fill: true, of: (s: Series) => s.memoryUsage },
    { name: "limit", role: "limit" as const, of: (s: Series) => s.memoryLimits },
];

// What lies over every chart of the page.
interface Over {
    from: number;
    to: number;
    onBrush: (from: number, to: number) => void;
    onZoomOut: () => void;
    markers: readonly Marker[];
    bands: readonly Band[];
    onMarker: (markers: readonly Marker[]) => void;
    onMinute: (at: number) => void;
}

// ERROR lies at the bottom, so that it can be read.
const LEVELS: [keyof Counts, Line["role"]][] = [
    ["ERROR", "error"],
    ["WARN", "warning"],
    ["INFO", "info"],
    ["DEBUG", "debug"],
];
type Counts = { ERROR: number; WARN: number; INFO: number; DEBUG: number };

function LogVolume({ scope, over }: { scope: ComponentScope; over: Over }) {
    const asked = useLogVolume(scope, useTimeRange());
    const buckets = asked.data?.buckets;
    const picture = useMemo(() => {
        const shown = LEVELS.filter(([level]) => buckets?.some((bucket) => bucket[level] > 0));
        return {
            times: (buckets ?? []).map(({ timestamp }) => Date.parse(timestamp)),
            lines: shown.map(([level, role]) => ({
                name: level,
                role,
                stacked: true,
                values: buckets!.map((bucket) => bucket[level]),
            })),
        };
    }, [buckets]);
    return (
        <TimeChart
            title="Log lines"
            unit="count"
            {...picture}
            {...over}
            stepMs={(asked.data?.stepSeconds ?? 60) * 1000}
            loading={asked.isPending}
            empty={asked.error ? shownName(asked.error.message) : "No log line in this time."}
        />
    );
}

function Latency(props: { page: ComponentPage; before?: Before; over: Over; stepMs: number }) {
    const { page, before, over, stepMs } = props;
    const host = useHost();
    const place = usePlace();
    const [shape, setShape] = useParam("latency");
    const lines = useMemo(() => chartLines(LATENCY, page.series, before, stepMs), [page, before, stepMs]);
    const dots = useMemo(() => dotsOf(page.traces, over.from, over.to), [page, over.from, over.to]);
    const openTraces = (changes: Record<string, string | undefined>) =>
        host.go("traces", withParams(keptParams(place.params), changes));
    const heat = page.series.latencyBuckets;
    const asHeat = shape === "heat";
    const other = (
        <button
            type="button"
            className="cb-chart-button cb-latency-switch"
            aria-pressed={asHeat}
            onClick={() => setShape(asHeat ? undefined : "heat")}
        >
            heatmap
        </button>
    );
    if (asHeat && heat && heat.bounds.length > 0)
        return (
            <div className="cb-latency">
                {other}
                <Suspense fallback={HEATMAP_COMES}>
                    <Heatmap
                        title="Latency"
                        times={heat.timestamps.map((text) => Date.parse(text))}
                        bounds={heat.bounds}
                        counts={heat.counts}
                        failed={heat.failed}
                        stepMs={stepMs}
                        from={over.from}
                        to={over.to}
                        onZoomOut={over.onZoomOut}
                        onBox={(box) =>
                            openTraces({
                                from: new Date(box.from).toISOString(),
                                to: new Date(box.to).toISOString(),
                                min: box.min === undefined ? undefined : String(box.min),
                                max: box.max === undefined ? undefined : String(box.max),
                                errors: box.failed ? "1" : undefined,
                            })
                        }
                    />
                </Suspense>
            </div>
        );
    return (
        <div className="cb-latency">
            {other}
            <TimeChart
                title="Latency"
                unit="seconds"
                {...lines}
                {...over}
                stepMs={stepMs}
                dots={dots}
                onDot={(dot) => host.go("trace", withParams(keptParams(place.params), { id: dot.traceId }))}
                empty="No request in this time, so no latency."
            />
        </div>
    );
}

export function Charts(props: {
    page: ComponentPage;
    scope: ComponentScope;
    before?: Before;
    incidents: readonly OwnIncident[];
    onMarker: (markers: readonly Marker[]) => void;
    onMinute: (at: number) => void;
}) {
    const { page, scope, before, incidents, onMarker, onMinute } = props;
    const axis = useTimeAxis();
    const stepMs = page.window.stepSeconds * 1000;
    const over: Over = useMemo(
        () => ({
            ...axis,
            markers: markersOf(page.changes ?? []),
            bands: incidents.map((one) => ({
                from: Date.parse(one.startTime),
                to: one.endTime ? Date.parse(one.endTime) : axis.to,
                text: shownName(one.text),
            })),
            onMarker,
            onMinute,
        }),
        [axis, page.changes, incidents, onMarker, onMinute],
    );
    const lines = useMemo(() => {
        const make = (sources: Parameters<typeof chartLines>[0]) =>
            chartLines(sources, page.series, before, stepMs);
        return { requests: make(REQUESTS), errors: make(ERRORS), cpu: make(CPU), memory: make(MEMORY) };
    }, [page.series, before, stepMs]);
    const nothing = "No request in this time.";
    return (
        <div className="cb-charts" id="charts">
            <TimeChart
                title="Requests"
                unit="rate"
                {...lines.requests}
                {...over}
                stepMs={stepMs}
                empty={nothing}
            />
            <TimeChart
                title="Errors"
                unit="share"
                {...lines.errors}
                {...over}
                stepMs={stepMs}
                empty={nothing}
            />
            <Latency page={page} before={before} over={over} stepMs={stepMs} />
            <TimeChart
                title="CPU"
                unit="cores"
                {...lines.cpu}
                {...over}
                stepMs={stepMs}
                empty="No CPU metrics of its pods in this time."
            />
            <TimeChart
                title="Memory"
                unit="bytes"
                {...lines.memory}
                {...over}
                stepMs={stepMs}
                empty="No memory metrics of its pods in this time."
            />
            <LogVolume scope={scope} over={over} />
        </div>
    );
}
