// An answer of the root cause, live or kept: sentence, path on the graph, suspects
// with evidence, what happened, what was excluded, what else stands out.
import { useCallback, useMemo, useState } from "react";
import { useParam } from "../address";
import { TopologyGraph } from "../charts/graph";
import { causeText, confidenceText, plainText, type Cause } from "../cause";
import { formatCount, formatShare, shownName } from "../format";
import { ShareBar } from "../parts/share_bar";
import { HealthMark, Level, Name, PageLink, Section, Time } from "../parts/marks";
import { Empty } from "../states";
import { useGraph, useTopology } from "../topology";
import { changeOfSuspect, otherChanges, type OtherChange } from "./other_changes";
import { markGraph } from "./path";
import { Suspects } from "./suspects";
import { timelineOf, TIMELINE_WORDS } from "./timeline";

export interface AnswerScope {
    namespace: string;
    project: string;
    environment?: string;
}

function Confidence(props: { value: number }) {
    return (
        <span className="cb-confidence" title="How often such an answer is right">
            <ShareBar share={props.value} />
            {confidenceText(props.value)}
        </span>
    );
}

function Impact(props: { cause: Cause }) {
    const { impact, summary } = props.cause;
    if (impact.length === 0)
        return summary.impact ? (
            <p className="cb-cause-impact">{shownName(plainText(summary.impact))}</p>
        ) : null;
    return (
        <ul className="cb-cause-impact" aria-label="What users see">
            {impact.map((item) => (
                <li key={`${item.component} ${item.operation}`}>
                    <b>{shownName(item.operation)}</b> <span className="cb-quiet">of</span>{" "}
                    <Name text={item.component} />:{" "}
                    {item.isSample
                        ? `${formatShare(item.requests > 0 ? item.failed / item.requests : null)} of requests fail`
                        : `${formatCount(item.failed)} of ${formatCount(item.requests)} requests failed`}{" "}
                    <span className="cb-quiet">
                        ({formatCount(item.failedBefore)} of {formatCount(item.requestsBefore)} before)
                    </span>
                    {item.slowFromMs
                        ? `, ${formatCount(item.slow)} took longer than ${item.slowFromMs} ms`
                        : ""}
                </li>
            ))}
        </ul>
    );
}

// The change is what a reader would take back.
function ChangeBefore(props: { cause: Cause }) {
    const change = useMemo(() => changeOfSuspect(props.cause), [props.cause]);
    if (!change) return null;
    return (
        <p className="cb-cause-change">
            It changed before that: <b>{shownName(change.text)}</b> at <Time at={change.timestamp} seconds />.
        </p>
    );
}

function Found(props: { cause: Cause; scope: AnswerScope }) {
    const { cause, scope } = props;
    const first = cause.suspects[0]!;
    return (
        <div className="cb-cause-answer cb-cause-found">
            <p className="cb-cause-sentence">
                <HealthMark health="bad" hidden />{" "}
                <PageLink
                    page="component"
                    params={{
                        ns: first.namespace ?? scope.namespace,
                        project: first.project ?? scope.project,
                        component: first.component,
                        env: first.environment,
                    }}
                >
                    <Name text={first.component} className="cb-strong" />
                </PageLink>{" "}
                is likely to blame
                {first.onset ? (
                    <>
                        {" "}
                        since <Time at={first.onset} />
                    </>
                ) : null}
                : {shownName(causeText(first))}.
            </p>
            <Confidence value={cause.confidence} />
            <ChangeBefore cause={cause} />
            <Impact cause={cause} />
        </div>
    );
}

function readText(cause: Cause): string {
    const { spans, logs, tracesBefore, tracesDuring } = cause.read;
    return (
        `${formatCount(spans)} spans and ${formatCount(logs)} log records were read; ` +
        `traces: ${formatCount(tracesDuring)} of the time in question, ${formatCount(tracesBefore)} of before.`
    );
}

function NotFound(props: { cause: Cause }) {
    return (
        <div className="cb-cause-answer">
            <p className="cb-cause-sentence">
                <HealthMark health="ok" hidden /> No component stands out against the time before.
            </p>
            <p className="cb-quiet">{readText(props.cause)}</p>
            <p className="cb-quiet">
                If something was wrong, drag over that time on the chart above: a window that holds mostly
                normal time hides what is short.
            </p>
        </div>
    );
}

