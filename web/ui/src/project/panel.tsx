// What stands beside the graph: the node or edge that is chosen.
import type { ReactNode } from "react";
import { formatCount, formatRate, formatSeconds, formatShare } from "../format";
import type { Graph, GraphEdge, GraphFigures, GraphNode } from "../charts/graph_model";
import { driftText } from "../charts/graph_table";
import { KIND_WORDS } from "../charts/graph_text";
import { Panel } from "../parts/panel";
import { HealthMark, Name, PageLink } from "../parts/marks";
import type { Window } from "../topology";
import { EdgeEndpoints } from "./edge_endpoints";
import { EdgeTraces } from "./edge_traces";

function linkParams(node: GraphNode) {
    return { ns: node.namespace, project: node.project, component: node.name };
}

function FigureRow(props: { name: ReactNode; figures: GraphFigures }) {
    const { name, figures } = props;
    return (
        <tr>
            <th scope="row">{name}</th>
            <td>{formatRate(figures.rate)}</td>
            <td>{formatShare(figures.errorRatio)}</td>
            <td>{formatSeconds(figures.p50)}</td>
            <td>{formatSeconds(figures.p90)}</td>
            <td>{formatSeconds(figures.p99)}</td>
        </tr>
    );
}

export function FigureTable(props: {
    label: string;
    first: string;
    rows: readonly { key: string; name: ReactNode; figures: GraphFigures }[];
}) {
    return (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- keys scroll it sideways
        <div className="cb-mini-frame" role="group" aria-label={props.label} tabIndex={0}>
            <table className="cb-mini" aria-label={props.label}>
                <thead>
                    <tr>
                        <th scope="col">{props.first}</th>
                        <th scope="col">rate</th>
                        <th scope="col">failed</th>
                        <th scope="col">p50</th>
                        <th scope="col">p90</th>
                        <th scope="col">p99</th>
                    </tr>
                </thead>
                <tbody>
                    {props.rows.map((row) => (
                        <FigureRow key={row.key} name={row.name} figures={row.figures} />
                    ))}
                </tbody>
            </table>
        </div>
    );
}

interface PanelProps {
    graph: Graph;
    window: Window;
    environment: string;
    onSelect: (id: string | undefined) => void;
    onFocus: (id: string | undefined) => void;
}

function Calls(props: { title: string; edges: readonly GraphEdge[]; end: "source" | "target" } & PanelProps) {
    const { graph, edges, end, onSelect } = props;
    if (edges.length === 0) return null;
    const names = new Map(graph.nodes.map((node) => [node.id, node.name]));
    return (
        <>
            <h3>{props.title}</h3>
            <FigureTable
                label={props.title}
                first=""
                rows={edges.map((edge) => ({
                    key: edge.id,
                    figures: edge,
                    name: (
                        <button type="button" className="cb-text-button" onClick={() => onSelect(edge.id)}>
                            <HealthMark health={edge.health} /> <Name text={names.get(edge[end]) ?? ""} />
                        </button>
                    ),
                }))}
            />
        </>
    );
}

function NodePanel(props: { node: GraphNode } & PanelProps) {
    const { node, graph } = props;
    return (
        <>
            <p className="cb-panel-kind">
                <HealthMark health={node.health} hidden /> {node.health} ·{" "}
                {node.system ? <Name text={node.system} /> : KIND_WORDS[node.kind]}
                {node.project ? (
                    <>
                        {" · "}
                        <Name text={node.project} />
                    </>
                ) : null}
            </p>
            <p className="cb-buttons">
                {node.kind === "component" ? (
                    <>
                        <PageLink page="component" params={linkParams(node)} className="cb-button">
                            Open
                        </PageLink>
                        <PageLink page="logs" params={linkParams(node)} className="cb-button">
                            Logs
                        </PageLink>
                        <PageLink page="traces" params={linkParams(node)} className="cb-button">
                            Traces
                        </PageLink>
                    </>
                ) : null}
                <button type="button" className="cb-button" onClick={() => props.onFocus(node.id)}>
                    Only neighbours
                </button>
            </p>
            <FigureTable
                label="Requests of it"
                first=""
                rows={[{ key: "all", name: "all requests", figures: node }]}
            />
            <Calls
                {...props}
                title="Called by"
                end="source"
                edges={graph.edges.filter((edge) => edge.target === node.id)}
            />
            <Calls
                {...props}
                title="Calls"
                end="target"
                edges={graph.edges.filter((edge) => edge.source === node.id)}
            />
        </>
    );
}

function EdgePanel(props: { edge: GraphEdge } & PanelProps) {
    const { edge, graph, window, environment } = props;
    const of = (id: string) => graph.nodes.find((node) => node.id === id);
    const [source, target] = [of(edge.source), of(edge.target)];
    const back = graph.edges.find((other) => other.source === edge.target && other.target === edge.source);
    if (!source || !target) return null;
    const title = (from: GraphNode, to: GraphNode) => (
        <>
            <Name text={from.name} /> → <Name text={to.name} />
        </>
    );
    return (
        <>
            <p className="cb-panel-kind">
                <HealthMark health={edge.health} hidden /> {formatCount(edge.requests)} calls,{" "}
                {formatCount(edge.failed)} failed{edge.protocol ? `, by ${edge.protocol}` : ""}
                {edge.declarable ? ` · ${driftText(edge)}` : ""}
            </p>
            <FigureTable
                label="Calls in both directions"
                first=""
                rows={[
                    { key: "there", name: title(source, target), figures: edge },
                    ...(back && back !== edge
                        ? [{ key: "back", name: title(target, source), figures: back }]
                        : []),
                ]}
            />
            {source.kind === "component" || target.kind === "component" ? (
                <EdgeEndpoints {...{ source, target, window, environment }} />
            ) : null}
            <EdgeTraces {...{ edge, source, target, window, environment }} />
        </>
    );
}

export function ChosenPanel(props: { selected: string } & PanelProps) {
    const { graph, selected, onSelect } = props;
    const node = graph.nodes.find((item) => item.id === selected);
    const edge = graph.edges.find((item) => item.id === selected);
    const names = new Map(graph.nodes.map((item) => [item.id, item.name]));
    if (!node && !edge) return null;
    return (
        <Panel
            label="Chosen in the graph"
            onClose={() => onSelect(undefined)}
            title={
                <>
                    {node ? <Name text={node.name} /> : null}
                    {edge ? (
                        <>
                            <Name text={names.get(edge.source) ?? ""} /> →{" "}
                            <Name text={names.get(edge.target) ?? ""} />
                        </>
                    ) : null}
                </>
            }
        >
            {node ? <NodePanel {...props} node={node} /> : null}
            {edge ? <EdgePanel {...props} edge={edge} /> : null}
        </Panel>
    );
}
