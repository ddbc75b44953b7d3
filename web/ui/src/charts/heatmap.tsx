// Requests by latency over time: a cell for each step and bucket, the darker the
// more; failed requests in a row of their own at the top. A drag takes a box.
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { formatCount, formatSeconds, formatTime } from "../format";
import { colorsOf, useThemeVersion, withAlpha, type Colors } from "./colors";
import { setCrosshair, useCrosshair } from "./crosshair";
import { CHART_HEIGHT, ChartFrame } from "./frame";
import { CrosshairTime } from "./legend";
import { xOf } from "./overlay";
import { nearest } from "./prepare";
import { timeLabels } from "./units";
import { timeMarks } from "./time_marks";

export interface HeatmapProps {
    title: string;
    times: readonly number[]; // starts of the steps
    bounds: readonly number[]; // seconds; one more than buckets
    counts: readonly (readonly number[])[]; // by step, by bucket
    failed: readonly number[]; // by step
    from: number;
    to: number;
    stepMs: number;
    height?: number;
    // The dragged box; "failed": its upper edge lies in the row of failed requests.
    onBox?: (box: { from: number; to: number; min?: number; max?: number; failed: boolean }) => void;
    onZoomOut?: () => void;
    loading?: boolean;
    empty?: string;
}

const LEFT = 58;
const RIGHT = 10;
const TOP = 8;
const FOOT = 24;
const FAILED_ROW = 12;
const GAP = 4;
const FAINTEST = 0.12;

interface Grid {
    width: number; // of the cells
    height: number; // of the buckets
    rows: number;
}

function gridOf(width: number, height: number, rows: number): Grid {
    return { width: width - LEFT - RIGHT, height: height - TOP - FOOT - FAILED_ROW - GAP, rows };
}

const bucketsTop = TOP + FAILED_ROW + GAP;

// y of the lower edge of a bucket.
function rowFoot(grid: Grid, row: number): number {
    return bucketsTop + grid.height - (row * grid.height) / grid.rows;
}

// Counts of one hue: the share of the largest, from faint to full.
function shade(color: string, count: number, most: number): string {
    return withAlpha(color, FAINTEST + (1 - FAINTEST) * (count / most));
}

function drawCells(context: CanvasRenderingContext2D, grid: Grid, props: HeatmapProps, colors: Colors): void {
    const { times, counts, failed, from, to, stepMs } = props;
    const most = counts.reduce((a, row) => row.reduce((b, count) => Math.max(b, count), a), 1);
    const mostFailed = failed.reduce((a, count) => Math.max(a, count), 1);
    times.forEach((at, i) => {
        const x = LEFT + Math.max(0, xOf(at, from, to, grid.width));
        const right = LEFT + Math.min(grid.width, xOf(at + stepMs, from, to, grid.width));
        const width = right - x > 3 ? right - x - 1 : right - x;
        if (width <= 0) return;
        (counts[i] ?? []).forEach((count, row) => {
            if (count <= 0) return;
            const y = rowFoot(grid, row + 1);
            context.fillStyle = shade(colors("--cb-p99"), count, most);
            context.fillRect(x, y, width, rowFoot(grid, row) - y - 0.5);
        });
        if (!failed[i]) return;
        context.fillStyle = shade(colors("--cb-bad-mark"), failed[i], mostFailed);
        context.fillRect(x, TOP, width, FAILED_ROW);
    });
}

function drawAxes(context: CanvasRenderingContext2D, grid: Grid, props: HeatmapProps, colors: Colors): void {
    const { from, to, bounds } = props;
    context.font = "11px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
    context.fillStyle = colors("--cb-text-2");
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.fillText("failed", LEFT - 6, TOP + FAILED_ROW / 2);
    const every = Math.max(1, Math.ceil(grid.rows / Math.max(1, Math.floor(grid.height / 28))));
    for (let row = 0; row < grid.rows; row += every)
        context.fillText(formatSeconds(bounds[row]), LEFT - 6, rowFoot(grid, row));
    const marks = timeMarks(from, to, Math.max(2, Math.floor(grid.width / 64)));
    context.textAlign = "center";
    timeLabels(marks).forEach((label, i) => {
        const x = LEFT + xOf(marks[i]!, from, to, grid.width);
        context.fillText(label, x, bucketsTop + grid.height + FOOT / 2 + 2);
    });
}

