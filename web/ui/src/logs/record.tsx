// An opened log record: whole text, attributes that filter, where it comes from,
// its trace, and the lines around it.
import { useMemo, useState } from "react";
import { useSetParams } from "../address";
import { useAsk } from "../ask";
import { formatBytes } from "../format";
import { usePlace } from "../host";
import { CopyButton } from "../parts/copy";
import { Name, PageLink, Time } from "../parts/marks";
import { Answer } from "../states";
import { lineText } from "./export";
import {
    attributeParam,
    attributeText,
    nanosecondWindow,
    searchScope,
    withoutParam,
    type LogEntry,
} from "./filters";
import { LineCells, traceParams, WholeText } from "./line";
import { CONTEXT_SHOWN, useContextLines } from "./search";
import { cutAt, jsonBody } from "./text";

const SHOWN_FIRST = 20_000;

// The record again, with its attributes.
function useAttributes(log: LogEntry) {
    const { metadata } = log;
    const body = {
        ...nanosecondWindow(log.timestamp),
        searchScope: searchScope({
            namespace: metadata?.namespaceName,
            project: metadata?.projectName,
            component: metadata?.componentName,
            environment: metadata?.environmentName,
        }),
        limit: 100,
        includeAttributes: true,
    };
    return useAsk(
        ["log record", body],
        (client, signal) => client.POST("/api/v1/logs/query", { body, signal }),
        { enabled: log.attributes === undefined, keep: false },
    );
}

