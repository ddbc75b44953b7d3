// A chart over time: lines or stacked bars on uPlot; changes, bands and traces over them.
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import uPlot from "uplot";
import { formatTime } from "../format";
import { colorsOf, useThemeVersion } from "./colors";
import { onCrosshair, crosshair, setCrosshair, useCrosshair } from "./crosshair";
import { CHART_HEIGHT, ChartFrame } from "./frame";
import { CrosshairTime, Legend, summaryOf } from "./legend";
import { MarkList } from "./mark_list";
import { hit, Overlay, placeDots, placeMarkers, xOf, type PlotBox, type Pointed } from "./overlay";
import { plotOptions, type PlotInputs } from "./plot";
import { nearest, prepare } from "./prepare";
import type { Dot, Marker, TimeChartProps } from "./types";
import { formatUnit } from "./units";

const NO_MARKERS: readonly Marker[] = [];
const NO_DOTS: readonly Dot[] = [];

function useInputs(props: TimeChartProps, element: HTMLElement | null): { current: PlotInputs | undefined } {
    const theme = useThemeVersion();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- read anew in another theme
    const colors = useMemo(() => (element ? colorsOf(element) : undefined), [element, theme]);
    const inputs = useRef<PlotInputs>();
    if (colors)
        inputs.current = {
            unit: props.unit,
            lines: props.lines,
            bands: props.bands ?? [],
            from: props.from,
            to: props.to,
            stepMs: props.stepMs,
            colors,
            onBrush: props.onBrush,
            onZoomOut: props.onZoomOut,
        };
    return inputs;
}

function boxOf(u: uPlot): PlotBox {
    const ratio = uPlot.pxRatio;
    const { left, top, width, height } = u.bbox;
    return {
        left: left / ratio,
        top: top / ratio,
        width: width / ratio,
        height: height / ratio,
        yMax: u.scales.y?.max ?? 1,
    };
}

const sameBox = (a: PlotBox | undefined, b: PlotBox) =>
    a !== undefined && (Object.keys(b) as (keyof PlotBox)[]).every((key) => a[key] === b[key]);

// Keeps a uPlot in "element": made anew when its lines are others, else given new data.
function usePlot(props: TimeChartProps, element: HTMLElement | null, height: number) {
    const inputs = useInputs(props, element);
    const [box, setBox] = useState<PlotBox>();
    const plot = useRef<uPlot>();
    const { times, lines, stepMs, to, from, unit, bands } = props;
    const prepared = useMemo(() => prepare(times, lines, stepMs, to), [times, lines, stepMs, to]);
    const shape = prepared.columns
        .map(({ line, part }) => `${part}/${lines[line]!.role}/${lines[line]!.fill ?? false}`)
        .join();
    const theme = useThemeVersion();

    useEffect(() => {
        if (!element || !inputs.current) return;
        const drawn = (u: uPlot) => {
            const next = boxOf(u);
            setBox((old) => (sameBox(old, next) ? old : next));
        };
        const size = { width: Math.max(120, element.clientWidth), height };
        const options = plotOptions(prepared.columns, unit, size, () => inputs.current!, drawn);
        const u = new uPlot(options, [prepared.times, ...prepared.values] as uPlot.AlignedData, element);
        plot.current = u;
        const follow = () => {
            const at = crosshair();
            const { from: start, to: end } = inputs.current!;
            const inside = at !== undefined && at >= start && at <= end;
            u.setCursor({ left: inside ? u.valToPos(at, "x") : -10, top: inside ? 1 : -10 }, false);
        };
        const stop = onCrosshair(follow);
        const observer = new ResizeObserver(() => {
            const width = element.clientWidth;
            if (width > 0 && width !== u.width) u.setSize({ width, height });
        });
        observer.observe(element);
        return () => {
            stop();
            observer.disconnect();
            u.destroy();
            plot.current = undefined;
        };
        // eslint-disable-next-line react-hooks/exhaustive-deps -- new data is set below
    }, [element, shape, unit, height, props.onBrush === undefined]);

    useEffect(() => {
        plot.current?.setData([prepared.times, ...prepared.values] as uPlot.AlignedData);
    }, [prepared, from]);
    useEffect(() => {
        plot.current?.redraw(true, true);
    }, [bands, theme]);
    return { plot, box };
}

