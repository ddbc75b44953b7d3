// A tone for each component: the first by self time have one of their own.
import type { Arranged } from "./arrange";

export const TONES = 10;

export interface ComponentShare {
    key: string;
    project: string;
    component: string;
    spans: number;
    failed: number;
    self: number; // ns
    critical: number;
    tone: number; // 0 to TONES - 1; TONES: that of all further ones
}

export const componentKey = (node: { project: string; component: string }) =>
    node.project + "/" + node.component;

// Components by self time, the largest first.
export function componentShares(arranged: Arranged): ComponentShare[] {
    const shares = new Map<string, ComponentShare>();
    for (const node of arranged.nodes) {
        if (node.missing) continue;
        const key = componentKey(node);
        let share = shares.get(key);
        if (!share) {
            const { project, component } = node;
            share = { key, project, component, spans: 0, failed: 0, self: 0, critical: 0, tone: TONES };
            shares.set(key, share);
        }
        share.spans++;
        if (node.failed) share.failed++;
        share.self += node.self;
        share.critical += node.critical;
    }
    const sorted = [...shares.values()].sort((a, b) => b.self - a.self || (a.key < b.key ? -1 : 1));
    sorted.forEach((share, i) => (share.tone = Math.min(i, TONES)));
    return sorted;
}

export function toneOf(
    shares: readonly ComponentShare[],
): (node: { project: string; component: string }) => number {
    const tones = new Map(shares.map((share) => [share.key, share.tone]));
    return (node) => tones.get(componentKey(node)) ?? TONES;
}