function Body(props: { log: LogEntry }) {
    const { log } = props.log;
    const json = useMemo(() => jsonBody(log), [log]);
    const [raw, setRaw] = useState(false);
    const [whole, setWhole] = useState(false);
    const text = json && !raw ? JSON.stringify(json, null, 2) : log;
    const shown = whole ? text : cutAt(text, SHOWN_FIRST);
    return (
        <div>
            {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
            <pre className="cb-pre cb-log-whole" tabIndex={0} aria-label="Whole text">
                <WholeText text={shown} />
            </pre>
            {shown.length < text.length ? (
                <button type="button" className="cb-button" onClick={() => setWhole(true)}>
                    Show all of it ({formatBytes(text.length)})
                </button>
            ) : null}
            {json ? (
                <button
                    type="button"
                    className="cb-button"
                    aria-pressed={raw}
                    onClick={() => setRaw((value) => !value)}
                >
                    As it was sent
                </button>
            ) : null}
        </div>
    );
}

// A named value with what can be done with it.
function Fact(props: {
    name: string;
    value: string;
    only?: () => void;
    without?: () => void;
    column?: () => void;
}) {
    const { name, value } = props;
    const act = (text: string, label: string, run: (() => void) | undefined) =>
        run ? (
            <button
                type="button"
                className="cb-text-button cb-log-act"
                aria-label={`${label} ${name}`}
                title={label}
                onClick={run}
            >
                {text}
            </button>
        ) : null;
    return (
        <tr>
            <th scope="row">
                <Name text={name} />
            </th>
            <td>
                <Name text={value} />
            </td>
            <td className="cb-log-acts">
                {act("+ only", "Only lines with this", props.only)}
                {act("− without", "Without lines that have this", props.without)}
                {act("column", "As a column:", props.column)}
            </td>
        </tr>
    );
}

function Facts(props: { log: LogEntry; attributes: Record<string, unknown> | undefined }) {
    const { log, attributes } = props;
    const set = useSetParams();
    const { params } = usePlace();
    const { metadata } = log;
    const column = (name: string) => () => {
        const columns = (params.cols ?? "").split(",").filter((text) => text !== "");
        set({ cols: columns.includes(name) ? params.cols : [...columns, name].join(",") });
    };
    const plain: [string, string | undefined][] = [
        ["namespace", metadata?.namespaceName],
        ["project", metadata?.projectName],
        ["environment", metadata?.environmentName],
        ["container", metadata?.containerName],
        ["pod namespace", metadata?.podNamespace],
        ["event", log.eventName],
    ];
    return (
        <table className="cb-log-facts">
            <caption className="cb-hidden">Attributes of the record</caption>
            <tbody>
                {Object.entries(attributes ?? {}).map(([name, value]) => {
                    const text = attributeText(value);
                    return (
                        <Fact
                            key={name}
                            name={name}
                            value={text}
                            only={() => set({ [attributeParam(name)]: text, at: undefined })}
                            without={() => set({ [withoutParam(name)]: text, at: undefined })}
                            column={column(name)}
                        />
                    );
                })}
                {metadata?.podName ? (
                    <Fact
                        name="pod"
                        value={metadata.podName}
                        only={() => set({ pod: metadata.podName, at: undefined })}
                        column={column("pod")}
                    />
                ) : null}
                {log.endpoint ? (
                    <Fact name="endpoint" value={log.endpoint} column={column("endpoint")} />
                ) : null}
                {log.traceId ? (
                    <Fact
                        name="trace"
                        value={log.traceId}
                        only={() => set({ trace: log.traceId, at: undefined })}
                    />
                ) : null}
                {plain.map(([name, value]) => (value ? <Fact key={name} name={name} value={value} /> : null))}
            </tbody>
        </table>
    );
}

function ContextLines(props: { logs: readonly LogEntry[]; label: string }) {
    return (
        <div role="grid" aria-label={props.label} className="cb-log-context">
            {props.logs.map((log, i) => (
                <div role="row" key={i} className="cb-log-row">
                    <LineCells log={log} columns={NO_COLUMNS} wrap={false} showComponent={false} />
                </div>
            ))}
        </div>
    );
}

const NO_COLUMNS: readonly string[] = [];

// Ten lines before and ten after, of the same pod, whatever the filters are.
function Around(props: { log: LogEntry }) {
    const { log } = props;
    const { before, after } = useContextLines(log, true);
    const pod = log.metadata?.podName;
    const near = (logs: readonly LogEntry[]) =>
        logs
            .filter((one) => one.timestamp !== log.timestamp && one.metadata?.podName === pod)
            .slice(0, CONTEXT_SHOWN);
    return (
        <div className="cb-log-around">
            <Answer asked={before} height={120}>
                {(data) => <ContextLines logs={near(data.logs).reverse()} label="Lines before" />}
            </Answer>
            <p className="cb-log-around-this">
                <Time at={log.timestamp} ms /> this line
            </p>
            <Answer asked={after} height={120}>
                {(data) => <ContextLines logs={near(data.logs)} label="Lines after" />}
            </Answer>
        </div>
    );
}

export function RecordDetails(props: { log: LogEntry; onClose: () => void }) {
    const { log } = props;
    const asked = useAttributes(log);
    const [around, setAround] = useState(false);
    const same = asked.data?.logs.find((one) => one.timestamp === log.timestamp && one.log === log.log);
    const full = log.attributes ? log : (same ?? log);
    return (
        <div className="cb-log-details">
            <div className="cb-log-actions">
                {log.traceId ? (
                    <PageLink page="trace" params={traceParams(log)} className="cb-button">
                        Open the trace
                    </PageLink>
                ) : null}
                {log.metadata?.componentName ? (
                    <PageLink
                        page="component"
                        params={{
                            ns: log.metadata.namespaceName,
                            project: log.metadata.projectName,
                            component: log.metadata.componentName,
                            env: log.metadata.environmentName,
                        }}
                        className="cb-button"
                    >
                        Open the component
                    </PageLink>
                ) : null}
                <button
                    type="button"
                    className="cb-button"
                    aria-pressed={around}
                    onClick={() => setAround((value) => !value)}
                >
                    {2 * CONTEXT_SHOWN} lines around
                </button>
                <CopyButton text={() => lineText(log)} label="Copy text" />
                <CopyButton text={() => JSON.stringify(full, null, 2)} label="Copy JSON" />
                <button type="button" className="cb-button" onClick={props.onClose}>
                    Close
                </button>
            </div>
            <Body log={log} />
            <Facts log={log} attributes={full.attributes as Record<string, unknown> | undefined} />
            {around ? <Around log={log} /> : null}
        </div>
    );
}
