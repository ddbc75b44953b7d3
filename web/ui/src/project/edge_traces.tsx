// Ten traces that pass both ends of an edge; of failed ones, where calls fail.
import { useAsk } from "../ask";
import { dataOf, type Client, type Schemas } from "../client";
import { inTrouble, type GraphEdge, type GraphNode } from "../charts/graph_model";
import { formatSeconds, shownName } from "../format";
import { Name, PageLink, Time } from "../parts/marks";
import { Answer } from "../states";
import { rfc3339 } from "../time";
import type { Window } from "../topology";

type TraceSummary = Schemas["TraceSummary"];

const SHOWN = 10;
// Of each end; a trace is shown if it is among those of both.
const READ = 300;

interface Question {
    source: GraphNode;
    target: GraphNode;
    window: Window;
    environment: string;
    failed: boolean;
}

async function askEdge(client: Client, question: Question, signal: AbortSignal) {
    const { source, target, window, environment, failed } = question;
    const ask = (node: GraphNode) =>
        client.POST("/api/v1alpha1/traces/query", {
            body: {
                searchScope: {
                    namespace: node.namespace ?? "",
                    project: node.project,
                    component: node.name,
                    environment,
                },
                startTime: rfc3339(window.start),
                endTime: rfc3339(window.end),
                errorsOnly: failed || undefined,
                limit: READ,
            },
            signal,
        });
    const ends = [source, target].filter((node) => node.kind === "component");
    const first = await ask(ends[0]!);
    if (ends.length < 2 || source.id === target.id || !first.data) return first;
    const other = await dataOf(ask(ends[1]!));
    const ids = new Set(other.traces.map((trace) => trace.traceId));
    const traces = first.data.traces.filter((trace) => ids.has(trace.traceId));
    return { ...first, data: { ...first.data, traces } };
}

function TraceRow(props: { trace: TraceSummary; namespace?: string }) {
    const { trace } = props;
    return (
        <li>
            <PageLink page="trace" params={{ ns: props.namespace, id: trace.traceId }}>
                <Time at={trace.startTime} seconds />
            </PageLink>{" "}
            <Name text={trace.rootSpanName || trace.traceName} />{" "}
            <span className="cb-quiet">
                {formatSeconds(trace.durationNs / 1e9)}, {trace.spanCount} spans
            </span>
            {trace.hasErrors ? <span className="cb-text-bad"> failed</span> : null}
        </li>
    );
}

export function EdgeTraces(props: {
    edge: GraphEdge;
    source: GraphNode;
    target: GraphNode;
    window: Window;
    environment: string;
}) {
    const { edge, source, target, window, environment } = props;
    const failed = inTrouble(edge.health) && edge.failed > 0;
    const component = [source, target].find((node) => node.kind === "component");
    const key = ["edge traces", edge.id, environment, Number(window.start), Number(window.end), failed];
    const asked = useAsk(
        key,
        (client, signal) => askEdge(client, { source, target, window, environment, failed }, signal),
        { enabled: component !== undefined && edge.requests > 0 },
    );
    if (!component || edge.requests === 0) return null;
    const both = source.kind === "component" && target.kind === "component";
    const where = both ? "that pass both" : `of ${shownName(component.name)}`;
    return (
        <>
            <h3>
                {failed ? "Failed traces" : "Traces"} {where}
            </h3>
            <Answer asked={asked} height={120}>
                {(data) =>
                    data.traces.length === 0 ? (
                        <p className="cb-quiet">None among the newest {READ}.</p>
                    ) : (
                        <ul className="cb-panel-traces">
                            {data.traces.slice(0, SHOWN).map((trace) => (
                                <TraceRow key={trace.traceId} trace={trace} namespace={component.namespace} />
                            ))}
                        </ul>
                    )
                }
            </Answer>
        </>
    );
}
