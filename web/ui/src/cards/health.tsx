// A component in a card: how it is in a sentence, and six figures with their lines.
import { useMemo } from "react";
import {
    ownIncidents,
    useComponentPage,
    usePageHealth,
    type ComponentPage,
    type ComponentScope,
} from "../component/page_data";
import { lastOf } from "../component/series";
import { VerdictText } from "../component/verdict";
import { wasThere } from "../components";
import { Sparkline, type SparklineProps } from "../charts/sparkline";
import { formatBytes, formatChange, formatCores, formatRate, formatSeconds, formatShare } from "../format";
import type { Health } from "../health";
import { foremost, useIncidents } from "../incidents";
import { errorHealth, formatShareChange, latencyHealth } from "../parts/component_table";
import { HealthMark, PageLink } from "../parts/marks";
import { Answer } from "../states";
import { useTimeRange } from "../time";
import { useComponentScope } from "./scope";

interface CardFigure {
    name: string;
    value: string;
    change?: string;
    health?: Health;
    line: SparklineProps["values"];
    role?: SparklineProps["role"];
    title: string;
}

function figuresOf(page: ComponentPage): CardFigure[] {
    const { summary, series } = page;
    const known = wasThere(page.component.firstSeen, page.window);
    const before = known ? summary.previous : undefined;
    const line = (points: typeof series.requestRate) => points.map(({ value }) => value);
    return [
        {
            name: "Requests",
            value: formatRate(summary.requestRate),
            change: formatChange(summary.requestRate, before?.requestRate),
            line: line(series.requestRate),
            title: "Requests in a second",
        },
        {
            name: "Errors",
            value: formatShare(summary.errorRatio),
            change: formatShareChange(summary.errorRatio, before?.errorRatio),
            health: errorHealth(summary),
            line: line(series.errorRate),
            role: "error",
            title: "Failed requests as a share of all",
        },
        {
            name: "p50",
            value: formatSeconds(summary.latency?.p50),
            change: formatChange(summary.latency?.p50, before?.latency?.p50),
            line: line(series.latencyP50),
            title: "Half of the requests are faster",
        },
        {
            name: "p99",
            value: formatSeconds(summary.latency?.p99),
            change: formatChange(summary.latency?.p99, before?.latency?.p99),
            health: before ? latencyHealth(summary) : undefined,
            line: line(series.latencyP99),
            role: "p99",
            title: "99 of 100 requests are faster",
        },
        {
            name: "CPU",
            value: formatCores(lastOf(series.cpuUsage)),
            change: shareOfLimit(lastOf(series.cpuUsage), lastOf(series.cpuLimits)),
            line: line(series.cpuUsage),
            title: "Newest, of all pods together",
        },
        {
            name: "Memory",
            value: formatBytes(lastOf(series.memoryUsage)),
            change: shareOfLimit(lastOf(series.memoryUsage), lastOf(series.memoryLimits)),
            line: line(series.memoryUsage),
            title: "Newest, of all pods together",
        },
    ];
}

function shareOfLimit(used: number | null, limit: number | null): string | undefined {
    return used !== null && limit ? `${formatShare(used / limit)} of limit` : undefined;
}

function FigureWithLine(props: CardFigure) {
    const { name, value, change, health, line, role, title } = props;
    const judged = health && health !== "ok" ? ` cb-text-${health}` : "";
    return (
        <div className="cb-card-figure" title={title}>
            <dt>{name}</dt>
            <dd>
                <span className={"cb-figure-value" + judged}>{value}</span>
                <span className="cb-figure-change">{change ?? "\u00a0"}</span>
                <Sparkline
                    values={line}
                    role={role}
                    label={`${name} over this time`}
                    width={120}
                    height={24}
                />
            </dd>
        </div>
    );
}

function Body({ scope, page }: { scope: ComponentScope; page: ComponentPage }) {
    const range = useTimeRange();
    const health = usePageHealth(page);
    const asked = useIncidents(scope, range, health !== "ok");
    const incident = useMemo(
        () => foremost(asked.data ? ownIncidents(asked.data.incidents, scope) : []),
        [asked.data, scope],
    );
    return (
        <>
            <p className="cb-card-sentence">
                <HealthMark health={health} />{" "}
                <VerdictText
                    page={page}
                    scope={scope}
                    health={health}
                    incident={incident}
                    now={range.end.getTime()}
                />
            </p>
            <dl className="cb-card-figures" aria-label="Figures">
                {figuresOf(page).map((figure) => (
                    <FigureWithLine key={figure.name} {...figure} />
                ))}
            </dl>
        </>
    );
}

function OneCard({ scope }: { scope: ComponentScope }) {
    const asked = useComponentPage(scope, useTimeRange());
    return (
        <>
            <Answer asked={asked} height={210} rows={3}>
                {(page) =>
                    page.component.rule === "none" ? (
                        <p>
                            {page.component.declared
                                ? "Nothing was received from it yet: it is declared in the catalogue, but no trace, log or metric has come."
                                : "No trace, log or metric of this name has come."}
                        </p>
                    ) : (
                        <Body scope={scope} page={page} />
                    )
                }
            </Answer>
            <p className="cb-card-foot">
                <PageLink page="component">Charts, endpoints, traces and logs</PageLink>
            </p>
        </>
    );
}

export default function HealthCard() {
    const scope = useComponentScope();
    return scope ? <OneCard key={Object.values(scope).join("\u0000")} scope={scope} /> : null;
}
