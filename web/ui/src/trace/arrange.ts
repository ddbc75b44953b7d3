// From spans in any order to a tree in the order of a walk, with self times and
// the critical path. It computes as GET /api/v1/traces/{traceId} does, which shows
// 10,000 spans of a trace at most; here are all of them. Nothing recurses.
import { SpanNode } from "./spans";

export interface Arranged {
    nodes: SpanNode[]; // in the order of a walk
    main: number; // row of the root
    end: number; // ns
    depth: number;
    missing: number;
    cycles: number;
    duplicates: number;
    skewed: number;
    rowOf: Map<string, number>; // by key; an id is that of the first span that has it
}

const NONE = -1;

const isNone = (id: string) => id === "" || id === "0000000000000000";

class Builder {
    nodes: SpanNode[];
    ids = new Map<string, number>();
    missing = 0;
    duplicates = 0;
    cycles = 0;

    constructor(spans: readonly SpanNode[]) {
        this.nodes = spans.slice();
        for (const span of spans) span.reset();
        for (let i = 0; i < spans.length; i++) this.addSpan(i);
        for (let i = 0; i < spans.length; i++) this.setParent(this.nodes[i]!);
        this.cutCycles();
    }

    // The server's half of a span that client and server share is below the client's.
    private addSpan(i: number): void {
        const node = this.nodes[i]!;
        const same = this.ids.get(node.id);
        if (same === undefined) {
            this.ids.set(node.id, i);
            return;
        }
        node.duplicate = true;
        this.duplicates++;
        node.key = `${node.id}.${this.duplicates + 1}`;
        if (node.kind === "SERVER" && this.nodes[same]!.kind === "CLIENT") node.parent = same;
    }

    // A parent that was not received lasts as long as its children.
    private addMissing(child: SpanNode): number {
        const at = this.nodes.length;
        const node = new SpanNode({
            ...child,
            id: child.parentId,
            parentId: "",
            name: "[missing span]",
            kind: "",
            failed: false,
            status: "unset",
            message: "",
            component: "",
            project: "",
            pod: "",
            operation: "",
            hidden: false,
        });
        node.missing = true;
        this.nodes.push(node);
        this.ids.set(node.id, at);
        this.missing++;
        return at;
    }

    private setParent(node: SpanNode): void {
        if (node.parent !== NONE || isNone(node.parentId)) return;
        node.parent = this.ids.get(node.parentId) ?? this.addMissing(node);
        const parent = this.nodes[node.parent]!;
        if (!parent.missing) return;
        node.orphan = true;
        const end = Math.max(parent.start + parent.duration, node.start + node.duration);
        parent.start = Math.min(parent.start, node.start);
        parent.duration = end - parent.start;
    }

    // Walks up from each; one that is met again on the same way is on a cycle. The
    // earliest of a cycle comes to the top.
    private cutCycles(): void {
        const { nodes } = this;
        const marks = new Int32Array(nodes.length);
        for (let i = 0; i < nodes.length; i++) {
            let at = i;
            while (at !== NONE && marks[at] === 0) {
                marks[at] = i + 1;
                at = nodes[at]!.parent;
            }
            if (at === NONE || marks[at] !== i + 1) continue;
            let first = at;
            for (let k = nodes[at]!.parent; k !== at; k = nodes[k]!.parent) {
                const earlier = nodes[k]!.start - nodes[first]!.start;
                if (earlier < 0 || (earlier === 0 && k < first)) first = k;
            }
            nodes[first]!.parent = NONE;
            nodes[first]!.cycle = true;
            this.cycles++;
        }
    }
}

// Indices by start; of equal ones the first stays first.
function byStart(nodes: readonly SpanNode[]): Uint32Array {
    const order = new Uint32Array(nodes.length);
    const starts = new Float64Array(nodes.length);
    let sorted = true;
    for (let i = 0; i < nodes.length; i++) {
        order[i] = i;
        starts[i] = nodes[i]!.start;
        if (i > 0 && starts[i]! < starts[i - 1]!) sorted = false;
    }
    return sorted ? order : order.sort((a, b) => starts[a]! - starts[b]! || a - b);
}

// The walk: down to the first child, else to the next sibling of it or of one above.
function walk(nodes: SpanNode[]): SpanNode[] {
    const order = byStart(nodes);
    const first = new Int32Array(nodes.length).fill(NONE);
    const next = new Int32Array(nodes.length).fill(NONE);
    let top = NONE;
    for (let i = order.length; i-- > 0; ) {
        const at = order[i]!;
        const parent = nodes[at]!.parent;
        if (parent === NONE) {
            next[at] = top;
            top = at;
        } else {
            next[at] = first[parent]!;
            first[parent] = at;
        }
    }
    const up = Int32Array.from(nodes, (node) => node.parent);
    const rows = new Int32Array(nodes.length);
    const walked: SpanNode[] = [];
    for (let at = top; at !== NONE; ) {
        const node = nodes[at]!;
        rows[at] = walked.length;
        if (up[at] !== NONE) {
            node.parent = rows[up[at]!]!;
            const parent = walked[node.parent]!;
            node.depth = parent.depth + 1;
            parent.children++;
        }
        node.last = walked.length;
        walked.push(node);
        if (first[at] !== NONE) {
            at = first[at]!;
            continue;
        }
        while (at !== NONE && next[at] === NONE) at = up[at]!;
        if (at !== NONE) at = next[at]!;
    }
    for (let i = walked.length; i-- > 0; ) {
        const { parent, last } = walked[i]!;
        if (parent !== NONE && last > walked[parent]!.last) walked[parent]!.last = last;
    }
    return walked;
}

// ---- Clocks ----

