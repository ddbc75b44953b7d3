// Where nodes and edges of the graph lie: left to right, callers before callees.
// dagre places the nodes. Edges are routed here: across a column of nodes they
// run horizontally, through the place that dagre kept free for them, and curve
// only between columns, so no edge runs behind a node.
import { graphlib, layout } from "@dagrejs/dagre";
import type { Graph, GraphEdge, GraphNode } from "./graph_model";
import { cutName, figureTexts, kindText, textWidth } from "./graph_text";

export interface PlacedNode {
    x: number; // of the centre
    y: number;
    width: number;
    height: number;
}

interface Point {
    x: number;
    y: number;
}

export interface PlacedEdge {
    path: string;
    // In the middle of the first curve; "back" edges lead from right to left.
    middle: Point;
    tip: Point;
    back: boolean;
}

export interface Placement {
    nodes: ReadonlyMap<string, PlacedNode>;
    edges: ReadonlyMap<string, PlacedEdge>;
    width: number;
    height: number;
}

export const NODE_HEIGHT = 46;
export const CAPTION_HEIGHT = 18;
const MARGIN = 12;
const GAP = 76; // between columns
const NARROWEST = 132;

export function nodeSize(node: GraphNode): { width: number; height: number } {
    const kind = kindText(node);
    const title = textWidth(cutName(node.name), 13) + (kind ? textWidth(kind, 11) + 10 : 0) + 44;
    // Room for figures of any size: a refresh must not move what is around.
    const figures = textWidth(figureTexts({ ...node, rate: 88.88 }).join("   "), 11) + 36;
    const caption = node.caption ? textWidth(cutName(node.caption, 36), 11) : 0;
    return {
        width: Math.round(Math.max(NARROWEST, title, Math.min(figures, 168), caption)),
        height: NODE_HEIGHT + (node.caption ? CAPTION_HEIGHT : 0),
    };
}

// What a layout depends on. The same signature is the same layout.
export function signature(graph: Graph): string {
    return JSON.stringify([
        graph.nodes.map((node) => [node.id, node.caption ?? ""]).sort(),
        graph.edges.map((edge) => edge.id).sort(),
    ]);
}

interface Column {
    left: number;
    right: number;
}

interface Route {
    edge: GraphEdge;
    from: PlacedNode;
    to: PlacedNode;
    back: boolean;
    // Heights at which it crosses columns between its ends, in its direction.
    through: { column: Column; y: number }[];
}

function columnsOf(nodes: Iterable<PlacedNode>): Column[] {
    const byCentre = new Map<number, Column>();
    for (const { x, width } of nodes) {
        const key = Math.round(x);
        const known = byCentre.get(key) ?? { left: Infinity, right: -Infinity };
        byCentre.set(key, {
            left: Math.min(known.left, x - width / 2),
            right: Math.max(known.right, x + width / 2),
        });
    }
    return [...byCentre.values()].sort((a, b) => a.left - b.left);
}

function routeOf(
    edge: GraphEdge,
    nodes: ReadonlyMap<string, PlacedNode>,
    columns: readonly Column[],
    points: readonly Point[],
): Route {
    const [from, to] = [nodes.get(edge.source)!, nodes.get(edge.target)!];
    const [near, far] = from.x < to.x ? [from.x, to.x] : [to.x, from.x];
    const through: Route["through"] = [];
    for (const column of columns) {
        const centre = (column.left + column.right) / 2;
        if (centre <= near + 1 || centre >= far - 1) continue;
        const point = nearest(points, centre);
        if (point) through.push({ column, y: point.y });
    }
    const back = to.x < from.x;
    return { edge, from, to, back, through: back ? through.reverse() : through };
}

function nearest(points: readonly Point[], x: number) {
    return points.reduce<Point | undefined>(
        (best, point) => (!best || Math.abs(point.x - x) < Math.abs(best.x - x) ? point : best),
        undefined,
    );
}

// Edges leave and reach a node at places of their own, in the order of where they go.
function ports(routes: readonly Route[]): Map<string, number> {
    const sides = new Map<string, { key: string; toward: number; node: PlacedNode }[]>();
    const attach = (side: string, key: string, toward: number, node: PlacedNode) => {
        const known = sides.get(side);
        if (known) known.push({ key, toward, node });
        else sides.set(side, [{ key, toward, node }]);
    };
    for (const { edge, from, to, back, through } of routes) {
        const first = through[0]?.y ?? to.y;
        const last = through[through.length - 1]?.y ?? from.y;
        attach(`${edge.source} ${back ? "left" : "right"}`, `${edge.id} out`, first, from);
        attach(`${edge.target} ${back ? "right" : "left"}`, `${edge.id} in`, last, to);
    }
    const heights = new Map<string, number>();
    for (const ends of sides.values()) {
        ends.sort((a, b) => a.toward - b.toward || (a.key < b.key ? -1 : 1));
        const step = ends.length > 1 ? Math.min(11, (NODE_HEIGHT - 14) / (ends.length - 1)) : 0;
        ends.forEach(({ key, node }, i) =>
            heights.set(key, top(node) + NODE_HEIGHT / 2 + (i - (ends.length - 1) / 2) * step),
        );
    }
    return heights;
}

export function top(node: PlacedNode): number {
    return node.y - node.height / 2;
}

const n = (value: number) => value.toFixed(1);

function curve(x0: number, y0: number, x1: number, y1: number): string {
    const bend = (x1 - x0) / 2;
    return `C${n(x0 + bend)} ${n(y0)} ${n(x1 - bend)} ${n(y1)} ${n(x1)} ${n(y1)}`;
}

