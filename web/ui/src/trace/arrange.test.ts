import { expect, test } from "vitest";
import type { Schemas } from "../client";
import { arrange, type Arranged } from "./arrange";
import recorded from "./recorded.json";
import { offsetReader, readLogs, readPageSpans, readTreeSpans, SpanNode, type ReadSpan } from "./spans";

// Answers of GET /api/v1/traces/{traceId}: a checkout, and a trace with a ring, a clock
// that is behind, an id that occurs twice, a missing parent and a message.
const trees = recorded as unknown as Record<string, Schemas["TraceTree"]>;

function span(
    id: string,
    parentId: string,
    start: number,
    duration: number,
    more: Partial<ReadSpan> = {},
): SpanNode {
    return new SpanNode({
        id,
        parentId,
        name: id,
        kind: "INTERNAL",
        start,
        duration,
        failed: false,
        status: "unset",
        message: "",
        component: "c",
        project: "p",
        environment: "",
        namespace: "",
        pod: "",
        operation: "",
        hidden: false,
        ...more,
    });
}

const shape = (arranged: Arranged) => arranged.nodes.map((node) => "  ".repeat(node.depth) + node.id);

test.each(Object.keys(trees))(
    "%s: the same tree, self times and critical path as those of the API",
    (name) => {
        const tree = trees[name]!;
        const spans = readTreeSpans(tree.spans);
        for (const order of [spans, [...spans].reverse()]) {
            const arranged = arrange(order);
            const ours = arranged.nodes.map((node) => [
                node.depth,
                node.name,
                node.self,
                node.critical,
                node.parts !== undefined,
                node.origin,
                node.async,
                node.missing,
                node.orphan,
                node.cycle,
                node.clock,
            ]);
            const theirs = tree.spans.map((node) => [
                node.depth,
                node.spanName,
                node.selfTimeNs,
                node.criticalPathNs,
                node.onCriticalPath === true,
                node.errorOrigin === true,
                node.asynchronous === true,
                node.missing === true,
                node.orphan === true,
                node.parentCycle === true,
                node.clockOffsetNs ?? 0,
            ]);
            // Of two spans with one id the first that is read counts as the first.
            if (order === spans || name === "shop") expect(ours).toEqual(theirs);
            expect(arranged.end).toBe(tree.summary.durationNs);
            expect(arranged.depth).toBe(tree.summary.depth);
        }
    },
);

test("the parts of the critical path add up to the root, and lie on their spans", () => {
    const { nodes, main } = arrange(readTreeSpans(trees.shop!.spans));
    const sum = nodes.reduce((all, node) => all + node.critical, 0);
    expect(sum).toBe(nodes[main]!.duration);
    for (const node of nodes)
        for (const at of node.parts ?? []) {
            expect(at).toBeGreaterThanOrEqual(node.start);
            expect(at).toBeLessThanOrEqual(node.start + node.duration);
        }
});

test("a ring of parents is cut at its earliest span", () => {
    const arranged = arrange([
        span("a", "b", 5, 1),
        span("b", "c", 3, 1),
        span("c", "a", 4, 1),
        span("d", "d", 9, 1),
    ]);
    expect(shape(arranged)).toEqual(["b", "  a", "    c", "d"]);
    expect(arranged.cycles).toBe(2);
    expect(arranged.nodes.map((node) => node.cycle)).toEqual([true, false, false, true]);
});

test("spans without their parent are below one that stands for it, as long as they are", () => {
    const arranged = arrange([span("a", "", 0, 10), span("b", "x", 2, 3), span("c", "x", 4, 9)]);
    expect(shape(arranged)).toEqual(["a", "x", "  b", "  c"]);
    expect(arranged.nodes[1]).toMatchObject({ missing: true, start: 2, duration: 11, self: 0 });
    expect(arranged.nodes[2]).toMatchObject({ orphan: true });
    expect(arranged.nodes[arranged.main]!.id).toBe("a");
});

test("only the root is missing: the first is the main one", () => {
    const arranged = arrange([span("b", "x", 2, 3), span("c", "x", 4, 9)]);
    expect(arranged.main).toBe(0);
    expect(arranged.nodes[0]).toMatchObject({ missing: true, duration: 11 });
});

test("the same id twice: both are there, with keys of their own", () => {
    const arranged = arrange([
        span("a", "", 0, 10, { kind: "CLIENT" }),
        span("a", "", 1, 8, { kind: "SERVER" }),
        span("a", "", 20, 5),
        span("b", "a", 2, 3),
    ]);
    expect(arranged.nodes.map((node) => node.key)).toEqual(["a", "a.2", "b", "a.3"]);
    expect(arranged.nodes[1]!.depth).toBe(1);
    expect(arranged.rowOf.get("a")).toBe(0);
    expect(arranged.duplicates).toBe(2);
});

test("a clock that is behind is told, and nothing is moved", () => {
    const arranged = arrange([
        span("a", "", 100, 50, { kind: "CLIENT" }),
        span("b", "a", 40, 30, { kind: "SERVER", component: "other" }),
        span("c", "b", 45, 10, { component: "other" }),
    ]);
    const [a, b, c] = arranged.nodes;
    expect([b!.start, b!.clock, b!.skewed]).toEqual([40, -70, true]);
    expect([c!.start, c!.clock, c!.skewed]).toEqual([45, -70, false]);
    expect(a!.self).toBe(20);
    expect(arranged.skewed).toBe(1);
});

test("10,000 deep, and one parent of all: nothing recurses", () => {
    const chain = Array.from({ length: 10_000 }, (_, i) =>
        span(`s${i}`, i ? `s${i - 1}` : "", i, 20_000 - 2 * i),
    );
    const deep = arrange(chain.reverse());
    expect(deep.depth).toBe(10_000);
    expect(deep.nodes[9_999]).toMatchObject({ id: "s9999", depth: 9_999, self: 2 });
    expect(deep.nodes[0]).toMatchObject({ last: 9_999, self: 2 });
    const wide = arrange(
        Array.from({ length: 50_000 }, (_, i) => span(`s${i}`, i ? "s0" : "", i, i ? 1 : 50_000)),
    );
    expect(wide.nodes[0]).toMatchObject({ children: 49_999, last: 49_999, self: 1 });
    expect(wide.nodes[0]!.critical).toBe(1);
});

test("nothing", () => {
    expect(arrange([])).toMatchObject({ nodes: [], main: 0, end: 0, depth: 0 });
});

test("times of pages are read to the nanosecond; the place in the list behind it is not", () => {
    const offsetOf = offsetReader("2026-01-01T00:00:59.999999999Z");
    expect(offsetOf("2026-01-01T00:01:00.000000001Z")).toBe(2);
    expect(offsetOf("2026-01-01T00:01:00Z")).toBe(1);
    expect(offsetOf("2026-01-01T00:01:00.5Z")).toBe(500_000_001);
    expect(offsetOf("2026-01-01T00:01:00.0000000019610277178349927713Z")).toBe(2);
    const [read] = readPageSpans(
        [
            {
                spanId: "1",
                spanName: "hidden",
                startTime: "2026-01-01T00:01:00Z",
                endTime: "2026-01-01T00:01:00Z",
                durationNs: 0,
                status: { code: "unset" },
            },
        ],
        offsetOf,
    );
    expect(read).toMatchObject({ start: 1, hidden: true, parentId: "" });
});

test("log records of spans and of none are read by time", () => {
    const logs = readLogs(trees.shop!);
    expect(logs.length).toBe(trees.shop!.summary.logCount);
    expect(logs.map((log) => log.at)).toEqual([...logs.map((log) => log.at)].sort((a, b) => a - b));
});
