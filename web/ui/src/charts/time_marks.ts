// Round times for an axis that uPlot does not draw, and for lanes over time.
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
    ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
    ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
    ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
    ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
    ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * DAY),
];

// At most "most" times within [from, to], round in local time.
export function timeMarks(from: number, to: number, most: number): number[] {
    const step = STEPS.find((each) => (to - from) / each <= most) ?? (to - from) / Math.max(1, most);
    // The offset of the zone where the axis begins, so that hours and days are local ones.
    const offset = new Date(from).getTimezoneOffset() * MINUTE;
    const marks: number[] = [];
    for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) marks.push(at);
    return marks;
}
