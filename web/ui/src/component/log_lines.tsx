// Error lines, the newest first, each with the way to its trace.
import { useState } from "react";
import type { Schemas } from "../client";
import { formatCount, shownName } from "../format";
import { Level, PageLink, Time } from "../parts/marks";
import { Answer } from "../states";
import { useErrorLines, type ComponentPage, type ComponentScope } from "./page_data";

export type LogEntry = Schemas["LogEntry"];

function Line({ entry }: { entry: LogEntry }) {
    return (
        <li className="cb-logline">
            <Time at={entry.timestamp} ms />
            <Level level={entry.level ?? ""} />
            <span className="cb-logline-text" title={shownName(entry.log)}>
                {shownName(entry.log)}
            </span>
            <span className="cb-logline-ways">
                {entry.endpoint ? <span className="cb-quiet">{shownName(entry.endpoint)}</span> : null}
                {entry.traceId ? (
                    <PageLink page="trace" params={{ id: entry.traceId, span: entry.spanId }}>
                        trace
                    </PageLink>
                ) : null}
            </span>
        </li>
    );
}

export function LogLines({ entries, label }: { entries: readonly LogEntry[]; label: string }) {
    return (
        <ol className="cb-loglines" aria-label={label}>
            {entries.map((entry, i) => (
                <Line key={`${entry.timestamp} ${i}`} entry={entry} />
            ))}
        </ol>
    );
}

const FIRST = 10;
const MOST = 50;
const LINE = 29; // px
const FOOT = 48;

// The room that the lines will take, by the count of error lines of the page.
export function errorLinesHeight(page: ComponentPage): number {
    const errors = (page.logTemplates ?? [])
        .filter(({ level }) => level === "ERROR" || level === "FATAL")
        .reduce((sum, { count }) => sum + count, 0);
    return errors > 0 ? Math.min(FIRST, Math.ceil(errors)) * LINE + FOOT : LINE;
}

export function ErrorLines({ scope, range }: { scope: ComponentScope; range: { start: Date; end: Date } }) {
    const [all, setAll] = useState(false);
    const asked = useErrorLines(scope, range, MOST);
    return (
        <Answer asked={asked} height={FIRST * 26} rows={FIRST}>
            {({ logs, total, totalIsLowerBound }) =>
                logs.length === 0 ? (
                    <p className="cb-quiet">No error line in this time.</p>
                ) : (
                    <>
                        <LogLines entries={all ? logs : logs.slice(0, FIRST)} label="Newest error lines" />
                        <p className="cb-more">
                            {!all && logs.length > FIRST ? (
                                <button type="button" className="cb-button" onClick={() => setAll(true)}>
                                    Show {formatCount(logs.length)}
                                </button>
                            ) : null}{" "}
                            <PageLink page="logs" params={{ level: "ERROR" }}>
                                All {totalIsLowerBound ? "more than " : ""}
                                {formatCount(total)} error lines
                            </PageLink>
                        </p>
                    </>
                )
            }
        </Answer>
    );
}
