// The options of uPlot for a chart over time: axes, lines, bars, bands, brush.
import uPlot from "uplot";
import type { Colors } from "./colors";
import { roleProperty, withAlpha } from "./colors";
import type { Column } from "./prepare";
import type { Band, Line, Unit } from "./types";
import { axisLabels, axisSteps, axisTop, timeLabels } from "./units";

// What a drawn chart reads each time it draws, so that it need not be made anew.
export interface PlotInputs {
    unit: Unit;
    lines: readonly Line[];
    bands: readonly Band[];
    from: number;
    to: number;
    stepMs: number;
    colors: Colors;
    onBrush?: (from: number, to: number) => void;
    onZoomOut?: () => void;
}

const RIGHT = 10; // px beside the picture
const CHARACTER = 6.4; // px, of a label
const AXIS_FONT = "11px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
export const Y_AXIS_WIDTH = 58;
const X_AXIS_HEIGHT = 24;
const SMALLEST_BRUSH = 4; // px

const DASHED: readonly Line["role"][] = ["before", "limit"];

// Bars from the foot to the sum, as wide as their step; the layers behind are higher.
function barPaths(read: () => PlotInputs): uPlot.Series.PathBuilder {
    return (u, seriesIndex, first, last) => {
        const fill = new Path2D();
        const times = u.data[0];
        const values = u.data[seriesIndex]!;
        const foot = u.valToPos(0, "y", true);
        const { stepMs } = read();
        for (let i = first; i <= last; i++) {
            const value = values[i];
            if (!value) continue;
            const left = u.valToPos(times[i]!, "x", true);
            const right = u.valToPos(times[i]! + stepMs, "x", true);
            const top = u.valToPos(value, "y", true);
            fill.rect(left, top, Math.max(1, right - left - uPlot.pxRatio), foot - top);
        }
        return { stroke: null, fill, clip: null, band: null, flags: 1 };
    };
}

function seriesOf(column: Column, read: () => PlotInputs): uPlot.Series {
    const line = () => read().lines[column.line];
    const color = () => read().colors(roleProperty(line()?.role ?? "primary"));
    const { role, fill } = line()!;
    if (column.part === "bars")
        return { fill: color, stroke: color, width: 0, paths: barPaths(read), points: { show: false } };
    const dashed = DASHED.includes(role);
    return {
        stroke: color,
        width: dashed ? 1 : 1.5,
        dash: dashed ? [4, 4] : column.part === "unfinished" ? [3, 3] : undefined,
        fill: fill && column.part === "whole" ? () => withAlpha(color(), 0.15) : undefined,
        points:
            dashed || column.part === "unfinished" ? { show: false } : { show: true, size: 4, filter: alone },
        spanGaps: false,
    };
}

// A value without neighbours would be no line: it is a point.
function alone(u: uPlot, seriesIndex: number): number[] | null {
    const values = u.data[seriesIndex]!;
    const found: number[] = [];
    values.forEach((value: number | null | undefined, i: number) => {
        if (value != null && values[i - 1] == null && values[i + 1] == null) found.push(i);
    });
    return found;
}

function drawBands(u: uPlot, inputs: PlotInputs): void {
    const { left, top, width, height } = u.bbox;
    u.ctx.save();
    u.ctx.beginPath();
    u.ctx.rect(left, top, width, height);
    u.ctx.clip();
    for (const band of inputs.bands) {
        u.ctx.fillStyle = inputs.colors(band.kind === "before" ? "--cb-band-before" : "--cb-band");
        const from = u.valToPos(band.from, "x", true);
        u.ctx.fillRect(from, top, Math.max(2, u.valToPos(band.to, "x", true) - from), height);
    }
    u.ctx.restore();
}

// Whether a label of the x axis ends within the picture: one that is cut says another time.
function fits(u: uPlot, label: string, at: number): boolean {
    const { min, max } = u.scales.x!;
    if (min == null || max == null) return true;
    const place = ((at - min) / (max - min)) * (u.width - Y_AXIS_WIDTH - RIGHT);
    return place + (label.length * CHARACTER) / 2 <= u.width - Y_AXIS_WIDTH;
}

function axes(unit: Unit, read: () => PlotInputs): uPlot.Axis[] {
    const text = () => read().colors("--cb-text-2");
    const grid = { stroke: () => read().colors("--cb-grid"), width: 1 };
    return [
        {
            stroke: text,
            font: AXIS_FONT,
            grid,
            ticks: { show: false },
            size: X_AXIS_HEIGHT,
            gap: 6,
            space: 64,
            values: (u, marks) =>
                timeLabels(marks).map((label, i) => (fits(u, label, marks[i]!) ? label : "")),
        },
        {
            stroke: text,
            font: AXIS_FONT,
            grid,
            ticks: { show: false },
            size: Y_AXIS_WIDTH,
            gap: 6,
            // At most a third of the height, so that a low chart has a mark beside 0, too.
            space: (_, __, ___, ____, height) => Math.min(32, height / 3),
            incrs: axisSteps(unit),
            values: (_, marks) => axisLabels(unit, marks),
        },
    ];
}

// "read" gives the inputs of now.
export function plotOptions(
    columns: readonly Column[],
    unit: Unit,
    size: { width: number; height: number },
    read: () => PlotInputs,
    drawn: (u: uPlot) => void,
): uPlot.Options {
    const setSelect = (u: uPlot) => {
        const { left, width } = u.select;
        if (width >= SMALLEST_BRUSH)
            read().onBrush?.(Math.round(u.posToVal(left, "x")), Math.round(u.posToVal(left + width, "x")));
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    };
    return {
        ...size,
        ms: 1,
        pxAlign: 0,
        padding: [8, RIGHT, 0, 0],
        legend: { show: false },
        scales: {
            x: { time: true, range: () => [read().from, read().to] },
            y: { range: (_, __, largest) => [0, axisTop(unit, largest)] },
        },
        axes: axes(unit, read),
        series: [{}, ...columns.map((column) => seriesOf(column, read))],
        cursor: {
            y: false,
            points: { show: false },
            drag: { x: read().onBrush !== undefined, y: false, setScale: false },
            bind: { dblclick: () => () => (read().onZoomOut?.(), null) },
        },
        hooks: {
            drawClear: [(u) => drawBands(u, read())],
            draw: [drawn],
            setSelect: [setSelect],
        },
    };
}