function draw(canvas: HTMLCanvasElement, props: HeatmapProps, size: { width: number; height: number }): void {
    const context = canvas.getContext("2d");
    if (!context) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = size.width * ratio;
    canvas.height = size.height * ratio;
    context.scale(ratio, ratio);
    const colors = colorsOf(canvas);
    const grid = gridOf(size.width, size.height, props.bounds.length - 1);
    drawCells(context, grid, props, colors);
    drawAxes(context, grid, props, colors);
}

interface Box {
    x0: number;
    y0: number;
    x1: number;
    y1: number;
}

// The times and latencies of a box in px. Cells are taken whole.
export function boxOf(
    box: Box,
    props: Pick<HeatmapProps, "from" | "to" | "stepMs" | "bounds">,
    width: number,
    height: number,
): { from: number; to: number; min?: number; max?: number; failed: boolean } {
    const grid = gridOf(width, height, props.bounds.length - 1);
    const [left, right] = [Math.min(box.x0, box.x1), Math.max(box.x0, box.x1)];
    const [top, foot] = [Math.min(box.y0, box.y1), Math.max(box.y0, box.y1)];
    const time = (x: number) => {
        const share = Math.max(0, Math.min(1, (x - LEFT) / grid.width));
        return Math.round(props.from + share * (props.to - props.from));
    };
    const row = (y: number) =>
        Math.max(0, Math.min(grid.rows, ((bucketsTop + grid.height - y) / grid.height) * grid.rows));
    const range = { from: time(left), to: Math.max(time(right), time(left) + 1) };
    if (foot <= TOP + FAILED_ROW + GAP / 2) return { ...range, failed: true };
    const lowest = Math.floor(row(foot));
    const highest = Math.ceil(row(top));
    return {
        ...range,
        // The first bucket has what is below it, too.
        min: lowest === 0 ? undefined : props.bounds[lowest],
        max: highest >= grid.rows ? undefined : props.bounds[highest],
        failed: false,
    };
}

function stepText(props: HeatmapProps, i: number): string {
    const row = props.counts[i] ?? [];
    const total = row.reduce((a, b) => a + b, 0);
    const fullest = row.indexOf(Math.max(...row));
    const [low, high] = [formatSeconds(props.bounds[fullest]), formatSeconds(props.bounds[fullest + 1])];
    const most = total > 0 ? `, most ${low} to ${high}` : "";
    return `${formatCount(total)} requests${most}, ${formatCount(props.failed[i])} failed`;
}

function cellText(props: HeatmapProps, at: number | undefined): string {
    const i = at === undefined ? props.times.length - 1 : nearest(props.times, at);
    const time = props.times[i];
    if (time === undefined) return "no values";
    return `${formatTime(time, { seconds: true })}: ${stepText(props, i)}`;
}

function useSize(height: number) {
    const element = useRef<HTMLDivElement>(null);
    const [width, setWidth] = useState(0);
    useEffect(() => {
        const observed = element.current;
        if (!observed) return;
        setWidth(observed.clientWidth);
        const observer = new ResizeObserver(() => setWidth(observed.clientWidth));
        observer.observe(observed);
        return () => observer.disconnect();
    }, []);
    return { element, width, height };
}

