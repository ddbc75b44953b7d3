// The endpoints that calls between two nodes leave from and reach, each with its figures.
import { useAsk } from "../ask";
import { figuresOf, nodeId, type GraphNode } from "../charts/graph_model";
import { Name } from "../parts/marks";
import { Answer } from "../states";
import { rfc3339 } from "../time";
import type { Window } from "../topology";
import { FigureTable } from "./panel";

export function EdgeEndpoints(props: {
    source: GraphNode;
    target: GraphNode;
    window: Window;
    environment: string;
}) {
    const { source, target, window, environment } = props;
    const component = source.kind === "component" ? source : target;
    const body = {
        searchScope: {
            namespace: component.namespace ?? "",
            project: component.project,
            component: component.name,
            environment,
        },
        startTime: rfc3339(window.start),
        endTime: rfc3339(window.end),
        perEndpoint: true,
    };
    const asked = useAsk(["topology", body], (client, signal) =>
        client.POST("/api/v1alpha1/metrics/runtime-topology", { body, signal }),
    );
    const seconds = (Number(window.end) - Number(window.start)) / 1000;
    return (
        <>
            <h3>Endpoints</h3>
            <Answer asked={asked} height={60}>
                {(data) => {
                    const edges = data.edges.filter(
                        (edge) => nodeId(edge.source) === source.id && nodeId(edge.target) === target.id,
                    );
                    if (edges.length === 0) return <p className="cb-quiet">No calls in this time.</p>;
                    return (
                        <FigureTable
                            label="Endpoints"
                            first="from → to"
                            rows={edges.map((edge) => ({
                                key: edge.id,
                                figures: figuresOf(edge.metrics, seconds),
                                name: (
                                    <>
                                        <Name text={edge.source.service ?? "–"} /> →{" "}
                                        <Name text={edge.target.service ?? edge.target.host ?? "–"} />
                                    </>
                                ),
                            }))}
                        />
                    );
                }}
            </Answer>
        </>
    );
}
