import { describe, expect, it } from "vitest";
import { layoutGraph, signature, top, type Placement } from "./graph_layout";
import type { Graph, GraphEdge, GraphNode } from "./graph_model";

const figures = { requests: 100, failed: 0, rate: 1, errorRatio: 0, p50: 0.01, p90: 0.02, p99: 0.03 };
const node = (id: string, extra: Partial<GraphNode> = {}): GraphNode => ({
    id,
    kind: "component",
    name: id,
    health: "ok",
    ...figures,
    ...extra,
});
const edge = (source: string, target: string): GraphEdge => ({
    id: `${source}>${target}`,
    source,
    target,
    health: "ok",
    declarable: true,
    ...figures,
});

// Numbers of a generator, so that each run has the same graphs.
function random(seed: number) {
    let state = seed;
    return (below: number) => {
        state = (state * 1103515245 + 12345) % 2147483648;
        return Math.floor((state / 2147483648) * below);
    };
}

function randomGraph(size: number, seed: number, cycles: boolean): Graph {
    const next = random(seed);
    const nodes = Array.from({ length: size }, (_, i) => node(`n${i}`, { name: "x".repeat(3 + next(30)) }));
    const edges = new Map<string, GraphEdge>();
    for (let i = 1; i < size; i++)
        for (let j = 0; j <= next(3); j++) {
            const other = next(i);
            const made = cycles && next(8) === 0 ? edge(`n${i}`, `n${other}`) : edge(`n${other}`, `n${i}`);
            edges.set(made.id, made);
        }
    return { nodes, edges: [...edges.values()] };
}

// Points of a path of M, H and C, close together.
function pointsOf(path: string): { x: number; y: number }[] {
    const points: { x: number; y: number }[] = [];
    let [x, y] = [0, 0];
    for (const [, command, rest] of path.matchAll(/([MHC])([^MHC]*)/g)) {
        const v = rest!.trim().split(/[ ,]+/).map(Number);
        if (command === "M") [x, y] = [v[0]!, v[1]!];
        else if (command === "H") {
            for (let t = 0; t <= 20; t++) points.push({ x: x + ((v[0]! - x) * t) / 20, y });
            x = v[0]!;
        } else {
            for (let t = 0; t <= 20; t++) {
                const [a, b] = [t / 20, 1 - t / 20];
                const mix = (p: number, q: number, r: number, s: number) =>
                    b * b * b * p + 3 * b * b * a * q + 3 * b * a * a * r + a * a * a * s;
                points.push({ x: mix(x, v[0]!, v[2]!, v[4]!), y: mix(y, v[1]!, v[3]!, v[5]!) });
            }
            [x, y] = [v[4]!, v[5]!];
        }
    }
    return points;
}

function behind(graph: Graph, placement: Placement): string[] {
    const found: string[] = [];
    for (const { id, source, target } of graph.edges) {
        const points = pointsOf(placement.edges.get(id)!.path);
        for (const [other, box] of placement.nodes) {
            if (other === source || other === target) continue;
            const inside = points.some(
                ({ x, y }) =>
                    Math.abs(x - box.x) < box.width / 2 - 0.5 &&
                    y > top(box) + 0.5 &&
                    y < top(box) + box.height - 0.5,
            );
            if (inside) found.push(`${id} behind ${other}`);
        }
    }
    return found;
}

describe("layoutGraph", () => {
    it("keeps edges from running behind nodes, in graphs with and without cycles", () => {
        for (let seed = 1; seed <= 12; seed++) {
            const graph = randomGraph(30, seed, seed % 2 === 0);
            expect(behind(graph, layoutGraph(graph))).toEqual([]);
        }
    });
    it("keeps nodes apart", () => {
        const boxes = [...layoutGraph(randomGraph(40, 7, true)).nodes.values()];
        for (const [i, a] of boxes.entries())
            for (const b of boxes.slice(i + 1))
                expect(
                    Math.abs(a.x - b.x) >= (a.width + b.width) / 2 ||
                        Math.abs(a.y - b.y) >= (a.height + b.height) / 2,
                ).toBe(true);
    });
    it("is the same for the same nodes and edges in any order and with any figures", () => {
        const graph = randomGraph(25, 3, true);
        const other: Graph = {
            nodes: [...graph.nodes].reverse().map((n) => ({ ...n, rate: n.rate * 1234, requests: 5 })),
            edges: [...graph.edges].reverse().map((e) => ({ ...e, failed: 3, errorRatio: 0.03 })),
        };
        expect(signature(other)).toBe(signature(graph));
        const places = (g: Graph) => Object.fromEntries(layoutGraph(g).nodes);
        expect(places(other)).toEqual(places(graph));
    });
    it("puts callers left of what they call, and nodes without edges below", () => {
        const graph: Graph = { nodes: ["a", "b", "c"].map((id) => node(id)), edges: [edge("b", "a")] };
        const { nodes } = layoutGraph(graph);
        expect(nodes.get("b")!.x).toBeLessThan(nodes.get("a")!.x);
        expect(nodes.get("c")!.y).toBeGreaterThan(nodes.get("a")!.y);
    });
    it("draws a call to itself, both directions, and nothing at all", () => {
        const graph: Graph = {
            nodes: [node("a"), node("b")],
            edges: [edge("a", "a"), edge("a", "b"), edge("b", "a")],
        };
        expect(layoutGraph(graph).edges.size).toBe(3);
        expect(layoutGraph({ nodes: [], edges: [] })).toMatchObject({ width: 0, height: 0 });
    });
    it("has a place for hostile names", () => {
        const graph: Graph = {
            nodes: ["__proto__", "constructor", "\u202eabc", "x".repeat(300)].map((id) => node(id)),
            edges: [edge("__proto__", "constructor"), edge("constructor", "__proto__")],
        };
        const { nodes } = layoutGraph(graph);
        expect(nodes.size).toBe(4);
        for (const box of nodes.values()) expect(box.width).toBeLessThan(400);
    });
});
