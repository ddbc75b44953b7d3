// The sections of the status page that are made of counters.
import { formatBytes, formatCount, formatRate, formatSeconds } from "../format";
import { Section } from "../parts/marks";
import { Sparkline } from "../charts/sparkline";
import { quantileOf, rateOf, type Reading } from "./metrics";
import { FiguresTable, Share } from "./parts";

export interface Limits {
    journalMax?: number;
}

interface Props {
    history: readonly Reading[];
}

const newest = (history: readonly Reading[]) => history[history.length - 1]!;
const before = (history: readonly Reading[]) => history[history.length - 2];

function RateLine(props: {
    history: readonly Reading[];
    name: string;
    labels?: Record<string, string>;
    label: string;
}) {
    const { history, name, labels } = props;
    const values = history.slice(1).map((reading, i) => rateOf(history[i], reading, name, labels) ?? null);
    return <Sparkline values={values} label={props.label} width={90} height={20} />;
}

export function Receiving({ history }: Props) {
    const [now, old] = [newest(history), before(history)];
    const rows = now.values("records_accepted_total", "signal").map((signal) => {
        const labels = { signal };
        return [
            signal,
            formatRate(rateOf(old, now, "records_accepted_total", labels)),
            <RateLine
                key="line"
                history={history}
                name="records_accepted_total"
                labels={labels}
                label={`${signal} accepted per second over the last minutes`}
            />,
            formatRate(rateOf(old, now, "records_rejected_total", labels)),
            formatRate(rateOf(old, now, "otlp_requests_total", labels)),
            formatSeconds(now.sum("ingest_lag_seconds", labels)),
            formatCount(now.sum("records_accepted_total", labels)),
        ];
    });
    const refused = now
        .values("requests_refused_total", "reason")
        .map((reason) => ({ reason, total: now.sum("requests_refused_total", { reason }) ?? 0 }))
        .filter((one) => one.total > 0);
    const bytes = rateOf(old, now, "otlp_received_bytes_total");
    return (
        <Section id="receiving" title="Receiving">
            <FiguresTable
                label="Records by signal"
                head={["signal", "accepted", "", "rejected", "requests", "lag", "since the start"]}
                rows={rows}
            />
            <p className="cb-quiet">
                {bytes === undefined ? "" : `${formatBytes(bytes)} /s on the wire. `}
                {refused.length === 0
                    ? "No request was refused since the start."
                    : "Refused: " +
                      refused
                          .map(
                              ({ reason, total }) =>
                                  `${reason} ${formatRate(rateOf(old, now, "requests_refused_total", { reason }))} (${formatCount(total)} since the start)`,
                          )
                          .join(", ")}
            </p>
        </Section>
    );
}

export function Memory({ history, limits }: Props & { limits: Limits }) {
    const now = newest(history);
    const value = (name: string) => now.sum(name) ?? 0;
    return (
        <Section id="memory" title="Journal and memory">
            <div className="cb-gauges">
                <Share
                    name="Journal, not in blocks yet"
                    value={value("journal_bytes")}
                    max={limits.journalMax}
                    format={formatBytes}
                />
                <Share
                    name="Memory of ingest"
                    value={value("ingest_memory_bytes")}
                    max={undefined}
                    format={formatBytes}
                />
                <Share
                    name="Records in memory, not in a block yet"
                    value={value("memtable_bytes")}
                    max={undefined}
                    format={formatBytes}
                />
                <Share
                    name="Resources (pods, processes) that are known"
                    value={value("resources")}
                    max={undefined}
                    format={(n) => formatCount(n)}
                />
                <Share
                    name="Spans that wait for the other end of a call"
                    value={value("unpaired_spans")}
                    max={65_536}
                    format={(n) => formatCount(n)}
                />
            </div>
        </Section>
    );
}