// What the pointer is on: moves the crosshair, opens dots and changes.
function usePointer(props: TimeChartProps, plot: { current?: uPlot }, box: PlotBox | undefined) {
    const [pointed, setPointed] = useState<Pointed>();
    const { markers = NO_MARKERS, dots = NO_DOTS, from, to } = props;
    const markerPlaces = useMemo(
        () => (box ? placeMarkers(markers, from, to, box) : []),
        [markers, from, to, box],
    );
    const dotPlaces = useMemo(() => (box ? placeDots(dots, from, to, box) : []), [dots, from, to, box]);
    const latest = useRef({ props, markerPlaces, dotPlaces, box });
    latest.current = { props, markerPlaces, dotPlaces, box };
    const over = box && plot.current?.over;

    useEffect(() => {
        if (!over) return;
        const under = (event: MouseEvent) => {
            const rect = over.getBoundingClientRect();
            const x = event.clientX - rect.left;
            const y = event.clientY - rect.top;
            const dot = hit(latest.current.dotPlaces, x, y);
            const marker = dot ? undefined : hit(latest.current.markerPlaces, x, y);
            return { x, dot, marker };
        };
        const move = (event: MouseEvent) => {
            const { x, dot, marker } = under(event);
            const { from: start, to: end } = latest.current.props;
            const { width } = over.getBoundingClientRect();
            setCrosshair(start + (x / width) * (end - start));
            over.style.cursor = dot || marker ? "pointer" : "";
            if (dot) setPointed({ x: dot.x, y: dot.y, text: [dot.item.text] });
            else if (marker)
                setPointed({
                    x: marker.x,
                    y: marker.y,
                    text: marker.item.map(({ at, text }) => `${formatTime(at)} ${text}`),
                });
            else setPointed(undefined);
        };
        const leave = () => {
            setCrosshair(undefined);
            setPointed(undefined);
        };
        const click = (event: MouseEvent) => {
            const { dot, marker } = under(event);
            if (dot) latest.current.props.onDot?.(dot.item);
            else if (marker) latest.current.props.onMarker?.(marker.item);
        };
        over.addEventListener("mousemove", move);
        over.addEventListener("mouseleave", leave);
        over.addEventListener("click", click);
        return () => {
            over.removeEventListener("mousemove", move);
            over.removeEventListener("mouseleave", leave);
            over.removeEventListener("click", click);
        };
    }, [over]);
    return { pointed, markerPlaces, dotPlaces };
}

// Keys of a focused chart: arrows move the crosshair, with Shift they brush.
function useKeys(props: TimeChartProps) {
    const [brush, setBrush] = useState<{ from: number; to: number }>();
    const { times, from, to, stepMs } = props;
    const at = useCrosshair();
    const moveTo = (next: number, extend: boolean) => {
        const time = Math.max(from, Math.min(to, next));
        const anchor = brush?.from ?? at ?? time;
        setBrush(extend && props.onBrush ? { from: anchor, to: time } : undefined);
        setCrosshair(time);
    };
    const neighbour = (by: number) => {
        if (at === undefined || times.length === 0)
            return by < 0 ? (times[times.length - 1] ?? to) : (times[0] ?? from);
        const i = nearest(times, at);
        return times[i + by] ?? at + by * stepMs;
    };
    const finish = () => {
        if (!brush) return;
        props.onBrush?.(Math.min(brush.from, brush.to), Math.max(brush.from, brush.to));
        setBrush(undefined);
    };
    const steps: Record<string, (shift: boolean) => void> = {
        ArrowLeft: (shift) => moveTo(neighbour(-1), shift),
        ArrowRight: (shift) => moveTo(neighbour(1), shift),
        PageUp: (shift) => moveTo((at ?? to) - 10 * stepMs, shift),
        PageDown: (shift) => moveTo((at ?? from) + 10 * stepMs, shift),
        Home: (shift) => moveTo(from, shift),
        End: (shift) => moveTo(to, shift),
        Enter: finish,
    };
    if (props.onMinute) steps.v = () => props.onMinute?.(at ?? to);
    if (props.onZoomOut) steps.z = () => props.onZoomOut?.();
    if (brush) steps.Escape = () => setBrush(undefined);
    const onKeyDown = (event: KeyboardEvent) => {
        const step = event.ctrlKey || event.metaKey || event.altKey ? undefined : steps[event.key];
        if (!step || (event.key === "Enter" && !brush)) return;
        event.preventDefault();
        event.stopPropagation();
        step(event.shiftKey);
    };
    return { brush, at, onKeyDown };
}

