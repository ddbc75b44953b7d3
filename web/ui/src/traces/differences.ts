// What differs between two traces: spans of one name in one component, their number and time.
import type { SpanNode } from "../trace/spans";

export interface Difference {
    key: string;
    component: string;
    name: string;
    kind: string;
    counts: [number, number];
    failed: [number, number];
    self: [number, number]; // ns
}

export function differences(first: readonly SpanNode[], second: readonly SpanNode[]): Difference[] {
    const found = new Map<string, Difference>();
    [first, second].forEach((nodes, side) => {
        for (const node of nodes) {
            if (node.missing) continue;
            const key = `${node.project}\0${node.component}\0${node.name}\0${node.kind}`;
            let row = found.get(key);
            if (!row) {
                const { component, name, kind } = node;
                row = { key, component, name, kind, counts: [0, 0], failed: [0, 0], self: [0, 0] };
                found.set(key, row);
            }
            row.counts[side]!++;
            row.self[side]! += node.self;
            if (node.failed) row.failed[side]!++;
        }
    });
    const weight = (row: Difference) => Math.abs(row.self[1] - row.self[0]);
    return [...found.values()].sort((a, b) => weight(b) - weight(a) || (a.key < b.key ? -1 : 1));
}
