import { fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import { TopologyGraph } from "./graph";
import {
    filterGraph,
    graphOf,
    neighbourhood,
    troubled,
    type Graph,
    type GraphEdge,
    type GraphNode,
    type Topology,
} from "./graph_model";
import { neighbourOf } from "./graph_keys";
import { layoutGraph } from "./graph_layout";
import { edgeWidth } from "./graph_parts";
import { cutName } from "./graph_text";
import { firstView, fitted } from "./graph_viewport";

const figures = { requests: 100, failed: 0, rate: 1, errorRatio: 0, p50: 0.01, p90: 0.02, p99: 0.03 };
const node = (name: string, more: Partial<GraphNode> = {}): GraphNode => ({
    id: name,
    kind: "component",
    name,
    health: "ok",
    ...figures,
    ...more,
});
const edge = (source: string, target: string, more: Partial<GraphEdge> = {}): GraphEdge => ({
    id: `${source}>${target}`,
    source,
    target,
    health: "ok",
    declarable: true,
    ...figures,
    ...more,
});
const graph: Graph = {
    nodes: [
        node("internet", { kind: "gateway" }),
        node("web"),
        node("inventory", { health: "bad", errorRatio: 0.1, failed: 10 }),
        node("search"),
        node("stock", { kind: "database", system: "redis" }),
        node("far"),
    ],
    edges: [
        edge("internet", "web"),
        edge("web", "inventory", { health: "bad", errorRatio: 0.1 }),
        edge("web", "search", { drift: "undeclared" }),
        edge("inventory", "stock", { declarable: false }),
        edge("search", "far", { drift: "unused", requests: 0, rate: 0 }),
    ],
};
const ids = (part: Graph) => part.nodes.map((item) => item.id);

describe("the model", () => {
    const metrics = {
        requestCount: 600,
        unsuccessfulRequestCount: 60,
        meanLatency: 0.01,
        latencyP50: 0.01,
        latencyP90: 0.02,
        latencyP99: 0.03,
    };
    const orders = { kind: "component", namespace: "acme", project: "shop", component: "orders" };
    const queue = { kind: "external", name: "orders", externalKind: "queue", system: "kafka" };
    const call = (source: object, target: object, more = {}) => ({
        id: Math.random().toString(),
        source,
        target,
        protocol: "http",
        metrics,
        ...more,
    });
    const topology = {
        nodes: [
            { ...orders, metrics },
            { ...queue, metrics },
        ],
        edges: [
            call(orders, queue),
            call({ ...orders, service: "grpc" }, queue),
            call(orders, { kind: "external", name: "not there" }),
        ],
        summary: {
            startTime: "2025-01-15T08:00:00Z",
            endTime: "2025-01-15T08:10:00Z",
            generatedAt: "2025-01-15T08:10:00Z",
        },
    } as unknown as Topology;

    it("tells a queue from a component of one name", () => {
        expect(graphOf(topology, new Map()).nodes).toHaveLength(2);
    });
    it("makes one edge of those between the same nodes, and adds their counts", () => {
        const { edges } = graphOf(topology, new Map());
        expect(edges).toHaveLength(1);
        expect(edges[0]).toMatchObject({
            requests: 1200,
            failed: 120,
            rate: 2,
            errorRatio: 0.1,
            health: "bad",
        });
    });
    it("takes the health of the list of components where it is known", () => {
        const known = graphOf(topology, new Map([["component/acme/shop/orders", "silent" as const]]));
        expect(known.nodes[0]!.health).toBe("silent");
        expect(known.nodes[1]!.health).toBe("bad");
    });
    it("has drift only where the catalogue is asked", () => {
        const of = (more: object) =>
            graphOf({ ...topology, edges: [call(orders, queue, more)] } as unknown as Topology, new Map())
                .edges[0];
        expect(of({ declared: false, observed: true })?.drift).toBe("undeclared");
        expect(of({ declared: true, observed: false })?.drift).toBe("unused");
        expect(of({ via: "queue", observed: true })?.drift).toBeUndefined();
        expect(of({})?.declarable).toBe(false);
    });
    it("filters by kind, focus, drift and trouble", () => {
        const all = { gateways: true, external: true, hops: 1 };
        expect(ids(filterGraph(graph, { ...all, gateways: false, external: false }))).toEqual([
            "web",
            "inventory",
            "search",
            "far",
        ]);
        expect(ids(filterGraph(graph, { ...all, focus: "search" }))).toEqual(["web", "search", "far"]);
        expect(filterGraph(graph, { ...all, only: "drift" }).edges.map((item) => item.drift)).toEqual([
            "undeclared",
            "unused",
        ]);
        expect(ids(troubled(graph))).toEqual(["internet", "web", "inventory", "search", "stock"]);
        expect([...neighbourhood(graph, new Set(["stock"]), 2)].sort()).toEqual([
            "inventory",
            "stock",
            "web",
        ]);
    });
});

describe("pan and zoom", () => {
    const frame = { width: 300, height: 200 };
    it("fits all, but begins with a part that can be read", () => {
        expect(fitted({ width: 3000, height: 100 }, frame).scale).toBe(0.15);
        const view = firstView({ width: 3000, height: 100 }, frame, { x: 1500, y: 50 });
        expect(view.scale).toBeGreaterThan(0.5);
        expect(1500 * view.scale + view.x).toBeCloseTo(150);
    });
    it("does not begin outside of the graph", () => {
        const view = firstView({ width: 3000, height: 100 }, frame, { x: 0, y: 0 });
        expect(view.x).toBe(0);
    });
});

describe("the picture", () => {
    it("moves through the nodes by keys, along calls first", () => {
        const placement = layoutGraph(graph);
        expect(neighbourOf(graph, placement, "web", "left")).toBe("internet");
        expect(["inventory", "search"]).toContain(neighbourOf(graph, placement, "web", "right"));
        expect(neighbourOf(graph, placement, "inventory", "right")).toBe("stock");
        expect(neighbourOf(graph, placement, "nowhere", "left")).toBeUndefined();
    });

    function Page(props: { graph: Graph; onFocus?: (id: string) => void }) {
        const [selected, setSelected] = useState<string>();
        return (
            <>
                <TopologyGraph {...props} label="calls" selected={selected} onSelect={setSelected} />
                <output>{selected}</output>
            </>
        );
    }
    it("names each node with its kind and figures, and one of them is a tab stop", () => {
        render(<Page graph={graph} />);
        screen.getByRole("button", { name: "inventory, component, bad, 1.00 /s, 10 % failed, p90 20.0 ms" });
        screen.getByRole("button", { name: /^stock, database redis, ok/ });
        const stops = document.querySelectorAll("[data-node] [tabindex='0']");
        expect([...stops].map((item) => item.parentElement!.dataset.node)).toEqual(["inventory"]);
    });
    it("is chosen in, focused and left by keys", () => {
        const onFocus = vi.fn();
        render(<Page graph={graph} onFocus={onFocus} />);
        const canvas = document.querySelector(".cb-graph-canvas")!;
        fireEvent.keyDown(canvas, { key: "ArrowLeft" });
        fireEvent.keyDown(canvas, { key: "Enter" });
        expect(document.querySelector("output")?.textContent).toBe("web");
        fireEvent.keyDown(canvas, { key: "f" });
        expect(onFocus).toHaveBeenCalledWith("web");
        fireEvent.keyDown(canvas, { key: "Escape" });
        expect(document.querySelector("output")?.textContent).toBe("");
    });
    it("does not move when figures change or a node has no calls for a while", () => {
        const places = () =>
            Object.fromEntries(
                [...document.querySelectorAll("[data-node]")].map((item) => [
                    item.getAttribute("data-node"),
                    item.getAttribute("transform"),
                ]),
            );
        const { rerender } = render(<Page graph={graph} />);
        const before = places();
        const later = { ...graph, nodes: graph.nodes.map((item) => ({ ...item, rate: 4321, requests: 9 })) };
        rerender(<Page graph={later} />);
        expect(places()).toEqual(before);
        rerender(<Page graph={{ nodes: later.nodes.slice(0, 5), edges: graph.edges.slice(0, 4) }} />);
        const others = { ...before };
        delete others.far;
        expect(places()).toEqual(others);
    });
    it("is a table, too", () => {
        render(<Page graph={graph} />);
        fireEvent.click(screen.getByRole("button", { name: "Show as table" }));
        expect(screen.getAllByRole("row")).toHaveLength(graph.edges.length + 1);
        screen.getByText("not declared");
        screen.getByText("declared, no calls");
    });
    it("shows hostile names as text", () => {
        const name = "<b>x</b>\u202e" + "y".repeat(300);
        render(<Page graph={{ nodes: [node(name)], edges: [edge(name, name)] }} />);
        expect(document.querySelector("b b")).toBeNull();
        expect(cutName(name)).toHaveLength(32);
        expect(screen.getByRole("button", { name: /^<b>x<\/b>\\u202ey+, component/ })).toBeTruthy();
    });
    it("widens with the rate, within bounds", () => {
        const widths = [0, 0.001, 1, 100, 1e9].map(edgeWidth);
        expect([...widths].sort((a, b) => a - b)).toEqual(widths);
        expect(widths.at(-1)).toBe(6);
    });
});
