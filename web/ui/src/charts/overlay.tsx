// What lies over the lines of a chart: changes at its foot, dots of traces, and
// what is said about the one under the pointer. Drawn as SVG, found by distance.
import type { Dot, Marker } from "./types";

// Of the plot, in px of the chart's box, and its scales.
export interface PlotBox {
    left: number;
    top: number;
    width: number;
    height: number;
    yMax: number;
}

export interface Place<Item> {
    x: number; // within the plot
    y: number;
    item: Item;
}

export const HIT_RADIUS = 8;
const TOGETHER = 12;

export function xOf(at: number, from: number, to: number, width: number): number {
    return ((at - from) / (to - from)) * width;
}

// Changes within 12 px are one mark with a number.
export function placeMarkers(
    markers: readonly Marker[],
    from: number,
    to: number,
    box: PlotBox,
): Place<Marker[]>[] {
    const places: Place<Marker[]>[] = [];
    const inside = markers.filter((marker) => marker.at >= from && marker.at <= to);
    for (const marker of [...inside].sort((a, b) => a.at - b.at)) {
        const x = xOf(marker.at, from, to, box.width);
        const last = places[places.length - 1];
        if (last && x - last.x <= TOGETHER) last.item.push(marker);
        else places.push({ x, y: box.height - 6, item: [marker] });
    }
    return places;
}

// A value above the axis lies at its upper edge.
export function placeDots(dots: readonly Dot[], from: number, to: number, box: PlotBox): Place<Dot>[] {
    return dots
        .filter((dot) => dot.at >= from && dot.at <= to)
        .map((dot) => ({
            x: xOf(dot.at, from, to, box.width),
            y: box.height * (1 - Math.min(1, dot.value / (box.yMax || 1))),
            item: dot,
        }));
}

export function hit<Item>(places: readonly Place<Item>[], x: number, y: number): Place<Item> | undefined {
    let best: Place<Item> | undefined;
    let distance = HIT_RADIUS;
    for (const place of places) {
        const d = Math.hypot(place.x - x, place.y - y);
        if (d <= distance) [best, distance] = [place, d];
    }
    return best;
}

const MARKER_SHAPES: Record<Marker["kind"], string> = {
    version: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
    image: "M0 -5L5 0L0 5L-5 0Z",
    "pod-template": "M-4 -4H4V4H-4Z",
    warning: "M0 -5L5 4H-5Z",
    release: "M-5 -4H5L0 5Z",
};

function MarkerMark(props: { place: Place<Marker[]>; height: number }) {
    const { x, y, item } = props.place;
    const warning = item.find((marker) => marker.kind === "warning");
    // The shape says what was deployed, the colour whether something warned as well.
    const shown = item.find((marker) => marker.kind !== "warning") ?? item[0]!;
    return (
        <g
            className={`cb-marker cb-marker-${(warning ?? shown).kind}`}
            transform={`translate(${x.toFixed(1)} 0)`}
        >
            <path className="cb-marker-line" d={`M0 0V${props.height}`} />
            <path className="cb-marker-shape" transform={`translate(0 ${y})`} d={MARKER_SHAPES[shown.kind]} />
            {item.length > 1 ? (
                <text className="cb-marker-count" x={7} y={y + 4}>
                    {item.length}
                </text>
            ) : null}
        </g>
    );
}

function DotMark(props: { place: Place<Dot>; lit: boolean }) {
    const { x, y, item } = props.place;
    return (
        <path
            className={"cb-dot" + (item.failed ? " cb-dot-failed" : "") + (props.lit ? " cb-dot-lit" : "")}
            transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
            d={item.failed ? "M-3.5 -3.5H3.5V3.5H-3.5Z" : "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0"}
        />
    );
}

export interface Pointed {
    x: number;
    y: number;
    text: string[];
}

export function Overlay(props: {
    box: PlotBox;
    markers: readonly Place<Marker[]>[];
    dots: readonly Place<Dot>[];
    pointed?: Pointed;
}) {
    const { box, pointed } = props;
    return (
        <>
            <svg
                className="cb-overlay"
                style={{ left: box.left, top: box.top }}
                width={box.width}
                height={box.height}
                aria-hidden="true"
            >
                {props.markers.map((place) => (
                    <MarkerMark key={place.x} place={place} height={box.height} />
                ))}
                {props.dots.map((place) => (
                    <DotMark
                        key={place.item.traceId + place.item.at}
                        place={place}
                        lit={pointed !== undefined && pointed.x === place.x && pointed.y === place.y}
                    />
                ))}
            </svg>
            {pointed ? (
                <div
                    className={"cb-tip" + (pointed.x > box.width / 2 ? " cb-tip-left" : "")}
                    style={{ left: box.left + pointed.x, top: box.top + Math.max(0, pointed.y - 12) }}
                >
                    {pointed.text.map((line, i) => (
                        <div key={i}>{line}</div>
                    ))}
                </div>
            ) : null}
        </>
    );
}
