// Spans with the same path of names from the root, as one frame each.
import type { Arranged } from "./arrange";

export interface Frame {
    component: string;
    project: string;
    name: string;
    parent: number; // frame; -1 at the top
    depth: number;
    spans: number;
    failed: number;
    self: number; // ns
    total: number; // its self time and that of all below
    left: number; // ns, where it begins in the picture
    row: number; // of its first span
}

// Frames, each after its parent. Their self times add up to the width of the
// picture, so what ran at the same time is side by side, too.
export function flameFrames(arranged: Arranged): Frame[] {
    const frames: Frame[] = [];
    const known = new Map<string, number>();
    const frameOf = new Int32Array(arranged.nodes.length);
    arranged.nodes.forEach((node, row) => {
        const parent = node.parent >= 0 ? frameOf[node.parent]! : -1;
        const key = `${parent}\0${node.project}\0${node.component}\0${node.name}`;
        let at = known.get(key);
        if (at === undefined) {
            at = frames.length;
            known.set(key, at);
            const { component, project, name } = node;
            const depth = parent >= 0 ? frames[parent]!.depth + 1 : 0;
            frames.push({
                component,
                project,
                name,
                parent,
                depth,
                row,
                spans: 0,
                failed: 0,
                self: 0,
                total: 0,
                left: 0,
            });
        }
        frameOf[row] = at;
        const frame = frames[at]!;
        frame.spans++;
        frame.self += node.self;
        if (node.failed) frame.failed++;
    });
    for (let i = frames.length; i-- > 0; ) {
        const frame = frames[i]!;
        frame.total += frame.self;
        if (frame.parent >= 0) frames[frame.parent]!.total += frame.total;
    }
    const used = new Float64Array(frames.length);
    let top = 0;
    frames.forEach((frame) => {
        if (frame.parent < 0) {
            frame.left = top;
            top += frame.total;
            return;
        }
        frame.left = frames[frame.parent]!.left + used[frame.parent]!;
        used[frame.parent]! += frame.total;
    });
    return frames;
}

export interface OperationTime {
    key: string;
    component: string;
    project: string;
    name: string;
    spans: number;
    failed: number;
    self: number;
    row: number;
}

// The same as a table: self time of each span name, whatever called it.
export function operationTimes(frames: readonly Frame[]): OperationTime[] {
    const found = new Map<string, OperationTime>();
    for (const frame of frames) {
        const key = `${frame.project}\0${frame.component}\0${frame.name}`;
        const old = found.get(key);
        if (!old) {
            const { component, project, name, spans, failed, self, row } = frame;
            found.set(key, { key, component, project, name, spans, failed, self, row });
        } else {
            old.spans += frame.spans;
            old.failed += frame.failed;
            old.self += frame.self;
        }
    }
    return [...found.values()].sort((a, b) => b.self - a.self);
}