const startOf = (node: SpanNode) => node.start - node.clock;
const endOf = (node: SpanNode) => node.start - node.clock + node.duration;

// How far the clock of the child is ahead of its parent's, if its times are not
// possible otherwise: a child starts after its parent, and what a client waits for
// ends before it.
function skewOf(parent: SpanNode, child: SpanNode): number {
    const parentStart = startOf(parent);
    const waits = parent.kind === "CLIENT" && child.kind === "SERVER";
    const early = child.start < parentStart;
    const late = waits && child.start + child.duration > endOf(parent) && child.duration <= parent.duration;
    if (!early && !late) return 0;
    const room = Math.max(0, parent.duration - child.duration);
    return child.start - (parentStart + Math.floor(room / 2));
}

// Spans of one sender have one clock.
function sameSender(a: SpanNode, b: SpanNode): boolean {
    return (
        a.component === b.component &&
        a.project === b.project &&
        a.pod === b.pod &&
        a.environment === b.environment &&
        a.namespace === b.namespace
    );
}

function setClocks(nodes: readonly SpanNode[]): number {
    let skewed = 0;
    for (const node of nodes) {
        const parent = node.parent === NONE ? undefined : nodes[node.parent]!;
        if (!parent || parent.missing || parent.hidden || node.hidden) continue;
        node.clock = sameSender(parent, node) ? parent.clock : skewOf(parent, node);
        node.skewed = node.clock !== 0 && node.clock !== parent.clock;
        if (node.skewed) skewed++;
    }
    for (const node of nodes) {
        const parent = node.parent === NONE ? undefined : nodes[node.parent]!;
        if (!parent) continue;
        node.async =
            node.kind === "CONSUMER" ||
            parent.kind === "PRODUCER" ||
            (startOf(node) >= endOf(parent) && endOf(node) > endOf(parent));
    }
    return skewed;
}

// ---- Self time and critical path (analysis/trace_time.c draws it) ----

class Timing {
    private readonly from: Float64Array;
    private readonly to: Float64Array;

    constructor(private readonly nodes: readonly SpanNode[]) {
        this.from = new Float64Array(nodes.length);
        this.to = new Float64Array(nodes.length);
    }

    // The children that are waited for, cut to a part of their parent.
    private inner(row: number, start: number, end: number): number[] {
        const rows: number[] = [];
        for (let child = row + 1; child <= this.nodes[row]!.last; child = this.nodes[child]!.last + 1) {
            const node = this.nodes[child]!;
            const from = Math.max(startOf(node), start);
            const to = Math.min(endOf(node), end);
            if (node.async || from >= to) continue;
            this.from[child] = from;
            this.to[child] = to;
            rows.push(child);
        }
        return rows;
    }

    setSelf(row: number): void {
        const node = this.nodes[row]!;
        if (node.missing) return;
        const { from, to } = this;
        const children = node.children > 0 ? this.inner(row, startOf(node), endOf(node)) : [];
        let busy = 0;
        let end = startOf(node);
        for (const child of children.sort((a, b) => from[a]! - from[b]! || a - b)) {
            if (to[child]! <= end) continue;
            busy += to[child]! - Math.max(from[child]!, end);
            end = to[child]!;
        }
        node.self = node.duration - busy;
    }

    // From the end of the root backward: what finished last was waited for.
    setCritical(main: number): void {
        const { nodes, from, to } = this;
        const todo = [{ row: main, start: startOf(nodes[main]!), end: endOf(nodes[main]!) }];
        for (let part = todo.pop(); part; part = todo.pop()) {
            const node = nodes[part.row]!;
            const children = this.inner(part.row, part.start, part.end);
            children.sort((a, b) => to[b]! - to[a]! || from[a]! - from[b]! || a - b);
            let until = part.end;
            node.parts ??= [];
            for (const child of children) {
                if (to[child]! > until) continue;
                addPart(node, to[child]!, until);
                until = from[child]!;
                todo.push({ row: child, start: from[child]!, end: to[child]! });
            }
            addPart(node, part.start, until);
        }
    }
}

function addPart(node: SpanNode, from: number, to: number): void {
    if (from >= to) return;
    node.critical += to - from;
    node.parts!.push(from + node.clock, to + node.clock);
}

function setOrigins(nodes: readonly SpanNode[]): void {
    const below = new Uint8Array(nodes.length);
    for (let i = nodes.length; i-- > 0; ) {
        const node = nodes[i]!;
        node.origin = node.failed && below[i] === 0;
        if (node.parent !== NONE && (node.failed || below[i])) below[node.parent] = 1;
    }
}

// The earliest at the top that has no parent at all; else the first.
function mainOf(nodes: readonly SpanNode[]): number {
    for (let i = 0; i < nodes.length; i = nodes[i]!.last + 1)
        if (!nodes[i]!.missing && isNone(nodes[i]!.parentId)) return i;
    return 0;
}

// What is found out is written to the nodes themselves.
export function arrange(spans: readonly SpanNode[]): Arranged {
    const builder = new Builder(spans);
    const nodes = walk(builder.nodes);
    const skewed = setClocks(nodes);
    const timing = new Timing(nodes);
    const rowOf = new Map<string, number>();
    let end = 0;
    let depth = 0;
    nodes.forEach((node, row) => {
        timing.setSelf(row);
        rowOf.set(node.key, row);
        end = Math.max(end, node.start + node.duration);
        depth = Math.max(depth, node.depth + 1);
    });
    const main = mainOf(nodes);
    if (nodes.length > 0) timing.setCritical(main);
    setOrigins(nodes);
    const { missing, cycles, duplicates } = builder;
    return { nodes, main, end, depth, missing, cycles, duplicates, skewed, rowOf };
}
