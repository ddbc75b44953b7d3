// All spans of the trace in a small picture; a drag over it zooms the rows.
import { useCallback, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { useCanvas, type Sheet } from "../charts/canvas";
import { formatSeconds } from "../format";
import type { Arranged } from "./arrange";
import { TONES } from "./colours";
import { shareOf, type TimeWindow } from "./window";

const HEIGHT = 56;
// Shorter drags are clicks.
const DRAG_PX = 4;

function drawSpans(sheet: Sheet, arranged: Arranged, tone: (node: Arranged["nodes"][number]) => number) {
    const { context, width, height } = sheet;
    const { nodes, end } = arranged;
    const colours = Array.from({ length: TONES + 1 }, (_, i) => sheet.color(`--cb-tone-${i}`));
    const bad = sheet.color("--cb-bad");
    const scale = width / Math.max(end, 1);
    const pitch = height / Math.max(nodes.length, 8);
    const thick = Math.max(1, Math.min(4, pitch - 0.5));
    // Of many rows, one in each line of pixels is drawn; failed ones all.
    const every = Math.max(1, Math.floor(nodes.length / (height * 4)));
    nodes.forEach((node, row) => {
        if (row % every !== 0 && !node.failed) return;
        context.fillStyle = node.failed ? bad : colours[tone(node)]!;
        context.fillRect(node.start * scale, row * pitch, Math.max(1, node.duration * scale), thick);
    });
}

export function Minimap(props: {
    arranged: Arranged;
    tone: (node: Arranged["nodes"][number]) => number;
    window: TimeWindow;
    onWindow: (window: TimeWindow | undefined) => void;
}) {
    const { arranged, tone, window: shown, onWindow } = props;
    const whole = { from: 0, to: Math.max(arranged.end, 1) };
    const draw = useCallback((sheet: Sheet) => drawSpans(sheet, arranged, tone), [arranged, tone]);
    const { ref, width } = useCanvas(draw);
    const start = useRef<number>();
    const [drag, setDrag] = useState<[number, number]>();

    const placeOf = (event: PointerEvent) => {
        const box = ref.current!.getBoundingClientRect();
        return Math.max(0, Math.min(1, (event.clientX - box.left) / Math.max(1, box.width)));
    };
    const down = (event: PointerEvent<HTMLDivElement>) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = placeOf(event);
    };
    const move = (event: PointerEvent) => {
        if (start.current !== undefined) setDrag([start.current, placeOf(event)]);
    };
    const up = (event: PointerEvent) => {
        const from = start.current;
        start.current = undefined;
        setDrag(undefined);
        if (from === undefined) return;
        const to = placeOf(event);
        if (Math.abs(to - from) * width < DRAG_PX) return;
        onWindow({ from: Math.min(from, to) * whole.to, to: Math.max(from, to) * whole.to });
    };
    const keyDown = (event: KeyboardEvent) => {
        const step = (shown.to - shown.from) / 4;
        const next: Record<string, TimeWindow> = {
            ArrowLeft: { from: shown.from - step, to: shown.to - step },
            ArrowRight: { from: shown.from + step, to: shown.to + step },
            "+": { from: shown.from + step / 2, to: shown.to - step / 2 },
            "-": { from: shown.from - step, to: shown.to + step },
        };
        const wanted = next[event.key];
        if (event.key === "Escape" || event.key === "0") onWindow(undefined);
        else if (wanted) {
            const length = Math.min(wanted.to - wanted.from, whole.to);
            const from = Math.max(0, Math.min(wanted.from, whole.to - length));
            onWindow({ from, to: from + length });
        } else return;
        event.preventDefault();
        event.stopPropagation();
    };
    const edges = drag
        ? [Math.min(...drag), Math.max(...drag)]
        : [shareOf(whole, shown.from), shareOf(whole, shown.to)];
    const text = `${formatSeconds(shown.from / 1e9)} to ${formatSeconds(shown.to / 1e9)} of ${formatSeconds(whole.to / 1e9)}`;
    const zoomed = shown.from > 0 || shown.to < whole.to;
    return (
        <figure className="cb-minimap" aria-label={`All spans; shown: ${text}`}>
            <div
                className="cb-minimap-area"
                role="slider"
                tabIndex={0}
                aria-label="Time that is shown"
                aria-valuemin={0}
                aria-valuemax={100}
                aria-valuenow={Math.round(edges[0]! * 100)}
                aria-valuetext={text}
                title="Drag to zoom. Keys: arrows move, + and − zoom, 0 shows all."
                onPointerDown={down}
                onPointerMove={move}
                onPointerUp={up}
                onDoubleClick={() => onWindow(undefined)}
                onKeyDown={keyDown}
            >
                <canvas ref={ref} className="cb-minimap-canvas" style={{ height: HEIGHT }} />
                <span className="cb-minimap-out" style={{ left: 0, width: `${edges[0]! * 100}%` }} />
                <span className="cb-minimap-out" style={{ right: 0, width: `${(1 - edges[1]!) * 100}%` }} />
            </div>
            {zoomed ? (
                <figcaption>
                    {text}{" "}
                    <button type="button" className="cb-text-button" onClick={() => onWindow(undefined)}>
                        Show all
                    </button>
                </figcaption>
            ) : null}
        </figure>
    );
}
