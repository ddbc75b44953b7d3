// What a trace is: its root, when, how long, how large; and ways out of it.
import { useState } from "react";
import { formatCount, formatSeconds, shownName } from "../format";
import { useHost } from "../host";
import { CopyButton, downloadText } from "../parts/copy";
import { Figure, Figures, Name, PageLink, Time } from "../parts/marks";
import { rfc3339 } from "../time";
import type { ReadTrace } from "./ask_trace";

// Addresses of other pages around the trace: its own time, not that of the page.
export function aroundTrace(found: ReadTrace["found"]): { from: string; to: string } {
    return {
        from: rfc3339(Date.parse(found.summary.startTime) - 15 * 60_000),
        to: rfc3339(Date.parse(found.summary.endTime) + 15 * 60_000),
    };
}

// The whole answer of the API, with attributes, as a file.
function JsonButton(props: { found: ReadTrace["found"] }) {
    const { client } = useHost();
    const [problem, setProblem] = useState<string>();
    const { traceId, namespace } = props.found;
    const download = async () => {
        const answer = await client.GET("/api/v1/traces/{traceId}", {
            params: { path: { traceId }, query: { namespace, limit: 10_000, logs: 1000, attributes: "all" } },
        });
        if (!answer.data) return setProblem("The answer with all attributes is too large.");
        downloadText(`trace-${traceId}.json`, JSON.stringify(answer.data, null, 2), "application/json");
    };
    return (
        <>
            <button type="button" className="cb-button" onClick={() => void download()}>
                JSON
            </button>
            {problem ? <span role="alert">{problem}</span> : null}
        </>
    );
}

export function TraceHead({ found }: { found: ReadTrace["found"] }) {
    const { summary } = found;
    const { root } = summary;
    const around = aroundTrace(found);
    return (
        <header className="cb-trace-head">
            <div className="cb-trace-title">
                <h1>
                    {root.component ? (
                        <>
                            <PageLink
                                page="component"
                                params={{
                                    ns: found.namespace,
                                    project: root.project,
                                    component: root.component,
                                    ...around,
                                }}
                            >
                                {shownName(root.component)}
                            </PageLink>{" "}
                        </>
                    ) : null}
                    <Name text={root.spanName} />
                </h1>
                <div className="cb-trace-actions">
                    <PageLink
                        page="logs"
                        className="cb-button"
                        params={{
                            ns: found.namespace,
                            project: undefined,
                            component: undefined,
                            trace: found.traceId,
                            ...around,
                        }}
                    >
                        Logs of this trace
                    </PageLink>
                    <CopyButton text={() => found.traceId} label="Copy id" />
                    <CopyButton text={() => window.location.href} label="Copy link" />
                    <JsonButton found={found} />
                </div>
            </div>
            <Figures label="This trace">
                <Figure
                    name="Result"
                    value={summary.status === "error" ? "■ failed" : "● ok"}
                    health={summary.status === "error" ? "bad" : "ok"}
                />
                <Figure
                    name="Duration"
                    value={formatSeconds(summary.durationNs / 1e9)}
                    change={
                        summary.durationNs > summary.rootDurationNs * 1.02
                            ? `first span ${formatSeconds(summary.rootDurationNs / 1e9)}`
                            : undefined
                    }
                />
                <Figure
                    name="Failed spans"
                    value={formatCount(summary.errorCount)}
                    health={summary.errorCount > 0 ? "bad" : undefined}
                />
                <Figure
                    name="Spans"
                    value={formatCount(summary.spanCount)}
                    change={`depth ${summary.depth}`}
                />
                <Figure name="Components" value={formatCount(summary.componentCount)} />
                <Figure
                    name="Log records"
                    value={formatCount(summary.logCount) + (summary.logCountIsLowerBound ? "+" : "")}
                />
                <div className="cb-figure">
                    <dt>Start</dt>
                    <dd>
                        <span className="cb-figure-value">
                            <Time at={summary.startTime} ms />
                        </span>
                    </dd>
                </div>
            </Figures>
        </header>
    );
}
