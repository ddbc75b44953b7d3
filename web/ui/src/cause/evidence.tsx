// One piece of evidence: what it says, before and after, its series, traces, a log line.
import { TimeChart } from "../charts/time_chart";
import type { Band, Unit } from "../charts/types";
import { plainText, type Cause, type Evidence } from "../cause";
import { formatCount, formatShare, shownName } from "../format";
import { Name, PageLink, Time } from "../parts/marks";

const KIND_WORDS: Record<Evidence["kind"], string> = {
    resource: "resource",
    network: "network",
    behaviour: "behaviour",
    latency: "latency",
    errors: "errors",
    silence: "silence",
    availability: "availability",
    metric: "metric",
    change: "change",
};

function amount(value: number, of: number | undefined, unit: string): string {
    if (of === undefined)
        return `${Number.isInteger(value) ? formatCount(value) : value.toPrecision(3)}${unit ? " " + shownName(unit) : ""}`;
    const share = of > 0 ? ` (${formatShare(value / of)})` : "";
    return `${formatCount(value)} of ${formatCount(of)}${share}`;
}

function Numbers(props: { numbers: NonNullable<Evidence["numbers"]> }) {
    const { before, after, beforeOf, afterOf, unit } = props.numbers;
    return (
        <span className="cb-evidence-numbers">
            <span className="cb-quiet">before</span> {amount(before, beforeOf, unit)}{" "}
            <span aria-hidden="true">→</span> <span className="cb-quiet">now</span>{" "}
            <b>{amount(after, afterOf, unit)}</b>
        </span>
    );
}

const UNITS: Record<string, { unit: Unit; factor: number }> = {
    "%": { unit: "share", factor: 0.01 },
    ms: { unit: "seconds", factor: 0.001 },
};

function Series(props: { evidence: Evidence; cause: Cause }) {
    const { evidence, cause } = props;
    const series = evidence.series!;
    const points = series.points as unknown as [string, number | null][];
    const times = points.map(([time]) => Date.parse(time));
    const { unit, factor } = UNITS[series.unit] ?? { unit: "count" as const, factor: 1 };
    if (times.length < 2) return null;
    const step = Math.min(...times.slice(1).map((time, i) => time - times[i]!));
    const [from, to] = [times[0]!, Math.max(times.at(-1)!, Date.parse(cause.window.endTime))];
    const bands: Band[] = [
        {
            kind: "before",
            from: Math.max(from, Date.parse(cause.baseline.startTime)),
            to: Date.parse(cause.baseline.endTime),
            text: "compared with this time",
        },
    ];
    if (evidence.onset) bands.push({ from: Date.parse(evidence.onset), to, text: "since the onset" });
    const subject = evidence.operation ?? evidence.metric;
    return (
        <TimeChart
            title={shownName(subject ? `${subject}: ${series.title}` : series.title)}
            unit={unit}
            times={times}
            lines={[
                {
                    name: shownName(series.title),
                    role: evidence.kind === "errors" ? "error" : "primary",
                    values: points.map(([, value]) => (value === null ? null : value * factor)),
                },
            ]}
            from={from}
            to={to}
            stepMs={step}
            bands={bands}
            height={110}
        />
    );
}

export function EvidenceItem(props: { evidence: Evidence; cause: Cause; namespace: string }) {
    const { evidence, cause } = props;
    return (
        <li className="cb-evidence">
            <div className="cb-evidence-text">
                <p>
                    <span className="cb-tag">{KIND_WORDS[evidence.kind]}</span>{" "}
                    {shownName(plainText(evidence.text))}
                    {evidence.onset ? (
                        <span className="cb-quiet">
                            {" "}
                            since <Time at={evidence.onset} />
                        </span>
                    ) : null}
                </p>
                {evidence.numbers ? <Numbers numbers={evidence.numbers} /> : null}
                {evidence.line && evidence.line !== evidence.text ? (
                    <p className="cb-evidence-line">{shownName(evidence.line)}</p>
                ) : null}
                {evidence.peer ? (
                    <p className="cb-quiet">
                        in calls to <Name text={evidence.peer} />
                    </p>
                ) : null}
                {evidence.traceIds.length > 0 ? (
                    <p className="cb-evidence-traces">
                        traces{" "}
                        {evidence.traceIds.map((id) => (
                            <PageLink
                                key={id}
                                page="trace"
                                params={{ ns: props.namespace, id }}
                                className="cb-link cb-mono"
                            >
                                {id.slice(0, 8)}
                            </PageLink>
                        ))}
                    </p>
                ) : null}
            </div>
            {evidence.series ? <Series evidence={evidence} cause={cause} /> : null}
        </li>
    );
}