function Picture(props: HeatmapProps & { height: number }) {
    const { element, width, height } = useSize(props.height);
    const canvas = useRef<HTMLCanvasElement>(null);
    const theme = useThemeVersion();
    const [box, setBox] = useState<Box>();
    const at = useCrosshair();
    const { times, counts, failed, from, to } = props;
    useEffect(() => {
        if (canvas.current && width > 0) draw(canvas.current, props, { width, height });
        // eslint-disable-next-line react-hooks/exhaustive-deps -- what it draws, not functions
    }, [width, height, theme, times, counts, failed, from, to]);

    const place = (event: PointerEvent) => {
        const rect = event.currentTarget.getBoundingClientRect();
        return { x: event.clientX - rect.left, y: event.clientY - rect.top };
    };
    const down = (event: PointerEvent<HTMLDivElement>) => {
        if (!props.onBox || event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const { x, y } = place(event);
        setBox({ x0: x, y0: y, x1: x, y1: y });
    };
    const move = (event: PointerEvent<HTMLDivElement>) => {
        const { x, y } = place(event);
        const inner = width - LEFT - RIGHT;
        setCrosshair(x >= LEFT && x <= width - RIGHT ? from + ((x - LEFT) / inner) * (to - from) : undefined);
        if (box) setBox({ ...box, x1: x, y1: y });
    };
    const up = () => {
        if (box && Math.abs(box.x1 - box.x0) >= 4) props.onBox?.(boxOf(box, props, width, height));
        setBox(undefined);
    };
    const keyDown = (event: KeyboardEvent) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const i = at === undefined ? times.length : nearest(times, at);
        const step = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: times.length - 1 }[event.key];
        const time = step === undefined ? undefined : times[Math.max(0, Math.min(times.length - 1, step))];
        if (time !== undefined) setCrosshair(time);
        else if (event.key === "Enter" && at !== undefined)
            props.onBox?.({ from: at, to: at + props.stepMs, failed: false });
        else if (event.key === "z" && props.onZoomOut) props.onZoomOut();
        else return;
        event.preventDefault();
        event.stopPropagation();
    };
    const line =
        at !== undefined && at >= from && at <= to
            ? LEFT + xOf(at, from, to, width - LEFT - RIGHT)
            : undefined;
    return (
        <div
            ref={element}
            className="cb-plot cb-heatmap"
            style={{ height }}
            role="slider"
            tabIndex={0}
            aria-label={`${props.title}: time`}
            aria-valuemin={from}
            aria-valuemax={to}
            aria-valuenow={Math.round(at ?? to)}
            aria-valuetext={cellText(props, at)}
            onPointerDown={down}
            onPointerMove={move}
            onPointerUp={up}
            onPointerCancel={() => setBox(undefined)}
            onPointerLeave={() => setCrosshair(undefined)}
            onDoubleClick={props.onZoomOut}
            onKeyDown={keyDown}
            onBlur={() => setCrosshair(undefined)}
        >
            <canvas ref={canvas} style={{ width: "100%", height }} aria-hidden="true" />
            {line !== undefined ? (
                <div
                    className="cb-heatmap-line"
                    style={{ left: line, top: TOP, height: height - TOP - FOOT }}
                />
            ) : null}
            {box ? (
                <div
                    className="cb-brush cb-brush-box"
                    style={{
                        left: Math.min(box.x0, box.x1),
                        top: Math.min(box.y0, box.y1),
                        width: Math.abs(box.x1 - box.x0),
                        height: Math.abs(box.y1 - box.y0),
                    }}
                />
            ) : null}
        </div>
    );
}

export function Heatmap(props: HeatmapProps) {
    const { times, counts, failed, bounds, height = CHART_HEIGHT } = props;
    const total = useMemo(() => counts.reduce((a, row) => a + row.reduce((b, c) => b + c, 0), 0), [counts]);
    const failures = useMemo(() => failed.reduce((a, b) => a + b, 0), [failed]);
    const table = useMemo(
        () => ({
            columns: ["Time", "failed", ...bounds.slice(1).map((bound) => `≤ ${formatSeconds(bound)}`)],
            rows: () =>
                times.map((at, i) => [
                    formatTime(at, { seconds: true }),
                    formatCount(failed[i]),
                    ...(counts[i] ?? []).map(formatCount),
                ]),
        }),
        [times, counts, failed, bounds],
    );
    const at = useCrosshair();
    return (
        <ChartFrame
            title={props.title}
            summary={`${formatCount(total)} requests, ${formatCount(failures)} failed`}
            legend={
                <span className="cb-legend" aria-hidden="true">
                    {at !== undefined
                        ? stepText(props, nearest(times, at))
                        : `darker: more requests; ${formatCount(failures)} failed`}
                </span>
            }
            aside={<CrosshairTime times={times} />}
            table={table}
            height={height}
            loading={props.loading}
            hasData={bounds.length > 1 && total > 0}
            empty={props.empty}
        >
            <Picture {...props} height={height} />
        </ChartFrame>
    );
}
