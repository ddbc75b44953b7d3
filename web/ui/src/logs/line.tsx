// One log line: time, level, component, chosen attributes, text.
import { memo, useMemo } from "react";
import { Level, Name, PageLink, Time } from "../parts/marks";
import { attributeText, type LogEntry } from "./filters";
import { rowText, textParts, type TextPart } from "./text";

export function Parts(props: { parts: readonly TextPart[] }) {
    return (
        <>
            {props.parts.map((part, i) =>
                part.style ? (
                    <span key={i} className={part.style}>
                        {part.text}
                    </span>
                ) : (
                    part.text
                ),
            )}
        </>
    );
}

export function TextOf(props: { log: string; wrap: boolean }) {
    const { log, wrap } = props;
    const text = useMemo(() => rowText(log, wrap), [log, wrap]);
    return (
        <bdi dir="ltr" className="cb-line-text">
            <Parts parts={text.parts} />
            {text.rest ? <span className="cb-log-rest"> {text.rest}</span> : null}
            {text.cut ? <span className="cb-log-rest"> … {props.log.length} characters</span> : null}
        </bdi>
    );
}

export function traceParams(log: LogEntry) {
    return {
        id: log.traceId,
        span: log.spanId,
        ns: log.metadata?.namespaceName,
    };
}

// A value of a column; columns are attributes, or "pod" and "endpoint".
function columnText(log: LogEntry, column: string): string {
    if (column === "pod") return log.metadata?.podName ?? "";
    if (column === "endpoint") return log.endpoint ?? "";
    const value = (log.attributes as Record<string, unknown> | undefined)?.[column];
    return value === undefined ? "" : attributeText(value);
}

export interface LineProps {
    log: LogEntry;
    columns: readonly string[];
    wrap: boolean;
    showComponent: boolean;
}

export const LineCells = memo(function LineCells(props: LineProps) {
    const { log, columns, wrap, showComponent } = props;
    return (
        <>
            <div role="gridcell" className="cb-log-time">
                <Time at={log.timestamp} ms />
            </div>
            <div role="gridcell" className="cb-log-level">
                {log.level ? <Level level={log.level} /> : null}
            </div>
            {showComponent ? (
                <div role="gridcell" className="cb-log-component">
                    <Name text={log.metadata?.componentName ?? ""} />
                </div>
            ) : null}
            {columns.map((column) => (
                <div key={column} role="gridcell" className="cb-log-column">
                    <Name text={columnText(log, column)} />
                </div>
            ))}
            <div role="gridcell" className="cb-log-body">
                <TextOf log={log.log} wrap={wrap} />
            </div>
            <div role="gridcell" className="cb-log-trace">
                {log.traceId ? (
                    <PageLink
                        page="trace"
                        params={traceParams(log)}
                        title={`Open the trace ${log.traceId}`}
                        tabIndex={-1}
                    >
                        trace
                    </PageLink>
                ) : null}
            </div>
        </>
    );
});

export function WholeText(props: { text: string }) {
    const parts = useMemo(() => textParts(props.text), [props.text]);
    return (
        <bdi dir="ltr">
            <Parts parts={parts} />
        </bdi>
    );
}
