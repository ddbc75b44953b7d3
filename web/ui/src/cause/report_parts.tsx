// Parts of a report: actions that are done or dismissed, and what older reports
// tell, which did not keep the answer.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, type ApiError, type Schemas } from "../client";
import { shownName } from "../format";
import { useHost } from "../host";
import { Name, PageLink, Section, Time } from "../parts/marks";
import { ErrorNotice } from "../states";

export type RcaReport = NonNullable<Schemas["RcaReport"]>;
type Recommendations = RcaReport["result"]["recommendations"];

// Reports name a component as <comp:NAME>, for the portal of OpenChoreo.
export function reportText(text: string): string {
    return shownName(text.replace(/<comp:([^<>]*)>/g, "$1"));
}

const STATUS_WORDS = { suggested: "to do", applied: "done", dismissed: "dismissed" };

export function Actions(props: { reportId: string; recommendations: Recommendations }) {
    const { reportId, recommendations } = props;
    const { client } = useHost();
    const queries = useQueryClient();
    const mark = useMutation<unknown, ApiError, { appliedIndices?: number[]; dismissedIndices?: number[] }>({
        mutationFn: (body) =>
            dataOf(
                client.PUT("/api/v1/rca-agent/reports/{reportId}", {
                    params: { path: { reportId } },
                    body,
                }),
            ),
        onSuccess: () => queries.invalidateQueries({ queryKey: ["report", reportId] }),
    });
    const actions = recommendations.recommended_actions;
    const more = recommendations.observability_recommendations;
    if (actions.length === 0 && more.length === 0) return <p className="cb-quiet">None.</p>;
    return (
        <>
            <ul className="cb-actions">
                {actions.map((action, i) => (
                    <li key={i} className={`cb-action-${action.status}`}>
                        <span className="cb-tag">{STATUS_WORDS[action.status]}</span>
                        <div className="cb-action-text">
                            <b>{reportText(action.description)}</b>
                            <br />
                            <span className="cb-quiet">{reportText(action.rationale)}</span>
                        </div>
                        <span className="cb-buttons">
                            <button
                                type="button"
                                className="cb-button"
                                disabled={mark.isPending || action.status === "applied"}
                                onClick={() => mark.mutate({ appliedIndices: [i] })}
                            >
                                Done
                            </button>
                            <button
                                type="button"
                                className="cb-button"
                                disabled={mark.isPending || action.status === "dismissed"}
                                onClick={() => mark.mutate({ dismissedIndices: [i] })}
                            >
                                Dismiss
                            </button>
                        </span>
                    </li>
                ))}
                {more.map((item, i) => (
                    <li key={`more ${i}`}>
                        <span className="cb-tag">telemetry</span>
                        <div className="cb-action-text">{reportText(item.description)}</div>
                    </li>
                ))}
            </ul>
            {mark.error ? <ErrorNotice error={mark.error} again={() => mark.reset()} /> : null}
        </>
    );
}

export function OldReport(props: { report: RcaReport; namespace: string }) {
    const { result, investigation_path } = props.report;
    return (
        <>
            {result.explanation ? <p>{reportText(result.explanation)}</p> : null}
            {result.root_causes ? (
                <Section id="causes" title="Causes">
                    {result.root_causes.map((cause, i) => (
                        <div key={i} className="cb-cause-answer">
                            <p className="cb-strong">{reportText(cause.summary)}</p>
                            <p>{reportText(cause.analysis)}</p>
                            <ul className="cb-plain-list">
                                {cause.supporting_findings.map((finding, j) => (
                                    <li key={j}>
                                        <Name text={finding.component} className="cb-strong" />{" "}
                                        {reportText(finding.observation)}{" "}
                                        {finding.evidence.trace_id ? (
                                            <PageLink
                                                page="trace"
                                                params={{
                                                    ns: props.namespace,
                                                    id: finding.evidence.trace_id,
                                                }}
                                            >
                                                trace
                                            </PageLink>
                                        ) : null}
                                        {finding.evidence.log_lines?.map((line, k) => (
                                            <p key={k} className="cb-evidence-line">
                                                {shownName(line.log)}
                                            </p>
                                        ))}
                                    </li>
                                ))}
                            </ul>
                        </div>
                    ))}
                </Section>
            ) : null}
            {result.timeline ? (
                <Section id="timeline" title="What happened">
                    <ol className="cb-timeline">
                        {result.timeline.map((entry, i) => (
                            <li key={i}>
                                <Time at={entry.timestamp} seconds />
                                <span className="cb-timeline-text">
                                    {entry.component ? (
                                        <Name text={entry.component} className="cb-strong" />
                                    ) : null}{" "}
                                    {reportText(entry.event)}
                                </span>
                            </li>
                        ))}
                    </ol>
                </Section>
            ) : null}
            {result.excluded_causes ? (
                <Section id="excluded" title="Not the cause, and why">
                    <ul className="cb-plain-list">
                        {result.excluded_causes.map((item, i) => (
                            <li key={i}>
                                <b>{reportText(item.description)}</b> {reportText(item.rationale)}
                            </li>
                        ))}
                    </ul>
                </Section>
            ) : null}
            <Section id="investigation" title="How it was found">
                <ol className="cb-plain-list">
                    {investigation_path.map((step, i) => (
                        <li key={i}>
                            {reportText(step.action)}: {reportText(step.outcome)}
                        </li>
                    ))}
                </ol>
            </Section>
        </>
    );
}
