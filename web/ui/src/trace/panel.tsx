// Everything about one span, beside the rows.
import { formatRate, formatSeconds, formatShare, shownName } from "../format";
import { Panel } from "../parts/panel";
import { CopyButton } from "../parts/copy";
import { Level, Name, PageLink } from "../parts/marks";
import { Answer } from "../states";
import type { Schemas } from "../client";
import { useSpan, useUsual, type ReadTrace } from "./ask_trace";
import { aroundTrace } from "./head";
import { offsetReader, type ReadLog, type SpanNode } from "./spans";

type Attributes = Record<string, unknown>;

function valueText(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}

// A filter can be made of short texts, numbers and booleans.
function filterOf(value: unknown): string | undefined {
    if (typeof value === "string" && value !== "" && value.length <= 200) return value;
    return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function AttributeList(props: {
    label: string;
    attributes: Attributes;
    filter?: (name: string, value: string) => Record<string, string | undefined>;
}) {
    const entries = Object.entries(props.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length === 0) return <p className="cb-quiet">None.</p>;
    return (
        <dl className="cb-facts" aria-label={props.label}>
            {entries.map(([name, value]) => {
                const text = filterOf(value);
                return (
                    <div key={name}>
                        <dt>
                            <Name text={name} />
                        </dt>
                        <dd>
                            <Name text={valueText(value)} />{" "}
                            {text !== undefined && props.filter ? (
                                <PageLink
                                    page="traces"
                                    className="cb-attribute-link"
                                    title="Traces with this attribute"
                                    params={props.filter(name, text)}
                                >
                                    traces
                                </PageLink>
                            ) : null}
                        </dd>
                    </div>
                );
            })}
        </dl>
    );
}

function Fact(props: { name: string; children: React.ReactNode }) {
    return (
        <div>
            <dt>{props.name}</dt>
            <dd>{props.children}</dd>
        </div>
    );
}

// How long this operation takes usually, from the figures of the component.
function Usual(props: { found: ReadTrace["found"]; node: SpanNode }) {
    const usual = useUsual(props.found, props.node);
    const latency = usual?.latency;
    if (!usual || !latency) return null;
    const seconds = props.node.duration / 1e9;
    const steps: [string, number | null | undefined][] = [
        ["p99", latency.p99],
        ["p90", latency.p90],
        ["p50", latency.p50],
    ];
    const slower = steps.find(([, value]) => value != null && seconds > value);
    return (
        <p className={slower && slower[0] !== "p50" ? "cb-usual cb-usual-slow" : "cb-usual"}>
            {slower
                ? `Slower than ${slower[0]} of this operation (${formatSeconds(slower[1])})`
                : `Not slower than the median of this operation (${formatSeconds(latency.p50)})`}
            <span className="cb-quiet">
                {" "}
                in the hour around it: {formatRate(usual.requestRate)}, {formatShare(usual.errorRatio)} failed
            </span>
        </p>
    );
}

function Events(props: { events: NonNullable<Schemas["Span"]["events"]>; start: string }) {
    const offsetOf = offsetReader(props.start);
    return (
        <ul className="cb-trace-events">
            {props.events.map((event, i) => {
                const { "exception.stacktrace": trace, ...rest } = event.attributes as Attributes;
                return (
                    <li key={i}>
                        <b>
                            <Name text={event.name} />
                        </b>{" "}
                        at {formatSeconds(offsetOf(event.timestamp) / 1e9)}
                        <AttributeList label={`Attributes of event ${i + 1}`} attributes={rest} />
                        {typeof trace === "string" ? (
                            <pre className="cb-pre">{trace.split("\n").map(shownName).join("\n")}</pre>
                        ) : null}
                    </li>
                );
            })}
        </ul>
    );
}

function Links(props: { found: ReadTrace["found"]; links: NonNullable<Schemas["Span"]["links"]> }) {
    return (
        <ul className="cb-trace-events">
            {props.links.map((link, i) => (
                <li key={i}>
                    <PageLink
                        page="trace"
                        params={{ ns: props.found.namespace, id: link.traceId, span: link.spanId }}
                    >
                        {link.traceId === props.found.traceId
                            ? "span " + link.spanId
                            : "trace " + link.traceId}
                    </PageLink>
                    <AttributeList
                        label={`Attributes of link ${i + 1}`}
                        attributes={link.attributes as Attributes}
                    />
                </li>
            ))}
        </ul>
    );
}

function SpanLogs(props: { logs: readonly ReadLog[] }) {
    return (
        <ul className="cb-trace-events">
            {props.logs.map((log, i) => (
                <li key={i}>
                    <Level level={log.level} />{" "}
                    <span className="cb-quiet">at {formatSeconds(log.at / 1e9)}</span>
                    <div className="cb-log-text">
                        <Name text={log.text} />
                    </div>
                </li>
            ))}
        </ul>
    );
}

function Details(props: {
    found: ReadTrace["found"];
    node: SpanNode;
    span: Schemas["Span"];
    logs: readonly ReadLog[];
}) {
    const { found, node, span } = props;
    const events = span.events ?? [];
    const links = span.links ?? [];
    const scope = {
        ns: node.namespace || found.namespace,
        project: node.project || undefined,
        component: undefined,
        ...aroundTrace(found),
    };
    const filter = (name: string, value: string) => ({ ...scope, [`attr.${name}`]: value });
    return (
        <>
            {props.logs.length > 0 ? (
                <section>
                    <h3>Log records ({props.logs.length})</h3>
                    <SpanLogs logs={props.logs} />
                </section>
            ) : null}
            {events.length > 0 ? (
                <section>
                    <h3>Events ({events.length})</h3>
                    <Events events={events} start={found.summary.startTime} />
                </section>
            ) : null}
            <section>
                <h3>Attributes</h3>
                <AttributeList
                    label="Attributes"
                    attributes={(span.attributes ?? {}) as Attributes}
                    filter={filter}
                />
            </section>
            {links.length > 0 ? (
                <section>
                    <h3>Links to other spans ({links.length})</h3>
                    <Links found={found} links={links} />
                </section>
            ) : null}
            <details>
                <summary>Resource ({Object.keys(span.resourceAttributes ?? {}).length} attributes)</summary>
                <AttributeList label="Resource" attributes={(span.resourceAttributes ?? {}) as Attributes} />
            </details>
        </>
    );
}

function Facts(props: { found: ReadTrace["found"]; node: SpanNode }) {
    const { found, node } = props;
    const root = found.summary.rootDurationNs;
    return (
        <dl className="cb-facts">
            {node.component ? (
                <Fact name="Component">
                    <PageLink
                        page="component"
                        params={{
                            ns: node.namespace || found.namespace,
                            project: node.project,
                            component: node.component,
                            env: node.environment || undefined,
                            ...aroundTrace(found),
                        }}
                    >
                        {shownName(node.component)}
                    </PageLink>
                </Fact>
            ) : null}
            {node.operation ? (
                <Fact name="Operation">
                    <Name text={node.operation} />
                </Fact>
            ) : null}
            {node.kind ? <Fact name="Kind">{node.kind.toLowerCase()}</Fact> : null}
            <Fact name="Status">
                <span className={node.failed ? "cb-text-bad" : undefined}>
                    {node.failed ? "■ failed" : node.status}
                </span>
                {node.message ? (
                    <>
                        {": "}
                        <Name text={node.message} />
                    </>
                ) : null}
            </Fact>
            <Fact name="Starts at">{formatSeconds(node.start / 1e9)}</Fact>
            <Fact name="Duration">{formatSeconds(node.duration / 1e9)}</Fact>
            <Fact name="Self time">{formatSeconds(node.self / 1e9)}</Fact>
            <Fact name="On critical path">
                {node.parts
                    ? `${formatSeconds(node.critical / 1e9)}, ${formatShare(node.critical / root)} of the trace`
                    : "no"}
            </Fact>
            {node.pod ? (
                <Fact name="Pod">
                    <Name text={node.pod} />
                </Fact>
            ) : null}
            <Fact name="Span id">
                <code>{node.id}</code>
                {node.duplicate ? " (another span has it, too: what is below may be of that one)" : null}
            </Fact>
        </dl>
    );
}

export function SpanPanel(props: {
    found: ReadTrace["found"];
    node: SpanNode;
    logs: readonly ReadLog[];
    onClose: () => void;
}) {
    const { found, node } = props;
    return (
        <Panel
            className="cb-trace-panel"
            label={`Span ${shownName(node.name)}`}
            title={<Name text={node.name} />}
            tools={<CopyButton text={() => node.id} label="Copy id" />}
            onClose={props.onClose}
        >
            <Usual found={found} node={node} />
            <Facts found={found} node={node} />
            {node.missing || node.hidden ? (
                <p className="cb-quiet">
                    {node.missing ? "This span has not been received." : "You may not see more of this span."}
                </p>
            ) : (
                <SpanAnswer {...props} />
            )}
        </Panel>
    );
}

function SpanAnswer(props: { found: ReadTrace["found"]; node: SpanNode; logs: readonly ReadLog[] }) {
    const asked = useSpan(props.found, props.node);
    return (
        <Answer asked={asked} height={240} rows={4}>
            {(span) => <Details {...props} span={span} />}
        </Answer>
    );
}
