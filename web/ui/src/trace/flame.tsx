// The flame picture: where the time of the trace is, with the same as a table below.
import { useCallback, useMemo, useRef, useState, type MouseEvent } from "react";
import { useCanvas, type Sheet } from "../charts/canvas";
import { formatCount, formatSeconds, formatShare, shownName } from "../format";
import { Name } from "../parts/marks";
import { DataTable, type Column } from "../parts/table";
import type { Arranged } from "./arrange";
import type { SpanNode } from "./spans";
import { TONES } from "./colours";
import { flameFrames, operationTimes, type Frame, type OperationTime } from "./flame_frames";

const LINE = 22;
const HEIGHT = 440;

interface Part {
    left: number; // ns
    width: number;
    depth: number; // what is above is drawn over the whole width
}

function drawFrame(sheet: Sheet, frame: Frame, box: { x: number; y: number; width: number }, colour: string) {
    const { context } = sheet;
    context.fillStyle = colour;
    context.fillRect(box.x, box.y, Math.max(0.5, box.width - 1), LINE - 1);
    if (box.width < 24) return;
    context.save();
    context.beginPath();
    context.rect(box.x, box.y, box.width - 4, LINE);
    context.clip();
    context.fillStyle = sheet.color("--cb-surface");
    const mark = frame.failed > 0 ? "! " : "";
    const text = `${mark}${shownName(frame.component)} ${shownName(frame.name)}`.slice(0, 200);
    context.fillText(text, box.x + 5, box.y + LINE / 2);
    context.restore();
}

// Frames within the part that is shown, as the picture has them.
function placeOf(frame: Frame, part: Part, width: number): { x: number; width: number } | undefined {
    const scale = width / Math.max(1, part.width);
    const from = Math.max(frame.left, part.left);
    const to = Math.min(frame.left + frame.total, part.left + part.width);
    if (to <= from || (to - from) * scale < 0.4) return undefined;
    return { x: (from - part.left) * scale, width: (to - from) * scale };
}

function useFlame(frames: readonly Frame[], part: Part, tone: (frame: Frame) => number, top: number) {
    const draw = useCallback(
        (sheet: Sheet) => {
            const { context, width, height } = sheet;
            const colours = Array.from({ length: TONES + 1 }, (_, i) => sheet.color(`--cb-tone-${i}`));
            context.clearRect(0, 0, width, height);
            context.font = `12px ${getComputedStyle(context.canvas).fontFamily}`;
            context.textBaseline = "middle";
            for (const frame of frames) {
                const y = frame.depth * LINE - top;
                if (y < -LINE || y > height) continue;
                const place = placeOf(frame, part, width);
                if (place) drawFrame(sheet, frame, { ...place, y }, colours[tone(frame)]!);
            }
        },
        [frames, part, tone, top],
    );
    return useCanvas(draw);
}

const COLUMNS = (
    tone: (node: { project: string; component: string }) => number,
    total: number,
): Column<OperationTime>[] => [
    {
        id: "name",
        title: "Component and span",
        width: "minmax(10rem, 4fr)",
        cell: (item) => (
            <>
                <span className={`cb-swatch cb-tone-${tone(item)}`} aria-hidden="true" />{" "}
                <b>{shownName(item.component)}</b> <Name text={item.name} />
            </>
        ),
    },
    { id: "spans", title: "Spans", width: "5rem", align: "end", cell: (item) => formatCount(item.spans) },
    {
        id: "failed",
        title: "Failed",
        width: "4rem",
        align: "end",
        hiddenBelow: 500,
        cell: (item) => (item.failed > 0 ? <span className="cb-text-bad">! {item.failed}</span> : ""),
    },
    {
        id: "self",
        title: "Self time",
        width: "6rem",
        align: "end",
        cell: (item) => formatSeconds(item.self / 1e9),
    },
    {
        id: "share",
        title: "Share",
        width: "4.5rem",
        align: "end",
        cell: (item) => formatShare(total > 0 ? item.self / total : 0),
    },
];

export function Flame(props: {
    arranged: Arranged;
    tone: (node: { project: string; component: string }) => number;
    onSelect: (node: SpanNode | undefined) => void;
}) {
    const { arranged, tone, onSelect } = props;
    const frames = useMemo(() => flameFrames(arranged), [arranged]);
    const operations = useMemo(() => operationTimes(frames), [frames]);
    const total = operations.reduce((sum, item) => sum + item.self, 0);
    const depth = frames.reduce((max, frame) => Math.max(max, frame.depth + 1), 0);
    const [zoomed, setZoomed] = useState<number>();
    const [top, setTop] = useState(0);
    const [hover, setHover] = useState<Frame>();
    const chosen = zoomed === undefined ? undefined : frames[zoomed];
    const part = useMemo<Part>(
        () =>
            chosen
                ? { left: chosen.left, width: chosen.total, depth: chosen.depth }
                : { left: 0, width: total, depth: 0 },
        [chosen, total],
    );
    const { ref, width } = useFlame(frames, part, tone, top);
    const scroller = useRef<HTMLDivElement>(null);
    const columns = useMemo(() => COLUMNS(tone, total), [tone, total]);

    const frameAt = (event: MouseEvent): Frame | undefined => {
        const box = ref.current!.getBoundingClientRect();
        const wanted = Math.floor((event.clientY - box.top + top) / LINE);
        const x = event.clientX - box.left;
        return frames.find((frame) => {
            if (frame.depth !== wanted) return false;
            const place = placeOf(frame, part, width);
            return place !== undefined && x >= place.x && x < place.x + place.width;
        });
    };
    const told = hover ?? chosen ?? frames[0];
    return (
        <figure
            className="cb-flame"
            aria-label={`Self time by path, ${formatSeconds(total / 1e9)} in all; the table below has the same figures`}
        >
            <div
                ref={scroller}
                className="cb-flame-scroller"
                style={{ maxHeight: HEIGHT }}
                onScroll={(event) => setTop(event.currentTarget.scrollTop)}
            >
                {/* eslint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events -- the table below is for the keyboard */}
                <div
                    style={{ height: depth * LINE }}
                    onMouseMove={(event) => setHover(frameAt(event))}
                    onMouseLeave={() => setHover(undefined)}
                    onClick={(event) => {
                        const frame = frameAt(event);
                        if (frame) setZoomed(frames.indexOf(frame));
                    }}
                    onDoubleClick={() => setZoomed(undefined)}
                >
                    <canvas
                        ref={ref}
                        className="cb-flame-canvas"
                        style={{ height: Math.min(HEIGHT, Math.max(1, depth) * LINE) }}
                    />
                </div>
            </div>
            <figcaption>
                {told ? (
                    <>
                        <b>{shownName(told.component)}</b> <Name text={told.name} />:{" "}
                        {formatSeconds(told.total / 1e9)} ({formatShare(total > 0 ? told.total / total : 0)}),
                        of it itself {formatSeconds(told.self / 1e9)},{" "}
                        {told.spans === 1 ? "1 span" : `${told.spans} spans`}
                    </>
                ) : null}{" "}
                {chosen ? (
                    <button type="button" className="cb-text-button" onClick={() => setZoomed(undefined)}>
                        Show all
                    </button>
                ) : (
                    <span className="cb-quiet">A click on a frame shows it over the whole width.</span>
                )}
            </figcaption>
            <DataTable
                label="Self time by component and span"
                rows={operations}
                columns={columns}
                keyOf={(item) => item.key}
                height="24rem"
                rowHeight={30}
                onOpen={(item) => onSelect(arranged.nodes[item.row])}
            />
        </figure>
    );
}
