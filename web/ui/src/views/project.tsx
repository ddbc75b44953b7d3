// Who calls whom, where it hurts, what is not declared.
import { useCallback, useMemo, useState } from "react";
import { useParam, useSetParams } from "../address";
import {
    componentId,
    filterGraph,
    inTrouble,
    troubled,
    type Graph,
    type NodeKind,
} from "../charts/graph_model";
import { TopologyGraph } from "../charts/graph";
import { useCause } from "../cause";
import { useComponents, type ComponentRow } from "../components";
import { shownName } from "../format";
import { foremost, useCauseWindow, useIncidents } from "../incidents";
import { ChooseScope } from "../parts/choose_scope";
import { Check } from "../parts/choice";
import { ComponentTable, WORST_FIRST } from "../parts/component_table";
import { CauseSentence } from "../parts/cause_sentence";
import { Name, PageLink, Section } from "../parts/marks";
import { sortOf, sortText } from "../parts/table";
import { ChosenPanel } from "../project/panel";
import { Answer, Empty } from "../states";
import { useScope, type Scope } from "../scope";
import { useTimeRange, type TimeRange } from "../time";
import { environmentOf, useGraph, useTopology } from "../topology";

// Above it the table comes first, and the graph has what is in trouble.
const MOST_NODES = 150;
const MOST_HOPS = 5;

function countText(graph: Graph): string {
    const count = (...kinds: NodeKind[]) => graph.nodes.filter((node) => kinds.includes(node.kind)).length;
    const parts = [
        [count("component"), "component"],
        [count("database"), "database"],
        [count("queue"), "queue"],
        [count("host"), "external host"],
    ] as const;
    return parts
        .filter(([n]) => n > 0)
        .map(([n, word]) => `${n} ${word}${n === 1 ? "" : "s"}`)
        .join(", ");
}

interface Choice {
    only?: "trouble" | "drift";
    gateways: boolean;
    external: boolean;
    focus?: string;
    hops: number;
}

function useChoice(): Choice {
    const [only] = useParam("only");
    const [gateways] = useParam("gateways");
    const [external] = useParam("external");
    const [focus] = useParam("focus");
    const [hops] = useParam("hops");
    return {
        only: only === "trouble" || only === "drift" ? only : undefined,
        gateways: gateways !== "off",
        external: external !== "off",
        focus,
        hops: Math.min(MOST_HOPS, Math.max(1, Math.round(Number(hops ?? 1)) || 1)),
    };
}

function Tools(props: { graph: Graph; choice: Choice }) {
    const { graph, choice } = props;
    const set = useSetParams();
    const nodes = [...graph.nodes].sort((a, b) => a.name.localeCompare(b.name));
    const drifts = graph.edges.filter((edge) => edge.drift).length;
    return (
        <span className="cb-toolbar">
            <Check
                checked={choice.only === "trouble"}
                onChange={(on) => set({ only: on ? "trouble" : undefined })}
            >
                only trouble
            </Check>
            <Check
                checked={choice.only === "drift"}
                onChange={(on) => set({ only: on ? "drift" : undefined })}
            >{`only drift (${drifts})`}</Check>
            <Check checked={choice.gateways} onChange={(on) => set({ gateways: on ? undefined : "off" })}>
                gateways
            </Check>
            <Check checked={choice.external} onChange={(on) => set({ external: on ? undefined : "off" })}>
                databases, queues, external
            </Check>
            <label className="cb-check">
                neighbours of{" "}
                <select
                    className="cb-input"
                    value={choice.focus ?? ""}
                    onChange={(event) => set({ focus: event.target.value || undefined })}
                >
                    <option value="">all</option>
                    {nodes.map((node) => (
                        <option key={node.id} value={node.id}>
                            {shownName(node.name)}
                            {node.kind === "component" ? "" : ` (${node.kind})`}
                        </option>
                    ))}
                </select>
            </label>
            {choice.focus ? (
                <label className="cb-check">
                    within{" "}
                    <select
                        className="cb-input"
                        value={choice.hops}
                        onChange={(event) => set({ hops: event.target.value })}
                    >
                        {Array.from({ length: MOST_HOPS }, (_, i) => (
                            <option key={i} value={i + 1}>
                                {i + 1} {i === 0 ? "call" : "calls"}
                            </option>
                        ))}
                    </select>
                </label>
            ) : null}
        </span>
    );
}