// Who broke whom, in words: cause, then each caller that it reached, then users.
function Steps(props: { cause: Cause; scope: AnswerScope }) {
    const { path, impact } = props.cause;
    const [users] = impact;
    if (path.length === 0) return null;
    return (
        <ol className="cb-cause-steps" aria-label="How it spread, from the cause to users">
            {path.map((step, i) => (
                <li key={i} className={i === 0 ? "cb-cause-step-first" : undefined}>
                    <span className="cb-cause-step-name">
                        <span className="cb-cause-number">{i + 1}</span> <Name text={step.component} />
                    </span>
                    <span className="cb-quiet">
                        {i === 0 ? "breaks: " : "calls it and suffers: "}
                        {shownName(plainText(step.symptom ?? ""))}
                    </span>
                </li>
            ))}
            {users ? (
                <li>
                    <span className="cb-cause-step-name">
                        <span className="cb-cause-number">{path.length + 1}</span> users of{" "}
                        <Name text={props.scope.project} />
                    </span>
                    <span className="cb-quiet">
                        {shownName(users.operation)} fails in{" "}
                        {formatShare(users.requests > 0 ? users.failed / users.requests : null)} of requests
                    </span>
                </li>
            ) : null}
        </ol>
    );
}

function PathGraph(props: { cause: Cause; scope: AnswerScope }) {
    const { cause, scope } = props;
    const [selected, setSelected] = useState<string>();
    const window = {
        start: Date.parse(cause.window.startTime),
        end: Date.parse(cause.window.endTime),
    };
    const environment = scope.environment ?? cause.suspects[0]?.environment;
    const topology = useTopology({ ...scope, environment }, window);
    const graph = useGraph(topology.data, NO_ROWS);
    const marked = useMemo(() => markGraph(graph ?? NO_GRAPH, cause, scope), [graph, cause, scope]);
    const select = useCallback((id: string | undefined) => setSelected(id), []);
    const names = cause.path.map((step) => shownName(step.component)).join(", then ");
    if (marked.graph.nodes.length === 0) return null;
    return (
        <TopologyGraph
            graph={marked.graph}
            marks={marked.marks}
            anchor={marked.culprit}
            selected={selected}
            onSelect={select}
            label={cause.found ? `How the failure spread: ${names}` : "Calls in the time in question"}
        />
    );
}

const NO_ROWS: never[] = [];
const NO_GRAPH = { nodes: [], edges: [] };

function Timeline(props: { cause: Cause }) {
    const entries = timelineOf(props.cause);
    if (entries.length === 0) return <p className="cb-quiet">Nothing is recorded in this time.</p>;
    return (
        <ol className="cb-timeline">
            {entries.map((entry, i) => (
                <li key={i} className={`cb-timeline-${entry.kind}`}>
                    <Time at={entry.at} seconds />
                    <span className="cb-tag">{TIMELINE_WORDS[entry.kind]}</span>
                    <span className="cb-timeline-text">
                        {entry.component ? (
                            <>
                                <Name text={entry.component} className="cb-strong" />{" "}
                            </>
                        ) : null}
                        {shownName(entry.text)}
                    </span>
                </li>
            ))}
        </ol>
    );
}

function Excluded(props: { cause: Cause; changes: readonly OtherChange[] }) {
    const culprit = props.cause.suspects[0]?.component;
    return (
        <ul className="cb-plain-list">
            {props.changes.map((change) => (
                <li key={`change ${change.project ?? ""}/${change.component}`}>
                    <Name text={change.component} className="cb-strong" /> {shownName(change.text)} at{" "}
                    <Time at={change.at} seconds />;{" "}
                    {change.afterOnset
                        ? "that was after the failure began"
                        : "the failure began elsewhere, in"}
                    {change.afterOnset ? null : (
                        <>
                            {" "}
                            <Name text={culprit ?? ""} />
                        </>
                    )}
                </li>
            ))}
            {props.cause.excluded.map((item) => (
                <li key={`${item.project ?? ""}/${item.component}`}>
                    <Name text={item.component} className="cb-strong" /> {shownName(plainText(item.reason))}
                </li>
            ))}
        </ul>
    );
}

function LogLines(props: { cause: Cause; scope: AnswerScope }) {
    const { cause, scope } = props;
    const component = cause.suspects[0]?.component;
    return (
        <ul className="cb-plain-list">
            {cause.logs.map((line, i) => (
                <li key={i}>
                    <Level level={line.level} />{" "}
                    <PageLink
                        page="logs"
                        params={{ ns: scope.namespace, project: scope.project, component, level: line.level }}
                        className="cb-evidence-line"
                    >
                        {shownName(line.log)}
                    </PageLink>{" "}
                    <b>{formatCount(line.count)} times</b>{" "}
                    <span className="cb-quiet">
                        ({formatCount(line.countBefore)} before), first <Time at={line.timestamp} seconds />
                    </span>
                </li>
            ))}
        </ul>
    );
}

