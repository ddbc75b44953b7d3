// How a failure spread, as marks on the topology: from the cause against the
// direction of calls to what users reach. What was excluded says why.
import { componentId, neighbourhood, subgraph, type Graph, type GraphNode } from "../charts/graph_model";
import type { GraphMark } from "../charts/graph_parts";
import type { Cause } from "../cause";
import { formatTime } from "../format";

export interface MarkedGraph {
    graph: Graph;
    marks: ReadonlyMap<string, GraphMark>;
    culprit?: string;
}

interface Named {
    component: string;
    namespace?: string;
    project?: string;
}

export interface CauseScopeNames {
    namespace: string;
    project: string;
}

// The node of a name: a component of its project, else a database, queue or host.
export function nodeOf(graph: Graph, named: Named, scope: CauseScopeNames): GraphNode | undefined {
    const id = componentId(
        named.namespace ?? scope.namespace,
        named.project ?? scope.project,
        named.component,
    );
    return (
        graph.nodes.find((node) => node.id === id) ??
        graph.nodes.find((node) => node.kind !== "component" && node.name === named.component)
    );
}

const NONE = { requests: 0, failed: 0, rate: 0, errorRatio: null, p50: null, p90: null, p99: null } as const;

// What the answer itself tells, for where the topology of that time is not kept.
export function graphOfAnswer(cause: Cause, scope: CauseScopeNames): Graph {
    const nodes = new Map<string, GraphNode>();
    const kinds = new Map(cause.suspects.map((suspect) => [suspect.component, suspect.kind]));
    const add = (named: Named, health: GraphNode["health"]) => {
        const kind = kinds.get(named.component) ?? "component";
        const id = componentId(
            named.namespace ?? scope.namespace,
            named.project ?? scope.project,
            named.component,
        );
        if (!nodes.has(id))
            nodes.set(id, {
                id,
                kind: kind === "external" ? "host" : kind,
                name: named.component,
                namespace: named.namespace ?? scope.namespace,
                project: named.project ?? scope.project,
                health,
                ...NONE,
            });
        return id;
    };
    const ids = cause.path.map((step) => add(step, "bad"));
    const edges = ids.slice(1).map((caller, i) => ({
        id: `${caller}>${ids[i]}`,
        source: caller,
        target: ids[i]!,
        health: "bad" as const,
        declarable: false,
        ...NONE,
    }));
    return { nodes: [...nodes.values()], edges };
}

// Why something is not the cause, in a few words.
export function excludedCaption(cause: Cause, component: string): string {
    const by = cause.suspects.find((suspect) => suspect.component === component)?.explainedBy;
    if (by) return `suffers from ${by}`;
    const reason = cause.excluded.find((item) => item.component === component)?.reason ?? "";
    return reason.split("; ").at(-1)!;
}

const DRAWN = 60;

export function markGraph(whole: Graph, cause: Cause, scope: CauseScopeNames): MarkedGraph {
    const graph = whole.nodes.length > 0 ? whole : graphOfAnswer(cause, scope);
    const marks = new Map<string, GraphMark>();
    const captions = new Map<string, string>();
    const path = cause.path
        .map((step) => nodeOf(graph, step, scope)?.id)
        .filter((id): id is string => id !== undefined);
    path.forEach((id, i) => marks.set(id, { step: i + 1 }));
    const [first] = cause.suspects;
    if (path[0])
        captions.set(path[0], first?.onset ? `the cause, since ${formatTime(first.onset)}` : "the cause");
    const culpritName = cause.path[0]?.component;
    for (const id of path.slice(1)) captions.set(id, `suffers from ${culpritName}`);
    const links = path.slice(1).map((caller, i) => `${caller}>${path[i]}`);
    links.forEach((id, i) => marks.set(id, { step: i + 1 }));
    markUsers(graph, path, scope, marks, captions);
    for (const item of cause.excluded) {
        const id = nodeOf(graph, item, scope)?.id;
        if (!id) continue;
        if (!captions.has(id)) captions.set(id, excludedCaption(cause, item.component));
        if (!marks.has(id)) marks.set(id, { excluded: true });
    }
    const shown = cause.found ? reduce(graph, marks) : graph;
    if (cause.found)
        for (const item of [...shown.nodes, ...shown.edges])
            if (!marks.has(item.id)) marks.set(item.id, { dimmed: true });
    const nodes = shown.nodes.map((node) => ({ ...node, caption: captions.get(node.id) }));
    return { graph: { ...shown, nodes }, marks, culprit: path[0] };
}

// Those through which users come in are the end of the path.
function markUsers(
    graph: Graph,
    path: readonly string[],
    scope: CauseScopeNames,
    marks: Map<string, GraphMark>,
    captions: Map<string, string>,
) {
    const last = path.at(-1);
    for (const edge of graph.edges) {
        const source = graph.nodes.find((node) => node.id === edge.source);
        if (edge.target !== last || source?.kind !== "gateway") continue;
        marks.set(source.id, { step: path.length + 1 });
        marks.set(edge.id, { step: path.length });
        captions.set(source.id, `users of ${scope.project}`);
    }
}

// Of very many nodes: what is marked, and its neighbours.
function reduce(graph: Graph, marks: ReadonlyMap<string, GraphMark>): Graph {
    if (graph.nodes.length <= DRAWN) return graph;
    const marked = new Set(graph.nodes.filter((node) => marks.has(node.id)).map((node) => node.id));
    const near = subgraph(graph, neighbourhood(graph, marked, 1));
    return near.nodes.length <= DRAWN ? near : subgraph(graph, marked);
}