function NothingShown(props: { choice: Choice; reduced: boolean }) {
    const set = useSetParams();
    const what = { trouble: "Nothing is in trouble.", drift: "Calls and catalogue agree." };
    if (props.reduced)
        return (
            <Empty
                what="Nothing is in trouble."
                why="Choose a component above to see its neighbours, or the table."
            />
        );
    return (
        <Empty
            what={props.choice.only ? what[props.choice.only] : "No calls."}
            why="The filter of the graph leaves nothing."
            next={
                <button
                    type="button"
                    className="cb-button"
                    onClick={() =>
                        set({ only: undefined, focus: undefined, gateways: undefined, external: undefined })
                    }
                >
                    Show all
                </button>
            }
        />
    );
}

// The part of the graph that is drawn: what is chosen, and of very many nodes those in trouble.
function useShown(graph: Graph, choice: Choice, table: boolean): { shown: Graph; reduced: boolean } {
    return useMemo(() => {
        const shown = filterGraph(graph, choice);
        const reduced = !table && shown.nodes.length > MOST_NODES && choice.only === undefined;
        if (!reduced) return { shown, reduced };
        const part = troubled(shown);
        return { shown: { ...part, nodes: part.nodes.slice(0, MOST_NODES) }, reduced };
        // eslint-disable-next-line react-hooks/exhaustive-deps -- the parts of choice
    }, [graph, table, choice.only, choice.gateways, choice.external, choice.focus, choice.hops]);
}

function Picture(props: {
    graph: Graph;
    range: TimeRange;
    environment: string;
    lit?: string;
    label: string;
}) {
    const { graph, range } = props;
    const choice = useChoice();
    const set = useSetParams();
    const [view] = useParam("view");
    const [selected] = useParam("at");
    const asTable = view ? view === "table" : graph.nodes.length > MOST_NODES;
    const { shown, reduced } = useShown(graph, choice, asTable);
    const select = useCallback((id: string | undefined) => set({ at: id }, "replace"), [set]);
    const focus = useCallback((id: string | undefined) => set({ focus: id, at: id }), [set]);
    const closed = useMemo(() => withEnds(shown), [shown]);
    return (
        <>
            <p className="cb-quiet cb-project-count">{countText(graph)}</p>
            {reduced && !asTable ? (
                <p className="cb-quiet">
                    {graph.nodes.length} nodes are too many for one picture: it has those in trouble and their
                    neighbours. Choose a component above to see its neighbours.
                </p>
            ) : null}
            <div className="cb-graph-and-panel">
                <div className="cb-graph-side">
                    {closed.nodes.length === 0 ? (
                        <>
                            <div className="cb-toolbar cb-project-bar">
                                <Tools graph={graph} choice={choice} />
                            </div>
                            <NothingShown choice={choice} reduced={reduced} />
                        </>
                    ) : null}
                    {closed.nodes.length > 0 ? (
                        <TopologyGraph
                            graph={closed}
                            label={props.label}
                            selected={selected}
                            onSelect={select}
                            onFocus={focus}
                            lit={props.lit}
                            table={asTable}
                            onTable={(on) => set({ view: on ? "table" : "graph" })}
                            tools={<Tools graph={graph} choice={choice} />}
                        />
                    ) : null}
                </div>
                {selected ? (
                    <ChosenPanel
                        graph={graph}
                        selected={selected}
                        window={range}
                        environment={props.environment}
                        onSelect={select}
                        onFocus={focus}
                    />
                ) : null}
            </div>
        </>
    );
}

function withEnds(graph: Graph): Graph {
    const ids = new Set(graph.nodes.map((node) => node.id));
    return { ...graph, edges: graph.edges.filter((edge) => ids.has(edge.source) && ids.has(edge.target)) };
}

