// The topology of the API as a graph: one node per component, gateway, database,
// queue and host, one edge per pair of nodes and direction.
import type { Schemas } from "../client";
import { healthOf, type Health } from "../health";

export type Topology = Schemas["RuntimeTopologyResponse"];
export type TopologyEnd = Schemas["RuntimeTopologyNodeRef"];
type Metrics = Schemas["RuntimeTopologyMetrics"];

export type NodeKind = "component" | "gateway" | "database" | "queue" | "host";
// "undeclared": called, but the catalogue does not declare it; "unused": the reverse.
export type Drift = "undeclared" | "unused";

export interface GraphFigures {
    requests: number;
    failed: number;
    rate: number; // requests per second of the window
    errorRatio: number | null;
    p50: number | null; // seconds
    p90: number | null;
    p99: number | null;
}

export interface GraphNode extends GraphFigures {
    id: string;
    kind: NodeKind;
    name: string;
    namespace?: string;
    project?: string;
    system?: string;
    health: Health;
    // A line below the node.
    caption?: string;
}

export interface GraphEdge extends GraphFigures {
    id: string;
    source: string;
    target: string;
    health: Health;
    protocol?: string;
    drift?: Drift;
    // Both are components, so the catalogue may declare it.
    declarable: boolean;
}

export interface Graph {
    nodes: readonly GraphNode[];
    edges: readonly GraphEdge[];
}

export function nodeKind(end: TopologyEnd): NodeKind {
    if (end.kind !== "external") return end.kind;
    return end.externalKind ?? "host";
}

export function nodeName(end: TopologyEnd): string {
    return (end.kind === "component" ? end.component : (end.name ?? end.host)) ?? "unknown";
}

export function componentId(namespace: string, project: string, component: string): string {
    return ["component", namespace, project, component].map(encodeURIComponent).join("/");
}

// A queue and a component of one name differ by kind.
export function nodeId(end: TopologyEnd): string {
    if (end.kind === "component")
        return componentId(end.namespace ?? "", end.project ?? "", end.component ?? "");
    return [nodeKind(end), end.system ?? "", nodeName(end)].map(encodeURIComponent).join("/");
}

export function figuresOf(metrics: Metrics, seconds: number): GraphFigures {
    const requests = metrics.requestCount;
    const none = requests === 0;
    return {
        requests,
        failed: metrics.unsuccessfulRequestCount,
        rate: seconds > 0 ? requests / seconds : 0,
        errorRatio: none ? null : metrics.unsuccessfulRequestCount / requests,
        p50: none ? null : metrics.latencyP50,
        p90: none ? null : metrics.latencyP90,
        p99: none ? null : metrics.latencyP99,
    };
}

function judge(figures: GraphFigures): Health {
    return healthOf({
        requests: figures.requests,
        errorRatio: figures.errorRatio,
        previousRequests: 0,
    });
}

// Two edges between the same nodes: counts add up, latencies are those of the
// one with more requests.
function merge(a: GraphEdge, b: GraphEdge): GraphEdge {
    const [more, less] = a.requests >= b.requests ? [a, b] : [b, a];
    const requests = a.requests + b.requests;
    const failed = a.failed + b.failed;
    const merged: GraphEdge = {
        ...more,
        requests,
        failed,
        rate: a.rate + b.rate,
        errorRatio: requests > 0 ? failed / requests : null,
        drift: requests > 0 ? (more.drift ?? less.drift) : undefined,
    };
    return { ...merged, health: judge(merged) };
}

function driftOf(edge: Topology["edges"][number]): Drift | undefined {
    if (edge.observed === false) return "unused";
    if (edge.declared === false && edge.via === undefined) return "undeclared";
    return undefined;
}

export function graphOf(topology: Topology, healthById: ReadonlyMap<string, Health>): Graph {
    const { startTime, endTime } = topology.summary;
    const seconds = (Date.parse(endTime) - Date.parse(startTime)) / 1000;
    const nodes = new Map<string, GraphNode>();
    for (const node of topology.nodes) {
        const id = nodeId(node);
        const figures = figuresOf(node.metrics, seconds);
        nodes.set(id, {
            id,
            kind: nodeKind(node),
            name: nodeName(node),
            namespace: node.namespace,
            project: node.project,
            system: node.system,
            health: healthById.get(id) ?? judge(figures),
            ...figures,
        });
    }
    const edges = new Map<string, GraphEdge>();
    for (const edge of topology.edges) {
        const [source, target] = [nodeId(edge.source), nodeId(edge.target)];
        if (!nodes.has(source) || !nodes.has(target)) continue;
        const figures = figuresOf(edge.metrics, seconds);
        const id = `${source}>${target}`;
        const next: GraphEdge = {
            id,
            source,
            target,
            health: judge(figures),
            protocol: edge.applicationProtocol,
            drift: driftOf(edge),
            declarable: edge.declared !== undefined || edge.observed !== undefined,
            ...figures,
        };
        const known = edges.get(id);
        edges.set(id, known ? merge(known, next) : next);
    }
    return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

export function inTrouble(health: Health): boolean {
    return health === "bad" || health === "warning" || health === "silent";
}

// The nodes with an id of the set, and those within "hops" edges of them.
export function neighbourhood(graph: Graph, from: ReadonlySet<string>, hops: number): Set<string> {
    const reached = new Set(from);
    for (let hop = 0; hop < hops; hop++) {
        const before = new Set(reached);
        for (const edge of graph.edges) {
            if (before.has(edge.source)) reached.add(edge.target);
            if (before.has(edge.target)) reached.add(edge.source);
        }
    }
    return reached;
}

export function subgraph(graph: Graph, keep: ReadonlySet<string>): Graph {
    return {
        nodes: graph.nodes.filter((node) => keep.has(node.id)),
        edges: graph.edges.filter((edge) => keep.has(edge.source) && keep.has(edge.target)),
    };
}

export interface GraphFilter {
    gateways: boolean;
    external: boolean;
    only?: "trouble" | "drift";
    focus?: string;
    hops: number;
}

export function filterGraph(graph: Graph, filter: GraphFilter): Graph {
    const kinds = new Set<NodeKind>(["component"]);
    if (filter.gateways) kinds.add("gateway");
    if (filter.external) for (const kind of ["database", "queue", "host"] as const) kinds.add(kind);
    const ofKind = new Set(graph.nodes.filter((node) => kinds.has(node.kind)).map((node) => node.id));
    let shown = subgraph(graph, ofKind);
    if (filter.focus && ofKind.has(filter.focus))
        shown = subgraph(shown, neighbourhood(shown, new Set([filter.focus]), filter.hops));
    if (filter.only === "drift") {
        const edges = shown.edges.filter((edge) => edge.drift);
        const ends = new Set(edges.flatMap((edge) => [edge.source, edge.target]));
        return { nodes: shown.nodes.filter((node) => ends.has(node.id)), edges };
    }
    if (filter.only === "trouble") return troubled(shown);
    return shown;
}

// What is in trouble, with its neighbours.
export function troubled(graph: Graph): Graph {
    const bad = new Set(graph.nodes.filter((node) => inTrouble(node.health)).map((node) => node.id));
    for (const edge of graph.edges)
        if (inTrouble(edge.health)) {
            bad.add(edge.source);
            bad.add(edge.target);
        }
    return subgraph(graph, neighbourhood(graph, bad, 1));
}
