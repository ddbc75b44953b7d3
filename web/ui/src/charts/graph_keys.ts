// Moves through the graph by keys: right to what is called, left to callers, up
// and down in the column; where there is none, to the nearest in that direction.
import type { Graph } from "./graph_model";
import type { Placement } from "./graph_layout";

export type Direction = "left" | "right" | "up" | "down";

const DIRECTIONS: Record<string, Direction> = {
    ArrowLeft: "left",
    ArrowRight: "right",
    ArrowUp: "up",
    ArrowDown: "down",
};

export function directionOf(key: string): Direction | undefined {
    return DIRECTIONS[key];
}

function distance(
    from: { x: number; y: number },
    to: { x: number; y: number },
    direction: Direction,
): number | undefined {
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const along = { left: -dx, right: dx, up: -dy, down: dy }[direction];
    const across = direction === "left" || direction === "right" ? Math.abs(dy) : Math.abs(dx);
    return along > 1 ? along + across * 2 : undefined;
}

export function neighbourOf(
    graph: Graph,
    placement: Placement,
    from: string,
    direction: Direction,
): string | undefined {
    const here = placement.nodes.get(from);
    if (!here) return undefined;
    const linked = new Set<string>();
    for (const edge of graph.edges) {
        if (direction === "right" && edge.source === from) linked.add(edge.target);
        if (direction === "left" && edge.target === from) linked.add(edge.source);
    }
    let best: { id: string; far: number } | undefined;
    for (const node of graph.nodes) {
        const there = placement.nodes.get(node.id);
        const far = there && node.id !== from ? distance(here, there, direction) : undefined;
        if (far === undefined) continue;
        // What is linked comes before all others.
        const weight = linked.has(node.id) ? far - 1e6 : far;
        if (!best || weight < best.far) best = { id: node.id, far: weight };
    }
    return best?.id;
}