function Nothing(props: { scope: Scope; range: TimeRange }) {
    const { project, namespace, environment } = props.scope;
    const set = useSetParams();
    const name = shownName(project ?? namespace ?? "");
    return (
        <Empty
            what={`Nothing of ${name}${environment ? ` in ${shownName(environment)}` : ""} in this time.`}
            why="It sent no spans, or it has another name or environment."
            next={
                <>
                    <button
                        type="button"
                        className="cb-button"
                        onClick={() => set({ from: "now-1d", to: undefined })}
                    >
                        Look at the last day
                    </button>{" "}
                    {environment ? (
                        <button type="button" className="cb-button" onClick={() => set({ env: undefined })}>
                            All environments
                        </button>
                    ) : null}{" "}
                    <PageLink page="overview" params={{ project: undefined, component: undefined }}>
                        All components
                    </PageLink>
                </>
            }
        />
    );
}

function Found(props: { scope: Scope; range: TimeRange; rows: readonly ComponentRow[] }) {
    const { range, rows } = props;
    const scope = { ...props.scope, component: undefined, environment: environmentOf(props.scope, rows) };
    const [lit, setLit] = useState<string>();
    const [sort, setSort] = useParam("sort");
    const topology = useTopology(scope, range);
    const mine = useMemo(
        () => rows.filter((row) => !scope.environment || row.environment === scope.environment),
        [rows, scope.environment],
    );
    const graph = useGraph(topology.data, mine);
    const causeScope = {
        namespace: scope.namespace ?? "",
        project: scope.project ?? "",
        environment: scope.environment,
    };
    const asks = scope.project !== undefined && topology.isSuccess;
    const incidents = useIncidents(causeScope, range, asks);
    const causeWindow = useCauseWindow(foremost(incidents.data?.incidents ?? []), range);
    const cause = useCause(causeScope, causeWindow, asks && !incidents.isLoading);
    const bad = mine.filter((row) => inTrouble(row.health)).length;
    const title = `Calls of ${shownName(scope.project ?? scope.namespace ?? "")}`;
    return (
        <>
            {cause.data ? (
                <p className={cause.data.found ? "cb-sentence cb-sentence-bad" : "cb-sentence"}>
                    <CauseSentence cause={cause.data} scope={causeScope} asked={causeWindow} />
                </p>
            ) : null}
            <Answer asked={topology} height={520}>
                {() =>
                    graph && graph.nodes.length > 0 ? (
                        <Picture
                            graph={graph}
                            range={range}
                            environment={scope.environment ?? ""}
                            lit={lit}
                            label={`${title}: ${countText(graph)}; ${bad} in trouble`}
                        />
                    ) : (
                        <Nothing scope={scope} range={range} />
                    )
                }
            </Answer>
            <Section id="components" title="Components">
                <ComponentTable
                    label="Components"
                    rows={mine}
                    sort={sortOf(sort, WORST_FIRST)}
                    onSort={(next) => setSort(sortText(next), "replace")}
                    onHover={(row) => setLit(row && componentId(row.namespace, row.project, row.component))}
                    height="36rem"
                />
            </Section>
        </>
    );
}

export default function Project() {
    const scope = useScope();
    const range = useTimeRange();
    const components = useComponents(
        { ...scope, component: undefined },
        range,
        scope.namespace !== undefined,
    );
    if (!scope.namespace)
        return (
            <ChooseScope
                of="project"
                what="No project is chosen."
                why="Calls are drawn of one project, or of all of one namespace."
            />
        );
    const environment = environmentOf(scope, components.rows);
    return (
        <div className="cb-project-page">
            <h1>
                <Name text={scope.project ?? scope.namespace} />
                {environment ? (
                    <span className="cb-quiet">
                        {" / "}
                        <Name text={environment} />
                    </span>
                ) : null}
            </h1>
            <Answer asked={components.asked} height={520}>
                {(list) =>
                    list.components.length === 0 ? (
                        <Nothing scope={scope} range={range} />
                    ) : (
                        <Found scope={scope} range={range} rows={components.rows} />
                    )
                }
            </Answer>
        </div>
    );
}
