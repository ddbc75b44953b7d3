import { expect, test } from "vitest";
import { SpanNode, type ReadSpan } from "../trace/spans";
import type { FoundTrace } from "./ask_traces";
import { differences } from "./differences";
import { boxOf, boxText, durationNs, filterParams, filtersOf, tracesBody, withinBox } from "./filters";
import { durationAt, durationRange, nearest, placeX, placeY, radiusOf, timeAt, type Scale } from "./scale";

test("durations have a unit, or are seconds", () => {
    expect(durationNs("20ms")).toBe(20e6);
    expect(durationNs(" 1.5 s ")).toBe(1.5e9);
    expect(durationNs("0.005")).toBe(5e6);
    expect(durationNs("1e-3")).toBe(1e6);
    for (const wrong of [undefined, "", "ms", "5 bananas", "-1s", "1s2ms"])
        expect(durationNs(wrong)).toBeUndefined();
});

test("the filters of the address become a request", () => {
    const params = {
        ns: "acme",
        op: "GET /",
        min: "5ms",
        max: "x",
        errors: "1",
        "attr.http.route": "/a",
        "attr.": "b",
    };
    const filters = filtersOf(params);
    const range = { start: new Date(0), end: new Date(60_000) };
    const body = tracesBody({ namespace: "acme", component: "cart" }, range, filters);
    expect(body).toEqual({
        startTime: "1970-01-01T00:00:00.000Z",
        endTime: "1970-01-01T00:01:00.000Z",
        searchScope: { namespace: "acme", project: undefined, component: undefined, environment: undefined },
        limit: 1000,
        operation: "GET /",
        minDuration: "5000000ns",
        maxDuration: undefined,
        errorsOnly: true,
        attributes: { "http.route": "/a" },
    });
    expect(filterParams(params)).toEqual(["op", "min", "max", "errors", "attr.http.route", "attr."]);
});

test("a box narrows a request, and never widens it", () => {
    const box = { from: 10_000, to: 90_000, shortest: 0.001, longest: 0.5 };
    expect(boxOf(boxText(box))).toEqual(box);
    for (const wrong of [undefined, "", "a,b,c,d", "1970-01-01T00:00:09Z,1970-01-01T00:00:01Z,0.1,0.2"])
        expect(boxOf(wrong)).toBeUndefined();
    const range = { start: new Date(0), end: new Date(60_000) };
    const body = tracesBody({ namespace: "acme" }, range, filtersOf({ min: "5ms", max: "1s" }));
    expect(withinBox(body, box)).toMatchObject({
        startTime: "1970-01-01T00:00:10.000Z",
        endTime: "1970-01-01T00:01:00.000Z",
        minDuration: "5000000ns",
        maxDuration: "500000000ns",
    });
});

function trace(at: number, duration: number, failed = false): FoundTrace {
    return {
        id: `${at}`,
        name: "GET /",
        component: "web",
        project: "shop",
        at,
        start: "",
        duration,
        spans: 4,
        failed,
    };
}

test("places and values belong together", () => {
    const traces = [trace(10, 0.02), trace(50, 3), trace(90, 0.0005)];
    const range = durationRange(traces);
    expect(range.shortest).toBeCloseTo(0.0001);
    expect(range.longest).toBeCloseTo(10);
    const scale: Scale = { from: 0, to: 100, ...range, width: 500, height: 200 };
    for (const { at, duration } of traces) {
        expect(timeAt(scale, placeX(scale, at))).toBeCloseTo(at);
        expect(durationAt(scale, placeY(scale, duration))).toBeCloseTo(duration);
    }
    expect(nearest(scale, traces, placeX(scale, 50) + 3, placeY(scale, 3))).toBe(traces[1]);
    expect(nearest(scale, traces, placeX(scale, 50) + 30, placeY(scale, 3))).toBeUndefined();
});

test("no trace, and traces of no duration, have a scale", () => {
    expect(durationRange([])).toEqual({ shortest: 1e-3, longest: 1 });
    const { shortest, longest } = durationRange([trace(1, 0)]);
    expect(shortest).toBeGreaterThan(0);
    expect(longest).toBeGreaterThan(shortest);
    expect(radiusOf(100_000)).toBeLessThan(10);
});

function span(component: string, name: string, self: number, failed = false): SpanNode {
    const none = {
        environment: "",
        namespace: "",
        pod: "",
        operation: "",
        hidden: false,
        message: "",
        status: "",
    };
    const read: ReadSpan = {
        ...none,
        id: name,
        parentId: "",
        name,
        kind: "SERVER",
        start: 0,
        duration: self,
        failed,
        component,
        project: "shop",
    };
    const node = new SpanNode(read);
    node.self = self;
    return node;
}

test("two traces differ by number and self time of spans", () => {
    const rows = differences(
        [span("web", "GET /", 5), span("cart", "GET", 10), span("cart", "GET", 10)],
        [span("web", "GET /", 6), span("cart", "GET", 80, true), span("db", "SELECT", 30)],
    );
    expect(rows.map((row) => [row.component, row.counts, row.failed, row.self])).toEqual([
        ["cart", [2, 1], [0, 1], [20, 80]],
        ["db", [0, 1], [0, 0], [0, 30]],
        ["web", [1, 1], [0, 0], [5, 6]],
    ]);
});