function Attributes(props: { cause: Cause }) {
    const { attributes, of } = props.cause.attributeCorrelation;
    return (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- keys scroll it sideways
        <div className="cb-mini-frame" role="group" aria-label={`Common to ${of} requests`} tabIndex={0}>
            <table className="cb-mini" aria-label={`Common to ${of} requests`}>
                <thead>
                    <tr>
                        <th scope="col">attribute</th>
                        <th scope="col">{of} requests</th>
                        <th scope="col">others</th>
                    </tr>
                </thead>
                <tbody>
                    {attributes.map((item) => (
                        <tr key={`${item.key} ${item.value}`}>
                            <th scope="row">
                                <span className="cb-quiet">{shownName(item.key)} =</span>{" "}
                                {shownName(item.value)}
                            </th>
                            <td>
                                {formatShare(item.failingOf > 0 ? item.failing / item.failingOf : null)}{" "}
                                <span className="cb-quiet">
                                    {item.failing} of {item.failingOf}
                                </span>
                            </td>
                            <td>
                                {formatShare(item.othersOf > 0 ? item.others / item.othersOf : null)}{" "}
                                <span className="cb-quiet">
                                    {item.others} of {item.othersOf}
                                </span>
                            </td>
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

function Others(props: { cause: Cause; scope: AnswerScope }) {
    const { cause, scope } = props;
    return (
        <ul className="cb-plain-list">
            {cause.otherIncidents.map((item, i) => (
                <li key={i}>
                    <PageLink
                        page="cause"
                        params={{
                            ns: item.namespace ?? scope.namespace,
                            project: item.project ?? scope.project,
                            component: undefined,
                            from: item.startTime,
                            to: item.endTime,
                        }}
                    >
                        <Time at={item.startTime} /> to <Time at={item.endTime} />
                    </PageLink>{" "}
                    <Name text={item.component} className="cb-strong" /> {shownName(plainText(item.text))}
                </li>
            ))}
        </ul>
    );
}

function SuspectPart(props: { cause: Cause; scope: AnswerScope }) {
    const { cause, scope } = props;
    const [folded, setFolded] = useParam("suspects");
    if (cause.suspects.length === 0)
        return cause.found ? null : (
            <Empty what="No component has anything that is unusual." why={readText(cause)} />
        );
    if (cause.found)
        return (
            <Section id="suspects" title="Suspects and their evidence">
                <Suspects cause={cause} scope={scope} open="1" />
            </Section>
        );
    const shown = folded === "shown";
    return (
        <Section
            id="suspects"
            title="Would be suspects"
            aside={
                <button
                    type="button"
                    className="cb-button"
                    aria-expanded={shown}
                    onClick={() => setFolded(shown ? undefined : "shown", "replace")}
                >
                    {shown ? "Hide" : `Show ${cause.suspects.length}`}
                </button>
            }
        >
            {shown ? <Suspects cause={cause} scope={scope} open="" /> : null}
        </Section>
    );
}

export function CauseAnswer(props: { cause: Cause; scope: AnswerScope }) {
    const { cause, scope } = props;
    const changes = useMemo(() => otherChanges(cause), [cause]);
    return (
        <>
            {cause.found && cause.suspects.length > 0 ? (
                <Found cause={cause} scope={scope} />
            ) : (
                <NotFound cause={cause} />
            )}
            <Section id="spread" title={cause.found ? "How it spread" : "Calls in this time"}>
                {cause.found ? <Steps cause={cause} scope={scope} /> : null}
                <PathGraph cause={cause} scope={scope} />
            </Section>
            <SuspectPart cause={cause} scope={scope} />
            <Section id="timeline" title="What happened">
                <Timeline cause={cause} />
            </Section>
            {cause.excluded.length + changes.length > 0 ? (
                <Section id="excluded" title="Not the cause, and why">
                    <Excluded cause={cause} changes={changes} />
                </Section>
            ) : null}
            {cause.logs.length > 0 ? (
                <Section id="logs" title="Logged more often than before">
                    <LogLines cause={cause} scope={scope} />
                </Section>
            ) : null}
            {cause.attributeCorrelation.attributes.length > 0 ? (
                <Section
                    id="attributes"
                    title={`Common to ${cause.attributeCorrelation.of === "failed" ? "failed" : "the slowest"} requests`}
                >
                    <Attributes cause={cause} />
                </Section>
            ) : null}
            {cause.otherIncidents.length > 0 ? (
                <Section id="incidents" title="Earlier incidents in this time">
                    <Others cause={cause} scope={scope} />
                </Section>
            ) : null}
            {cause.found ? <p className="cb-quiet">{readText(cause)}</p> : null}
        </>
    );
}
