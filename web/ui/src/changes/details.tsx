// An opened change: what is known of it, and the component's figures before and after.
import { useAsk } from "../ask";
import type { Schemas } from "../client";
import { formatChange, formatRate, formatSeconds, formatShare } from "../format";
import { Panel } from "../parts/panel";
import { Name, PageLink, Time } from "../parts/marks";
import { Answer } from "../states";
import { rfc3339, useClock } from "../time";
import { kindWord, shapeOf, type Change } from "./kinds";

const AROUND_MS = 5 * 60e3;
const SHORTEST_MS = 30e3;
type Figures = Schemas["Figures"];
type Value = number | null | undefined;

// [name, how it is read, value of an answer]
const FIGURES: [string, (value: Value) => string, (figures: Figures) => Value][] = [
    ["Requests", formatRate, (figures) => figures.requestRate],
    ["Errors", formatShare, (figures) => figures.errorRatio],
    ["4xx", formatShare, (figures) => figures.clientErrorRatio],
    ["p50", formatSeconds, (figures) => figures.latency?.p50],
    ["p99", formatSeconds, (figures) => figures.latency?.p99],
];

function BeforeAfter(props: { change: Change }) {
    const { change } = props;
    const now = useClock();
    const at = Date.parse(change.timestamp);
    const length = Math.min(AROUND_MS, now - at);
    const enabled = length >= SHORTEST_MS;
    const query = {
        environment: change.environment,
        startTime: rfc3339(at),
        endTime: rfc3339(at + length),
        step: `${Math.round(length / 1000)}s`,
    };
    const path = { namespace: change.namespace, project: change.project, component: change.component };
    const asked = useAsk(
        ["change figures", path, query],
        (client, signal) =>
            client.GET("/api/v1/components/{namespace}/{project}/{component}", {
                params: { path, query },
                signal,
            }),
        { enabled, keep: false },
    );
    if (!enabled) return <p className="cb-change-note">It is too young for figures after it.</p>;
    const minutes = Math.round(length / 6e3) / 10;
    return (
        <Answer asked={asked} height={170}>
            {(page) => (
                <table className="cb-change-figures">
                    <caption>
                        <Name text={change.component} />, {minutes} min before and after
                    </caption>
                    <thead>
                        <tr>
                            <td />
                            <th scope="col">before</th>
                            <th scope="col">after</th>
                            <td />
                        </tr>
                    </thead>
                    <tbody>
                        {FIGURES.map(([name, read, of]) => {
                            const [before, after] = [of(page.summary.previous), of(page.summary)];
                            return (
                                <tr key={name}>
                                    <th scope="row">{name}</th>
                                    <td>{read(before)}</td>
                                    <td>{read(after)}</td>
                                    <td className="cb-figure-change">{formatChange(after, before)}</td>
                                </tr>
                            );
                        })}
                    </tbody>
                </table>
            )}
        </Answer>
    );
}

function factsOf(change: Change): [string, string | undefined][] {
    return [
        ["kind", kindWord(change.kind)],
        ["type", change.type],
        ["from", change.from],
        ["to", change.to],
        ["release", change.release],
        ["commit", change.commit],
        ["phase", change.phase],
        ["reason", change.reason],
        ["object", [change.objectKind, change.objectName].filter((part) => part).join(" ")],
        ["endpoint", change.endpoint],
        ["level", change.level],
        ["environment", change.environment],
        ["times", change.count > 1 ? String(Math.round(change.count)) : undefined],
        ["message", change.message === change.title ? undefined : change.message],
        ["source", change.source === "events" ? "an event" : "seen in the data"],
    ];
}

export function ChangeDetails(props: { change: Change; onClose: () => void }) {
    const { change } = props;
    const at = Date.parse(change.timestamp);
    const place = {
        ns: change.namespace,
        project: change.project,
        component: change.component,
        env: change.environment,
        from: rfc3339(at - AROUND_MS),
        to: rfc3339(at + AROUND_MS),
        live: undefined,
    };
    return (
        <Panel
            label="The change that is opened"
            title={
                <>
                    <span aria-hidden="true">{shapeOf(change)} </span>
                    <Name text={change.title} />
                </>
            }
            onClose={props.onClose}
        >
            <p>
                <PageLink page="component" params={place}>
                    <Name text={change.component} />
                </PageLink>
                , <Time at={change.timestamp} seconds />
                {change.lastSeen && change.count > 1 ? (
                    <>
                        {" "}
                        to <Time at={change.lastSeen} seconds />
                    </>
                ) : null}
            </p>
            <BeforeAfter change={change} />
            <p className="cb-buttons">
                <PageLink page="logs" params={place}>
                    Logs around it
                </PageLink>
                <PageLink page="traces" params={place}>
                    Traces around it
                </PageLink>
            </p>
            <dl className="cb-facts">
                {factsOf(change).map(([name, value]) =>
                    value ? (
                        <div key={name}>
                            <dt>{name}</dt>
                            <dd>
                                <Name text={value} />
                            </dd>
                        </div>
                    ) : null,
                )}
            </dl>
        </Panel>
    );
}
