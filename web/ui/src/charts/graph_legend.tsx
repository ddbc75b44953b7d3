// What shapes, lines and figures of the graph mean; only those that it has.
import type { ReactNode } from "react";
import { KIND_WORDS } from "./graph_text";
import { nodeShape } from "./graph_parts";
import { NODE_HEIGHT } from "./graph_layout";
import type { Graph, NodeKind } from "./graph_model";

function Entry(props: { sample: ReactNode; text: string }) {
    return (
        <span className="cb-graph-entry">
            {props.sample}
            {props.text}
        </span>
    );
}

function Shape(props: { kind: NodeKind }) {
    return (
        <svg width="30" height="18" viewBox={`-3 -3 82 ${NODE_HEIGHT + 6}`} aria-hidden="true">
            <path className="cb-graph-shape" d={nodeShape(props.kind, 76)} />
        </svg>
    );
}

function Line(props: { className: string }) {
    return (
        <svg width="30" height="10" aria-hidden="true" className={`cb-graph-edge ${props.className}`}>
            <path className="cb-graph-line" d="M1 5H29" strokeWidth={2} />
        </svg>
    );
}

const KINDS: readonly NodeKind[] = ["gateway", "component", "database", "queue", "host"];

export function Legend(props: { graph: Graph; path: boolean }) {
    const { nodes, edges } = props.graph;
    const has = (kind: NodeKind) => nodes.some((node) => node.kind === kind);
    return (
        <figcaption className="cb-graph-legend">
            <span>
                <b>in each node</b> requests, share that failed, p90
            </span>
            {KINDS.filter(has).map((kind) => (
                <Entry key={kind} sample={<Shape kind={kind} />} text={KIND_WORDS[kind]} />
            ))}
            <span>a thicker line: more requests</span>
            {edges.some((edge) => edge.health === "bad" || edge.health === "warning") ? (
                <Entry sample={<Line className="cb-graph-bad" />} text="calls fail" />
            ) : null}
            {edges.some((edge) => edge.drift === "undeclared") ? (
                <Entry sample={<Line className="cb-graph-undeclared" />} text="not declared" />
            ) : null}
            {edges.some((edge) => edge.drift === "unused") ? (
                <Entry sample={<Line className="cb-graph-unused" />} text="declared, no calls" />
            ) : null}
            {props.path ? <span>numbers: from the cause (1) to what users reach</span> : null}
        </figcaption>
    );
}
