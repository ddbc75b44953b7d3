// The figures of the window, and how they were before.
import { formatBytes, formatChange, formatCores, formatRate, formatSeconds, formatShare } from "../format";
import type { Health } from "../health";
import { errorHealth, formatShareChange, latencyHealth } from "../parts/component_table";
import { Figure, Figures } from "../parts/marks";
import type { ComponentPage, Figures as FigureValues } from "./page_data";
import { lastOf } from "./series";

const judged = (health: Health) => (health === "ok" ? undefined : health);
const NEAR_LIMIT = 0.9;

// "98 % of limit", or the usage where there is no limit.
function usage(used: number | null, limit: number | null, format: (value: number | null) => string) {
    if (used === null) return undefined;
    if (!limit) return { value: format(used), change: "no limit", health: undefined };
    const share = used / limit;
    return {
        value: formatShare(share),
        change: `of ${format(limit)}`,
        health: share >= NEAR_LIMIT ? ("warning" as const) : undefined,
    };
}

export function ComponentFigures(props: { page: ComponentPage; before?: FigureValues }) {
    const { summary, series } = props.page;
    const { before } = props;
    const was = before ?? { requestRate: null, errorRatio: null, clientErrorRatio: null, latency: null };
    const cpu = usage(lastOf(series.cpuUsage), lastOf(series.cpuLimits), formatCores);
    const memory = usage(lastOf(series.memoryUsage), lastOf(series.memoryLimits), formatBytes);
    const clientErrors = (summary.clientErrorRatio ?? 0) > 0 || (was.clientErrorRatio ?? 0) > 0;
    const slow = before ? latencyHealth({ ...summary, previous: before }) : "ok";
    return (
        <Figures label="Figures">
            <Figure
                name="Requests"
                value={formatRate(summary.requestRate)}
                change={formatChange(summary.requestRate, was.requestRate)}
            />
            <Figure
                name="Errors"
                value={formatShare(summary.errorRatio)}
                change={formatShareChange(summary.errorRatio, was.errorRatio)}
                health={judged(errorHealth(summary))}
                title="Failed requests as a share of all"
            />
            {clientErrors ? (
                <Figure
                    name="4xx"
                    value={formatShare(summary.clientErrorRatio)}
                    change={formatShareChange(summary.clientErrorRatio, was.clientErrorRatio)}
                    title="Requests refused with a 4xx status, as a share of all"
                />
            ) : null}
            <Figure
                name="p50"
                value={formatSeconds(summary.latency?.p50)}
                change={formatChange(summary.latency?.p50, was.latency?.p50)}
                title="Half of the requests are faster"
            />
            <Figure
                name="p99"
                value={formatSeconds(summary.latency?.p99)}
                change={formatChange(summary.latency?.p99, was.latency?.p99)}
                health={judged(slow)}
                title="99 of 100 requests are faster"
            />
            {cpu ? <Figure name="CPU, newest" {...cpu} title="Of all pods together" /> : null}
            {memory ? <Figure name="Memory, newest" {...memory} title="Of all pods together" /> : null}
        </Figures>
    );
}