function valueText(props: TimeChartProps, at: number | undefined): string {
    const i = at === undefined ? props.times.length - 1 : nearest(props.times, at);
    const time = props.times[i];
    if (time === undefined) return "no values";
    const values = props.lines.map((line) => `${line.name} ${formatUnit(props.unit, line.values[i])}`);
    return `${formatTime(time, { seconds: true })}: ${values.join(", ")}`;
}

function Picture(props: TimeChartProps & { height: number }) {
    const { height, from, to } = props;
    const [element, setElement] = useState<HTMLElement | null>(null);
    const { plot, box } = usePlot(props, element, height);
    const { pointed, markerPlaces, dotPlaces } = usePointer(props, plot, box);
    const { brush, at, onKeyDown } = useKeys(props);
    const left = (time: number) => (box ? box.left + xOf(time, from, to, box.width) : 0);
    return (
        <div className="cb-chart-body">
            <div
                className="cb-plot"
                style={{ height }}
                role="slider"
                tabIndex={0}
                aria-label={`${props.title}: time`}
                aria-orientation="horizontal"
                aria-valuemin={from}
                aria-valuemax={to}
                aria-valuenow={Math.round(at ?? to)}
                aria-valuetext={valueText(props, at)}
                onKeyDown={onKeyDown}
                onBlur={() => setCrosshair(undefined)}
            >
                <div ref={setElement} className="cb-plot-canvas" />
                {box ? <Overlay box={box} markers={markerPlaces} dots={dotPlaces} pointed={pointed} /> : null}
                {box && brush ? (
                    <div
                        className="cb-brush"
                        style={{
                            left: left(Math.min(brush.from, brush.to)),
                            width: Math.abs(left(brush.to) - left(brush.from)),
                            top: box.top,
                            height: box.height,
                        }}
                    />
                ) : null}
            </div>
            <MarkList {...props} />
        </div>
    );
}

export function TimeChart(props: TimeChartProps) {
    const { times, lines, unit, height = CHART_HEIGHT } = props;
    const known = lines.some((line) => line.role !== "limit" && line.values.some((value) => value !== null));
    const hasData = times.length > 0 && known;
    const table = useMemo(
        () => ({
            columns: ["Time", ...lines.map((line) => line.name)],
            rows: () =>
                times.map((at, i) => [
                    formatTime(at, { seconds: true }),
                    ...lines.map((line) => formatUnit(unit, line.values[i])),
                ]),
        }),
        [times, lines, unit],
    );
    return (
        <ChartFrame
            title={props.title}
            summary={summaryOf(props)}
            legend={hasData ? <Legend {...props} /> : null}
            aside={hasData ? <CrosshairTime times={times} /> : null}
            table={table}
            height={height}
            loading={props.loading}
            hasData={hasData || (props.dots?.length ?? 0) > 0}
            empty={props.empty}
        >
            <Picture {...props} height={height} />
        </ChartFrame>
    );
}