function drawRoute(
    route: Route,
    heights: ReadonlyMap<string, number>,
    columns: readonly Column[],
): PlacedEdge {
    const { edge, from, to, back, through } = route;
    const side = back ? -1 : 1;
    const columnOf = (node: PlacedNode) => columns.find((c) => c.left <= node.x && node.x <= c.right)!;
    const edgeOf = (column: Column, which: "near" | "far") =>
        (which === "near") === back ? column.right : column.left;
    let x = from.x + (side * from.width) / 2;
    let y = heights.get(`${edge.id} out`)!;
    let path = `M${n(x)} ${n(y)}`;
    let middle: Point | undefined;
    const leave = (column: Column) => {
        x = edgeOf(column, "far");
        path += `H${n(x)}`;
    };
    const enter = (column: Column, height: number) => {
        const next = edgeOf(column, "near");
        path += curve(x, y, next, height);
        middle ??= { x: (x + next) / 2, y: (y + height) / 2 };
        [x, y] = [next, height];
    };
    leave(columnOf(from));
    for (const step of through) {
        enter(step.column, step.y);
        leave(step.column);
    }
    enter(columnOf(to), heights.get(`${edge.id} in`)!);
    const tip = { x: to.x - (side * to.width) / 2, y };
    return { path: `${path}H${n(tip.x - side * 7)}`, middle: middle!, tip, back };
}

function selfLoop(node: PlacedNode): PlacedEdge {
    const right = node.x + node.width / 2;
    const y = top(node);
    return {
        path: `M${n(right - 34)} ${n(y)}C${n(right - 34)} ${n(y - 20)} ${n(right + 20)} ${n(y - 12)} ${n(right + 20)} ${n(y + 10)}S${n(right + 14)} ${n(y + 16)} ${n(right + 7)} ${n(y + 16)}`,
        middle: { x: right + 8, y: y - 8 },
        tip: { x: right, y: y + 16 },
        back: true,
    };
}

// Nodes without an edge stand in rows below the others.
function placeAlone(
    alone: readonly GraphNode[],
    nodes: Map<string, PlacedNode>,
    size: { width: number; height: number },
) {
    const widest = Math.max(size.width, 1000);
    let x = MARGIN;
    let y = size.height === 0 ? MARGIN : size.height + 16;
    let rowHeight = 0;
    for (const node of alone) {
        const { width, height } = nodeSize(node);
        if (x > MARGIN && x + width > widest) {
            x = MARGIN;
            y += rowHeight + 18;
            rowHeight = 0;
        }
        nodes.set(node.id, { x: x + width / 2, y: y + height / 2, width, height });
        x += width + 24;
        rowHeight = Math.max(rowHeight, height);
        size.width = Math.max(size.width, x - 24 + MARGIN);
    }
    if (alone.length > 0) size.height = y + rowHeight + MARGIN;
}

// Nodes that have an edge, by dagre; then the ways of the edges.
function placeLinked(
    sorted: readonly GraphNode[],
    links: readonly GraphEdge[],
    linked: ReadonlySet<string>,
    nodes: Map<string, PlacedNode>,
    placed: Map<string, PlacedEdge>,
): { width: number; height: number } {
    if (linked.size === 0) return { width: 0, height: 0 };
    const dag = new graphlib.Graph();
    dag.setGraph({
        rankdir: "LR",
        ranker: "tight-tree",
        nodesep: 22,
        edgesep: 14,
        ranksep: GAP,
        marginx: MARGIN,
        marginy: MARGIN,
    });
    dag.setDefaultEdgeLabel(() => ({}));
    // Names of our own: dagre keeps nodes as members of objects, by name.
    const keys = new Map([...linked].sort().map((id, i) => [id, `n${i}`]));
    const keyOf = (id: string) => keys.get(id)!;
    for (const node of sorted) if (linked.has(node.id)) dag.setNode(keyOf(node.id), nodeSize(node));
    for (const { source, target } of links) dag.setEdge(keyOf(source), keyOf(target), {});
    layout(dag);
    for (const id of linked) {
        const { x, y, width, height } = dag.node(keyOf(id)) as PlacedNode;
        nodes.set(id, { x, y, width, height });
    }
    const columns = columnsOf(nodes.values());
    const routes = links.map((edge) => {
        const { points } = dag.edge(keyOf(edge.source), keyOf(edge.target)) as { points: Point[] };
        return routeOf(edge, nodes, columns, points.slice(1, -1));
    });
    const heights = ports(routes);
    for (const route of routes) placed.set(route.edge.id, drawRoute(route, heights, columns));
    const { width } = dag.graph() as { width: number };
    // dagre does not count the ways of edges below the last node.
    const lowest = [...nodes.values()].map((box) => box.y + box.height / 2);
    const ways = routes.flatMap((route) => route.through.map((step) => step.y));
    return { width, height: Math.max(...lowest, ...ways) + MARGIN };
}

export function layoutGraph(graph: Graph): Placement {
    // Sorted, so that the order of an answer does not matter.
    const sorted = [...graph.nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
    const edges = [...graph.edges].sort((a, b) => (a.id < b.id ? -1 : 1));
    const links = edges.filter((edge) => edge.source !== edge.target);
    const linked = new Set(links.flatMap((edge) => [edge.source, edge.target]));
    const nodes = new Map<string, PlacedNode>();
    const placed = new Map<string, PlacedEdge>();
    const size = placeLinked(sorted, links, linked, nodes, placed);
    placeAlone(
        sorted.filter((node) => !linked.has(node.id)),
        nodes,
        size,
    );
    for (const edge of edges)
        if (edge.source === edge.target) placed.set(edge.id, selfLoop(nodes.get(edge.source)!));
    return { nodes, edges: placed, ...size };
}
