// Whether Callboard itself is well: health, what is not as it should be, and its own counters.
import { formatBytes, formatSeconds } from "../format";
import { Figure, Figures, PageLink, Section } from "../parts/marks";
import { DeadLetters } from "../status/dead_letters";
import type { Reading } from "../status/metrics";
import { useHealth, useReadings, type Health } from "../status/readings";
import { findingsOf, healthAdvice, type Finding } from "../status/rules";
import { Kafka, Memory, Queries, Receiving, Store } from "../status/sections";
import { keptFor, useServerStatus, type ServerStatus } from "../status/server_status";
import { ErrorNotice, Loading, Notice } from "../states";

function Sentence(props: { health: Health; findings: readonly Finding[] | undefined }) {
    const { health, findings = [] } = props;
    const bad = findings.filter((one) => one.severity === "bad").length;
    if (health.status !== "healthy")
        return (
            <Notice
                kind="error"
                title={`New data cannot be stored: ${health.error ?? "no reason was given"}`}
            >
                <p>
                    docs/operations.md: <q>{healthAdvice(health.error ?? "")}</q>. Queries are still answered.
                </p>
            </Notice>
        );
    const [mark, state, text] =
        bad > 0
            ? ["■", "bad", "Callboard stores new data, and something needs to be looked at."]
            : findings.length > 0
              ? ["▲", "warning", "Callboard is well. Some of what it receives could be better."]
              : ["●", "ok", "Callboard is well."];
    return (
        <p className="cb-status-sentence" role="status">
            <span className={`cb-health-${state}`} aria-hidden="true">
                {mark}
            </span>{" "}
            {text}
        </p>
    );
}

function FindingRow(props: { finding: Finding }) {
    const { severity, counter, says, quote, link } = props.finding;
    return (
        <li className={`cb-status-finding cb-status-finding-${severity}`}>
            <p>
                <span className={`cb-health-${severity}`} role="img" aria-label={severity}>
                    {severity === "bad" ? "■" : "▲"}
                </span>{" "}
                <code>{counter}</code> {says}
            </p>
            <p className="cb-quiet">
                <q>{quote}</q>{" "}
                {link === "catalog" ? (
                    <PageLink page="catalog" section="senders">
                        Who they are
                    </PageLink>
                ) : link === "dead-letters" ? (
                    <a className="cb-link" href="#dead-letters">
                        Show them
                    </a>
                ) : null}
            </p>
        </li>
    );
}

function Findings(props: { findings: readonly Finding[]; notes: readonly string[] }) {
    const { findings, notes } = props;
    if (findings.length + notes.length === 0) return null;
    return (
        <Section id="findings" title="To be looked at">
            <ul className="cb-status-findings">
                {notes.map((note) => (
                    <li key={note} className="cb-status-finding cb-status-finding-bad">
                        <p>
                            <span className="cb-health-bad" role="img" aria-label="bad">
                                ■
                            </span>{" "}
                            {note}
                        </p>
                    </li>
                ))}
                {findings.map((finding) => (
                    <FindingRow key={finding.counter} finding={finding} />
                ))}
            </ul>
        </Section>
    );
}

function ServerFigures(props: { status: ServerStatus }) {
    const { version, uptimeSeconds, limits, retention } = props.status;
    return (
        <Figures label="This server">
            <Figure name="Version" value={version} />
            <Figure name="Runs for" value={formatSeconds(uptimeSeconds)} />
            <Figure name="Memory limit" value={formatBytes(limits.memoryBytes)} />
            <Figure name="Of it for queries" value={formatBytes(limits.queryMemoryBytes)} />
            <Figure name="Query workers" value={String(limits.queryWorkers)} />
            {retention.bytes > 0 ? (
                <Figure name="Store at most" value={formatBytes(retention.bytes)} />
            ) : null}
        </Figures>
    );
}

function Counters(props: { history: readonly Reading[]; status: ServerStatus | undefined }) {
    const { history, status } = props;
    const limits = { journalMax: status?.system?.journalMaxBytes };
    return (
        <>
            <Receiving history={history} />
            <Memory history={history} limits={limits} />
            <Store history={history} retention={keptFor(status?.retention)} />
            <Kafka history={history} />
            <Queries history={history} />
        </>
    );
}

export default function Status() {
    const health = useHealth();
    const { asked, history } = useReadings();
    const status = useServerStatus();
    const now = history[history.length - 1];
    const journalMax = status.data?.system?.journalMaxBytes;
    const findings = now && findingsOf({ now, before: history[history.length - 2], journalMax });
    return (
        <div className="cb-status">
            {health.data ? (
                <Sentence health={health.data} findings={findings} />
            ) : health.error ? null : (
                <Loading height={24} />
            )}
            {health.error ? (
                <ErrorNotice error={health.error} again={() => void health.refetch()} />
            ) : asked.error ? (
                <ErrorNotice error={asked.error} again={() => void asked.refetch()} />
            ) : null}
            {status.data ? <ServerFigures status={status.data} /> : null}
            {now ? (
                <>
                    <Findings findings={findings ?? []} notes={health.data?.notes ?? []} />
                    <Counters history={history} status={status.data} />
                    <DeadLetters />
                </>
            ) : asked.error ? null : (
                <Loading height={420} rows={6} />
            )}
        </div>
    );
}
