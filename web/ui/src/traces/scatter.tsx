// Traces as marks: when they began and how long they took. A drag over it is a
// filter; a click opens. The list below has the same traces.
import { useCallback, useMemo, useRef, useState, type PointerEvent } from "react";
import { useCanvas, type Sheet } from "../charts/canvas";
import { formatSeconds, formatTime, shownName } from "../format";
import type { FoundTrace } from "./ask_traces";
import type { Box } from "./filters";
import {
    durationAt,
    durationRange,
    MARGIN,
    nearest,
    placeX,
    placeY,
    radiusOf,
    timeAt,
    type Scale,
} from "./scale";

const DRAG_PX = 5;
const STEPS_S = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800];

function timeTicks(scale: Scale): number[] {
    const wanted = (scale.to - scale.from) / 1000 / Math.max(1, scale.width / 110);
    const step = (STEPS_S.find((seconds) => seconds >= wanted) ?? 604_800) * 1000;
    const found: number[] = [];
    for (let at = Math.ceil(scale.from / step) * step; at < scale.to; at += step) found.push(at);
    return found;
}

function drawAxes(sheet: Sheet, scale: Scale) {
    const { context, height, color } = sheet;
    context.font = `12px ${getComputedStyle(context.canvas).fontFamily}`;
    context.strokeStyle = color("--cb-border");
    context.fillStyle = color("--cb-text-2");
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (let at = scale.shortest; at <= scale.longest * 1.001; at *= 10) {
        const y = Math.round(placeY(scale, at)) + 0.5;
        context.beginPath();
        context.moveTo(MARGIN.left, y);
        context.lineTo(MARGIN.left + scale.width, y);
        context.stroke();
        context.fillText(formatSeconds(at).replace(/\.0+ /, " "), MARGIN.left - 6, y);
    }
    context.textAlign = "center";
    const seconds = scale.to - scale.from < 600_000;
    for (const at of timeTicks(scale)) {
        const x = placeX(scale, at);
        if (x < MARGIN.left + 20 || x > MARGIN.left + scale.width - 20) continue;
        context.fillText(formatTime(at, { seconds }), x, height - MARGIN.bottom / 2);
    }
}

// Failed ones above the others, as squares.
function drawMarks(sheet: Sheet, scale: Scale, traces: readonly FoundTrace[]) {
    const { context, color } = sheet;
    for (const failed of [false, true]) {
        context.fillStyle = failed ? color("--cb-bad") : color("--cb-primary");
        context.globalAlpha = failed ? 0.9 : 0.5;
        for (const trace of traces) {
            if (trace.failed !== failed) continue;
            const x = placeX(scale, trace.at);
            const y = placeY(scale, trace.duration);
            const radius = radiusOf(trace.spans);
            context.beginPath();
            if (failed) context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
            else context.arc(x, y, radius, 0, 2 * Math.PI);
            context.fill();
        }
    }
    context.globalAlpha = 1;
}

interface Area {
    x0: number;
    y0: number;
    x1: number;
    y1: number;
}

function areaStyle(area: Area) {
    return {
        left: Math.min(area.x0, area.x1),
        top: Math.min(area.y0, area.y1),
        width: Math.abs(area.x1 - area.x0),
        height: Math.abs(area.y1 - area.y0),
    };
}

function Hint(props: { trace: FoundTrace; scale: Scale }) {
    const { trace, scale } = props;
    const x = placeX(scale, trace.at);
    const right = x > scale.width * 0.6;
    return (
        <div
            className="cb-tip"
            style={{
                top: placeY(scale, trace.duration) + 12,
                ...(right ? { right: MARGIN.left + scale.width + MARGIN.right - x } : { left: x }),
            }}
        >
            <b>{shownName(trace.component)}</b> {shownName(trace.name)}
            <br />
            {formatSeconds(trace.duration)}, {trace.spans} spans{trace.failed ? ", ■ failed" : ""}
            <br />
            {formatTime(trace.at, { ms: true })}
        </div>
    );
}

