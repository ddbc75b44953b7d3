// The topology graph: nodes and edges with their figures, pan, zoom and fit, keys
// through the nodes. The layout is computed once per set of nodes and edges.
import { useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { shownName } from "../format";
import { Choice } from "../parts/choice";
import { EdgeTable } from "./graph_table";
import { directionOf, neighbourOf } from "./graph_keys";
import { layoutGraph, signature, type Placement } from "./graph_layout";
import type { Graph, GraphNode } from "./graph_model";
import { edgeSentence, EdgeDrawing, NodeDrawing, type GraphMark } from "./graph_parts";
import { Legend } from "./graph_legend";
import { useViewport } from "./graph_viewport";

export interface TopologyGraphProps {
    graph: Graph;
    // In one sentence, for those who do not see it.
    label: string;
    marks?: ReadonlyMap<string, GraphMark>; // by id of a node or edge
    selected?: string; // id of a node or edge
    onSelect?: (id: string | undefined) => void;
    onFocus?: (id: string) => void; // double click, or f
    lit?: string; // id of a node, as of a row under the pointer
    anchor?: string; // the node that is shown first where not all of it fits
    tools?: ReactNode;
    // Whether the table is shown in place of the picture; absent: the graph keeps it itself.
    table?: boolean;
    onTable?: (table: boolean) => void;
}

const ORDER: Record<GraphNode["health"], number> = { bad: 0, warning: 1, silent: 2, ok: 3, unknown: 4 };

function worst(graph: Graph): string | undefined {
    return [...graph.nodes].sort((a, b) => ORDER[a.health] - ORDER[b.health] || b.requests - a.requests)[0]
        ?.id;
}

// The layout stays as it is while nothing new is to be placed: a node without
// requests in this minute leaves its place free.
function usePlacement(graph: Graph): Placement {
    const key = signature(graph);
    const known = useRef<{ key: string; placement: Placement } | null>(null);
    return useMemo(() => {
        const last = known.current;
        const placed =
            last &&
            graph.nodes.every((node) => last.placement.nodes.has(node.id)) &&
            graph.edges.every((edge) => last.placement.edges.has(edge.id)) &&
            graph.nodes.length * 4 >= last.placement.nodes.size * 3;
        const captions = JSON.stringify(graph.nodes.map((node) => node.caption ?? ""));
        if (placed && last.key === captions) return last.placement;
        const placement = layoutGraph(graph);
        known.current = { key: captions, placement };
        return placement;
        // eslint-disable-next-line react-hooks/exhaustive-deps -- figures do not move anything
    }, [key]);
}

export function TopologyGraph(props: TopologyGraphProps) {
    const [ownTable, setOwnTable] = useState(false);
    const table = props.table ?? ownTable;
    const onTable = props.onTable ?? setOwnTable;
    const choice = (
        <Choice
            label="Show calls as"
            options={SHAPES}
            value={table ? "table" : "graph"}
            onChange={(shape) => onTable(shape === "table")}
        />
    );
    if (!table) return <Picture {...props} choice={choice} />;
    return (
        <figure className="cb-graph" aria-label={props.label}>
            <div className="cb-graph-tools">
                {choice}
                {props.tools}
            </div>
            <EdgeTable graph={props.graph} onSelect={props.onSelect} selected={props.selected} />
        </figure>
    );
}

function Picture(props: TopologyGraphProps & { choice: ReactNode }) {
    const { graph, selected, onSelect, onFocus } = props;
    const placement = usePlacement(graph);
    const svg = useRef<SVGSVGElement>(null);
    const hatch = "hatch" + useId().replace(/[^a-zA-Z0-9]/g, "");
    const [current, setCurrent] = useState<string>();
    const [hovered, setHovered] = useState<string>();
    const first = props.anchor ?? worst(graph);
    const stop = current && placement.nodes.has(current) ? current : first;
    const port = useViewport(svg, placement, first ? placement.nodes.get(first) : undefined);
    const names = useMemo(() => new Map(graph.nodes.map((node) => [node.id, shownName(node.name)])), [graph]);
    const focusNode = (id: string) => {
        setCurrent(id);
        const box = placement.nodes.get(id);
        if (box) port.reveal(box);
        for (const element of svg.current?.querySelectorAll<SVGGElement>("[data-node]") ?? [])
            if (element.dataset.node === id)
                element.querySelector<SVGGElement>("[role=button]")?.focus({ preventScroll: true });
    };
    const keyDown = (event: KeyboardEvent) => {
        if (event.ctrlKey || event.metaKey || event.altKey || !stop) return;
        const direction = directionOf(event.key);
        const done = () => {
            event.preventDefault();
            event.stopPropagation();
        };
        if (direction) {
            const next = neighbourOf(graph, placement, stop, direction);
            if (next) focusNode(next);
            return done();
        }
        const steps: Record<string, () => void> = {
            Enter: () => onSelect?.(selected === stop ? undefined : stop),
            " ": () => onSelect?.(selected === stop ? undefined : stop),
            Escape: () => onSelect?.(undefined),
            f: () => onFocus?.(stop),
            "+": () => port.zoom(1.25),
            "=": () => port.zoom(1.25),
            "-": () => port.zoom(0.8),
            "0": () => port.fit(),
        };
        const step = steps[event.key];
        if (!step || (event.key === "Escape" && !selected)) return;
        step();
        done();
    };
    const idAt = (target: EventTarget) => {
        const element = (target as Element).closest<SVGGElement>("[data-node], [data-edge]");
        return element?.dataset.node ?? element?.dataset.edge;
    };
    const near = props.lit ?? hovered ?? selected;
    const isLit = (edge: { id: string; source: string; target: string }) =>
        near !== undefined && (edge.id === near || edge.source === near || edge.target === near);
    return (
        <figure className="cb-graph" aria-label={props.label}>
            <div className="cb-graph-tools">
                {props.choice}
                {props.tools}
                <ZoomButtons zoom={port.zoom} fit={port.fit} />
            </div>
            <svg
                ref={svg}
                className="cb-graph-canvas"
                height={port.height}
                role="group"
                aria-label={props.label}
                onKeyDown={keyDown}
                onClick={(event) => {
                    if (port.dragged()) return;
                    const id = idAt(event.target);
                    if (id && placement.nodes.has(id)) setCurrent(id);
                    onSelect?.(id === selected ? undefined : id);
                }}
                onDoubleClick={(event) => {
                    const id = idAt(event.target);
                    if (id && placement.nodes.has(id)) onFocus?.(id);
                }}
                onMouseOver={(event) => setHovered(idAt(event.target))}
                onFocus={() => undefined}
                onMouseLeave={() => setHovered(undefined)}
                {...port.pointer}
            >
                <defs>
                    <pattern
                        id={hatch}
                        width="7"
                        height="7"
                        patternUnits="userSpaceOnUse"
                        patternTransform="rotate(45)"
                    >
                        <rect className="cb-graph-hatch-line" width="2" height="7" />
                    </pattern>
                </defs>
                <g transform={`translate(${port.view.x} ${port.view.y}) scale(${port.view.scale})`}>
                    <GraphContent
                        {...{ graph, placement, names, selected, hatch, near, isLit }}
                        marks={props.marks}
                        current={stop}
                    />
                </g>
            </svg>
            <Legend
                graph={graph}
                path={[...(props.marks?.values() ?? [])].some((mark) => mark.step !== undefined)}
            />
        </figure>
    );
}

const SHAPES = [
    { value: "graph", text: "graph", label: "Show as graph" },
    { value: "table", text: "table", label: "Show as table" },
] as const;

function ZoomButtons(props: { zoom: (factor: number) => void; fit: () => void }) {
    return (
        <span className="cb-graph-buttons">
            <button type="button" className="cb-button" onClick={() => props.zoom(0.8)} aria-label="Zoom out">
                −
            </button>
            <button type="button" className="cb-button" onClick={() => props.zoom(1.25)} aria-label="Zoom in">
                +
            </button>
            <button type="button" className="cb-button" onClick={props.fit}>
                Fit
            </button>
        </span>
    );
}

function GraphContent(props: {
    graph: Graph;
    placement: Placement;
    names: ReadonlyMap<string, string>;
    marks?: ReadonlyMap<string, GraphMark>;
    selected?: string;
    current?: string;
    near?: string;
    isLit: (edge: { id: string; source: string; target: string }) => boolean;
    hatch: string;
}) {
    const { graph, placement, marks } = props;
    return (
        <>
            {graph.edges.map((edge) => (
                <EdgeDrawing
                    key={edge.id}
                    edge={edge}
                    place={placement.edges.get(edge.id)!}
                    sentence={edgeSentence(edge, props.names)}
                    mark={marks?.get(edge.id)}
                    selected={props.selected === edge.id}
                    lit={props.isLit(edge)}
                />
            ))}
            {graph.nodes.map((node) => (
                <NodeDrawing
                    key={node.id}
                    node={node}
                    place={placement.nodes.get(node.id)!}
                    mark={marks?.get(node.id)}
                    selected={props.selected === node.id}
                    lit={props.near === node.id}
                    current={props.current === node.id}
                    hatch={props.hatch}
                />
            ))}
        </>
    );
}
