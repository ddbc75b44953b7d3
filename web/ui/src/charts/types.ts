// What every chart over time shares. Times are milliseconds since 1970.
export interface Line {
    name: string;
    // One value per time of the chart; null is a gap.
    values: readonly (number | null)[];
    // A role that the style gives a colour: never a colour itself.
    role: "primary" | "error" | "warning" | "p50" | "p90" | "p99" | "limit" | "before" | "debug" | "info";
    fill?: boolean;
    // Bars that are stacked in the order of the lines (log volume).
    stacked?: boolean;
}

// A change: drawn as a mark at the foot of the chart and a line above it.
export interface Marker {
    at: number;
    kind: "version" | "image" | "pod-template" | "warning" | "release";
    text: string;
}

// A time in which something was wrong: a grey band behind the lines. Of kind
// "before": what it is compared with, in another colour.
export interface Band {
    kind?: "before";
    from: number;
    to: number;
    text: string;
}

// A trace: a dot that opens it.
export interface Dot {
    at: number;
    value: number;
    failed: boolean;
    traceId: string;
    text: string;
}

export type Unit = "rate" | "share" | "seconds" | "bytes" | "cores" | "count";

export interface TimeChartProps {
    title: string;
    unit: Unit;
    times: readonly number[];
    lines: readonly Line[];
    // The x axis: the time range of the page, not that of the data.
    from: number;
    to: number;
    stepMs: number;
    markers?: readonly Marker[];
    bands?: readonly Band[];
    dots?: readonly Dot[];
    height?: number;
    // A dragged range. Double click: onZoomOut.
    onBrush?: (from: number, to: number) => void;
    onZoomOut?: () => void;
    onDot?: (dot: Dot) => void;
    onMarker?: (markers: readonly Marker[]) => void;
    onMinute?: (at: number) => void; // key v at the crosshair
    onLine?: (line: Line) => void; // makes the entries of the legend buttons (only, hide)
    loading?: boolean;
    // In place of the picture: why there is nothing.
    empty?: string;
}
