// A row for each project: sums, and the worst sentence.
import { useState } from "react";
import { Sparkline } from "../charts/sparkline";
import { useCause } from "../cause";
import { foremost, useCauseWindow, useIncidents, type Incident } from "../incidents";
import { CauseSentence } from "../parts/cause_sentence";
import { useScope } from "../scope";
import { formatChange, formatCount, formatRate, formatSeconds, formatShare, shownName } from "../format";
import { errorHealth, formatShareChange } from "../parts/component_table";
import { HealthMark, Name, PageLink, Time } from "../parts/marks";
import type { TimeRange } from "../time";
import type { ProjectSum } from "./sums";

const FIRST = 8;
export const MOST_CAUSES = 5;
const NO_INCIDENTS: readonly Incident[] = [];

function ChangeSentence({ project }: { project: ProjectSum }) {
    const last = project.lastChange;
    if (!last) return <span className="cb-quiet">No change in this time.</span>;
    const { kind, to, timestamp } = last.change;
    return (
        <span className="cb-quiet">
            <Name text={last.component} /> changed its {kind.replace("-", " ")}
            {to ? ` to ${shownName(to)}` : ""} at <Time at={timestamp} />.
        </span>
    );
}

interface RowProps {
    project: ProjectSum;
    range: TimeRange;
    ask: boolean;
    incidents: readonly Incident[];
}

function Sentence({ project, range, ask, incidents }: RowProps) {
    const { namespace, environment } = project;
    const scope = { namespace, project: project.project, environment };
    const own = incidents.filter((one) => one.namespace === namespace && one.project === project.project);
    const window = useCauseWindow(foremost(own), range);
    const cause = useCause(scope, window, ask);
    if (!ask) return <ChangeSentence project={project} />;
    if (cause.data) return <CauseSentence cause={cause.data} scope={scope} asked={window} />;
    if (cause.error) return <span className="cb-quiet">{shownName(cause.error.message)}</span>;
    return <span className="cb-quiet">Looking for the cause …</span>;
}

function ProjectRow(props: RowProps) {
    const { project } = props;
    const judged = errorHealth(project);
    return (
        <li className={`cb-project-row cb-project-row-${project.health}`}>
            <span className="cb-project-row-name">
                <HealthMark health={project.health} />
                <PageLink
                    page="project"
                    params={{ ns: project.namespace, project: project.project, component: undefined }}
                    className="cb-link cb-strong"
                >
                    <Name text={project.project} />
                </PageLink>
                <span className="cb-quiet">
                    {formatCount(project.components)} {project.components === 1 ? "component" : "components"}
                </span>
            </span>
            <span className="cb-project-row-figure">
                {project.requestSpark ? (
                    <Sparkline values={project.requestSpark} label="requests over time" width={64} />
                ) : null}
                <span>{formatRate(project.requestRate)}</span>
                <span className="cb-quiet">{formatChange(project.requestRate, project.previousRate)}</span>
            </span>
            <span className="cb-project-row-figure">
                {project.errorSpark ? (
                    <Sparkline values={project.errorSpark} role="error" label="errors over time" width={64} />
                ) : null}
                <span className={judged === "ok" ? undefined : `cb-text-${judged} cb-strong`}>
                    errors {formatShare(project.errorRatio)}
                </span>
                <span className="cb-quiet">
                    {formatShareChange(project.errorRatio, project.previousErrorRatio)}
                </span>
            </span>
            <span className="cb-project-row-figure cb-project-row-slowest">
                {project.slowest?.latency?.p99 == null ? null : (
                    <>
                        <span className="cb-quiet">slowest p99</span>
                        <span>{formatSeconds(project.slowest.latency.p99)}</span>
                        <span className="cb-quiet cb-project-row-who">
                            <Name text={project.slowest.component} />
                        </span>
                    </>
                )}
            </span>
            <span className="cb-project-row-sentence">
                <Sentence {...props} />
            </span>
        </li>
    );
}

export function Projects(props: { projects: readonly ProjectSum[]; range: TimeRange; drawn: boolean }) {
    const { projects, range, drawn } = props;
    const [all, setAll] = useState(false);
    const scope = useScope();
    const asked = useIncidents({ ...scope, component: undefined }, range, drawn);
    const incidents = asked.data?.incidents ?? NO_INCIDENTS;
    const shown = all ? projects : projects.slice(0, FIRST);
    const asks = new Set(
        projects
            .filter(({ health }) => health === "bad" || health === "warning")
            .slice(0, MOST_CAUSES)
            .map(({ key }) => key),
    );
    return (
        <>
            <ul className="cb-projects" aria-label="Projects">
                {shown.map((project) => (
                    <ProjectRow
                        key={project.key}
                        project={project}
                        range={range}
                        ask={drawn && !asked.isLoading && asks.has(project.key)}
                        incidents={incidents}
                    />
                ))}
            </ul>
            {shown.length < projects.length ? (
                <button type="button" className="cb-button cb-more" onClick={() => setAll(true)}>
                    Show all {formatCount(projects.length)} projects
                </button>
            ) : null}
        </>
    );
}