export function Store({ history, retention }: Props & { retention: Record<string, string> }) {
    const now = newest(history);
    const rows = now.values("stored_bytes", "stream").map((stream) => {
        const labels = { stream };
        const [bytes, records] = [
            now.sum("stored_bytes", labels) ?? 0,
            now.sum("stored_records", labels) ?? 0,
        ];
        return [
            stream,
            formatBytes(bytes),
            formatCount(records),
            records > 0 ? formatBytes(bytes / records) : "–",
            formatCount(now.sum("stored_blocks", labels)),
            ...(Object.keys(retention).length > 0 ? [retention[stream] ?? "–"] : []),
        ];
    });
    return (
        <Section id="store" title="Store">
            <FiguresTable
                label="Stored, by stream"
                head={[
                    "stream",
                    "size",
                    "records",
                    "per record",
                    "blocks",
                    ...(Object.keys(retention).length > 0 ? ["kept for"] : []),
                ]}
                rows={rows}
            />
            <p className="cb-quiet">
                The database file has {formatBytes(now.sum("store_bytes"))}.{" "}
                {formatCount(now.sum("expired_blocks_total"))} blocks were deleted by retention since the
                start.
            </p>
        </Section>
    );
}

export function Kafka({ history }: Props) {
    const [now, old] = [newest(history), before(history)];
    const lags = now.all("kafka_lag");
    if (lags.length === 0 && !now.sum("kafka_messages_total")) return null;
    const most = [...lags].sort((a, b) => b.value - a.value).slice(0, 100);
    return (
        <Section id="kafka" title="Kafka">
            <p className="cb-quiet">
                {formatRate(rateOf(old, now, "kafka_messages_total"))} messages from{" "}
                {formatCount(now.sum("kafka_partitions"))} partitions;{" "}
                {formatCount(now.sum("kafka_pauses_total"))} pauses,{" "}
                {formatCount(now.sum("kafka_rebalances_total"))} rebalances,{" "}
                {formatCount(now.sum("kafka_duplicates_skipped_total"))} duplicates skipped since the start.
            </p>
            {most.length > 0 ? (
                <FiguresTable
                    label="Lag by partition"
                    head={["topic", "partition", "messages not stored yet"]}
                    rows={most.map(({ labels, value }) => [
                        labels.topic ?? "",
                        labels.partition ?? "",
                        formatCount(value),
                    ])}
                />
            ) : null}
        </Section>
    );
}

export function Queries({ history }: Props) {
    const [now, old] = [newest(history), before(history)];
    const name = "query_duration_seconds";
    const mean = (from: Reading | undefined) => {
        const count = (now.sum(name + "_count") ?? 0) - (from?.sum(name + "_count") ?? 0);
        const sum = (now.sum(name + "_sum") ?? 0) - (from?.sum(name + "_sum") ?? 0);
        return count > 0 ? sum / count : undefined;
    };
    const codes = now
        .values("queries_total", "code")
        .map((code) => ({ code, total: now.sum("queries_total", { code }) ?? 0 }))
        .filter((one) => one.total > 0);
    const oldest = history[0];
    return (
        <Section id="queries" title="Queries">
            <FiguresTable
                label="Queries"
                head={["", "per second", "mean", "p99"]}
                rows={[
                    [
                        "last 5 s",
                        formatRate(rateOf(old, now, name + "_count")),
                        formatSeconds(mean(old)),
                        formatSeconds(old && quantileOf(old, now, name, 0.99)),
                    ],
                    ...(history.length > 3
                        ? [
                              [
                                  `last ${formatSeconds((now.at - oldest!.at) / 1000)}`,
                                  formatRate(rateOf(oldest, now, name + "_count")),
                                  formatSeconds(mean(oldest)),
                                  formatSeconds(quantileOf(oldest, now, name, 0.99)),
                              ],
                          ]
                        : []),
                    [
                        "since the start",
                        "–",
                        formatSeconds(mean(undefined)),
                        formatSeconds(quantileOf(undefined, now, name, 0.99)),
                    ],
                ]}
            />
            <p className="cb-quiet">
                Answers since the start:{" "}
                {codes.map(({ code, total }) => `${code}: ${formatCount(total)}`).join(", ")}
            </p>
        </Section>
    );
}
