import { expect, test } from "vitest";
import { chartLines, changeText, dotsOf, markersOf, shareOf, valuesBefore, type Series } from "./series";
import type { Change } from "./page_data";

const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, "0")}:00Z`;
const points = (...values: (number | null)[]) => values.map((value, i) => ({ timestamp: at(i), value }));

test("a step without a failed request is a share of 0, one without requests unknown", () => {
    const share = shareOf([{ timestamp: at(1), value: 1 }], points(4, 4, null, 0));
    expect(share.map(({ value }) => value)).toEqual([0, 0.25, null, null]);
});

test("what was before is found although its steps begin elsewhere", () => {
    const times = [at(10), at(11), at(12)].map((text) => Date.parse(text));
    const before = [0, 1].map((i) => ({ timestamp: `2026-01-01T00:0${i}:20Z`, value: i + 1 }));
    expect(valuesBefore(times, before, 600_000, 60_000)).toEqual([1, 2, null]);
});

test("a chart has one list of times, and what was before of its first line", () => {
    const series = { requestRate: points(1, 2), cpuUsage: points(1, 2, 3) } as unknown as Series;
    const earlier = { requestRate: points(5, 6) } as unknown as Series;
    const drawn = chartLines(
        [
            { name: "requests", role: "primary", of: (all) => all.requestRate },
            { name: "CPU", role: "limit", of: (all) => all.cpuUsage },
        ],
        series,
        { series: earlier, shift: 0, name: "before" },
        60_000,
    );
    expect(drawn.times).toHaveLength(3);
    expect(drawn.lines.map((line) => [line.name, line.values])).toEqual([
        ["requests", [1, 2, null]],
        ["CPU", [1, 2, 3]],
        ["before", [5, 6, null]],
    ]);
});

const change = (more: Partial<Change>): Change => ({
    timestamp: at(3),
    type: "Normal",
    kind: "version",
    message: "",
    ...more,
});

test("markers are what became another, and warnings", () => {
    const markers = markersOf([
        change({ from: "1.1.6", to: "1.1.7" }),
        change({ kind: "kubernetes", message: "Pulled" }),
        change({ kind: "kubernetes", type: "Warning", message: "BackOff" }),
        change({ kind: "release", message: "release x succeeded" }),
    ]);
    expect(markers.map(({ kind, text }) => [kind, text])).toEqual([
        ["version", "version 1.1.6 → 1.1.7"],
        ["warning", "BackOff"],
    ]);
    expect(changeText(change({ kind: "pod-template", to: "abc" }))).toBe("pod template abc");
});

test("a trace is one dot, failed if it failed; none outside of the range", () => {
    const trace = {
        traceId: "a",
        spanId: "b",
        endpoint: "http",
        operation: "GET /",
        duration: 0.2,
        timestamp: at(1),
    };
    const [from, to] = [Date.parse(at(0)), Date.parse(at(9))];
    const dots = dotsOf(
        { slowest: [trace], failed: [trace, { ...trace, traceId: "c", timestamp: at(20) }] },
        from,
        to,
    );
    expect(dots).toMatchObject([{ traceId: "a", failed: true, value: 0.2 }]);
});
