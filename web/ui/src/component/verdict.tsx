// The answer in a sentence: how it is, since when, and why.
import type { ReactNode } from "react";
import type { Cause, Window } from "../cause";
import type { Asked } from "../ask";
import { lastSeenOf } from "../components";
import { formatAgo, formatChange, formatRate, formatSeconds, formatShare } from "../format";
import type { Health } from "../health";
import { CauseSentence } from "../parts/cause_sentence";
import { errorHealth, latencyHealth } from "../parts/component_table";
import { HealthMark, Name, PageLink, Time } from "../parts/marks";
import { isWarning, type ComponentPage, type ComponentScope, type OwnIncident } from "./page_data";

interface VerdictProps {
    page: ComponentPage;
    scope: ComponentScope;
    health: Health;
    incident?: OwnIncident; // that lasts, or the newest
    cause: Asked<Cause>;
    asked: Window; // the time that the cause was asked for
    now: number;
}

// A sentence needs no cause.
type VerdictTextProps = Omit<VerdictProps, "cause" | "asked"> & { cause?: Asked<Cause> };

// "since 08:14", "from 08:14 to 08:20".
function When({ incident, onset }: { incident?: OwnIncident; onset?: string }) {
    const start = incident?.startTime ?? onset;
    if (!start) return null;
    if (!incident?.endTime)
        return (
            <>
                {" "}
                since <Time at={start} />
            </>
        );
    return (
        <>
            {" "}
            from <Time at={start} /> to <Time at={incident.endTime} />
        </>
    );
}

function ErrorText({ page, incident }: { page: ComponentPage; incident?: OwnIncident }) {
    const during = incident?.symptom === "errors" ? incident : undefined;
    const now = during?.during?.errorRatio ?? page.summary.errorRatio;
    const before = during?.usual?.errorRatio ?? page.summary.previous.errorRatio;
    return (
        <>
            {formatShare(now)} of requests fail
            {before == null ? "" : ` (${formatShare(before)} before)`}
        </>
    );
}

function LatencyText({ page }: { page: ComponentPage }) {
    const { latency, previous } = page.summary;
    const change = formatChange(latency?.p99, previous.latency?.p99);
    return (
        <>
            p99 is {formatSeconds(latency?.p99)}
            {change ? ` (${formatSeconds(previous.latency?.p99)} before)` : ""}
        </>
    );
}

function silentText(page: ComponentPage, now: number): string {
    const before = page.summary.previous.requestRate;
    const newest = lastSeenOf(page.component.lastSeen);
    return [
        "No requests in this time",
        before > 0 ? `, ${formatRate(before)} before` : "",
        newest ? `; last seen ${formatAgo(newest, now)}.` : "; never seen.",
    ].join("");
}

function quietText(page: ComponentPage): string {
    const { requestCount, errorRatio, latency } = page.summary;
    if (requestCount === 0) return "No requests are seen in this time, and nothing else stands out.";
    return `Nothing stands out: ${formatShare(errorRatio)} of requests fail, p99 is ${formatSeconds(latency?.p99)}.`;
}

export function VerdictText(props: VerdictTextProps): ReactNode {
    const { page, health, incident, cause, now, scope } = props;
    if (health === "silent") return silentText(page, now);
    if (health === "ok" && (!incident || incident.endTime)) return quietText(page);
    const errors = errorHealth(page.summary) !== "ok" || incident?.symptom === "errors";
    const slow = latencyHealth(page.summary) !== "ok" || incident?.symptom === "latency";
    const onset = cause?.data?.suspects.find(({ component }) => component === scope.component)?.onset;
    if (!errors && !slow) return warningText(page);
    return (
        <>
            {errors ? <ErrorText page={page} incident={incident} /> : null}
            {errors && slow ? ", " : null}
            {slow ? <LatencyText page={page} /> : null}
            <When incident={incident} onset={onset} />.
        </>
    );
}

function warningText(page: ComponentPage): ReactNode {
    const warnings = (page.changes ?? []).filter(isWarning);
    const [newest] = warnings;
    if (!newest) return quietText(page);
    return (
        <>
            {warnings.length === 1 ? "A warning" : `${warnings.length} warnings`} of Kubernetes, the newest at{" "}
            <Time at={newest.timestamp} />: <Name text={newest.message} />
        </>
    );
}

// Who else has symptoms because of the first suspect.
function Affected({ cause, scope }: { cause: Cause; scope: ComponentScope }) {
    const [suspect] = cause.suspects;
    const others = suspect?.affected.filter((name) => name !== scope.component) ?? [];
    if (!cause.found || others.length === 0) return null;
    return (
        <p className="cb-quiet">
            Suffers from it:{" "}
            {others.map((component, i) => (
                <span key={component}>
                    {i > 0 ? ", " : ""}
                    <PageLink page="component" params={{ component }}>
                        <Name text={component} />
                    </PageLink>
                </span>
            ))}
            . {cause.summary.impact ?? ""}
        </p>
    );
}

export function Verdict(props: VerdictProps) {
    const { health, cause, scope, incident } = props;
    const past = health === "ok" && incident?.endTime ? incident : undefined;
    return (
        <div className={`cb-verdict cb-verdict-${health}`} role="status">
            <p className="cb-verdict-text">
                <HealthMark health={health} hidden /> <VerdictText {...props} />
            </p>
            {past ? (
                <p className="cb-quiet">
                    It was in trouble from <Time at={past.startTime} /> to <Time at={past.endTime!} />:{" "}
                    {past.text}
                </p>
            ) : null}
            {health === "ok" ? null : (
                <div className="cb-verdict-why">
                    {cause.data ? (
                        <>
                            <p>
                                <CauseSentence cause={cause.data} scope={scope} asked={props.asked} />
                            </p>
                            <Affected cause={cause.data} scope={scope} />
                        </>
                    ) : (
                        <p className="cb-quiet">
                            {cause.error ? cause.error.message : "Looking for the cause …"}
                        </p>
                    )}
                </div>
            )}
        </div>
    );
}