export function Scatter(props: {
    traces: readonly FoundTrace[];
    from: number;
    to: number;
    box: Box | undefined;
    summary: string;
    onBox: (box: Box | undefined) => void;
    onOpen: (trace: FoundTrace) => void;
}) {
    const { traces, from, to, box } = props;
    const range = useMemo(() => durationRange(traces), [traces]);
    const scaleOf = useCallback(
        (width: number, height: number): Scale => ({
            from,
            to,
            ...range,
            width: Math.max(1, width - MARGIN.left - MARGIN.right),
            height: Math.max(1, height - MARGIN.top - MARGIN.bottom),
        }),
        [from, to, range],
    );
    const draw = useCallback(
        (sheet: Sheet) => {
            const scale = scaleOf(sheet.width, sheet.height);
            sheet.context.clearRect(0, 0, sheet.width, sheet.height);
            drawAxes(sheet, scale);
            drawMarks(sheet, scale, traces);
        },
        [scaleOf, traces],
    );
    const { ref, width, height } = useCanvas(draw);
    const scale = scaleOf(width, height);
    const [hover, setHover] = useState<FoundTrace>();
    const [drag, setDrag] = useState<Area>();
    const pressed = useRef<{ x: number; y: number }>();

    const placeOf = (event: PointerEvent) => {
        const rect = ref.current!.getBoundingClientRect();
        return { x: event.clientX - rect.left, y: event.clientY - rect.top };
    };
    const down = (event: PointerEvent<HTMLDivElement>) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        pressed.current = placeOf(event);
    };
    const move = (event: PointerEvent) => {
        const at = placeOf(event);
        const start = pressed.current;
        setHover(start ? undefined : nearest(scale, traces, at.x, at.y));
        if (start) setDrag({ x0: start.x, y0: start.y, x1: at.x, y1: at.y });
    };
    const up = (event: PointerEvent) => {
        const start = pressed.current;
        const at = placeOf(event);
        pressed.current = undefined;
        setDrag(undefined);
        if (!start) return;
        if (Math.abs(at.x - start.x) < DRAG_PX && Math.abs(at.y - start.y) < DRAG_PX) {
            const trace = nearest(scale, traces, at.x, at.y);
            if (trace) props.onOpen(trace);
            return;
        }
        props.onBox({
            from: Math.round(timeAt(scale, Math.min(start.x, at.x))),
            to: Math.round(timeAt(scale, Math.max(start.x, at.x))),
            shortest: durationAt(scale, Math.max(start.y, at.y)),
            longest: durationAt(scale, Math.min(start.y, at.y)),
        });
    };
    const boxArea: Area | undefined = box && {
        x0: placeX(scale, Math.max(box.from, from)),
        x1: placeX(scale, Math.min(box.to, to)),
        y0: placeY(scale, Math.max(box.shortest, range.shortest)),
        y1: placeY(scale, Math.min(box.longest, range.longest)),
    };
    return (
        <figure
            className="cb-scatter"
            aria-label={`Traces by time and duration: ${props.summary}. The list below has the same.`}
        >
            <div
                className={hover ? "cb-scatter-area cb-scatter-opens" : "cb-scatter-area"}
                onPointerDown={down}
                onPointerMove={move}
                onPointerUp={up}
                onPointerLeave={() => setHover(undefined)}
                onDoubleClick={() => props.onBox(undefined)}
            >
                <canvas ref={ref} className="cb-scatter-canvas" />
                {width > 0 && boxArea && !drag ? (
                    <div className="cb-scatter-box" style={areaStyle(boxArea)} />
                ) : null}
                {drag ? <div className="cb-scatter-box" style={areaStyle(drag)} /> : null}
                {hover ? <Hint trace={hover} scale={scale} /> : null}
            </div>
            <figcaption className="cb-quiet">
                <span className="cb-scatter-dot" aria-hidden="true">
                    ●
                </span>{" "}
                trace{" "}
                <span className="cb-text-bad" aria-hidden="true">
                    ■
                </span>{" "}
                failed; the larger, the more spans. Drag a box to filter, click a mark to open.
            </figcaption>
        </figure>
    );
}
