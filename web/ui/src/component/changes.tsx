// What changed, the newest first; ordinary events of Kubernetes are folded.
import { useState } from "react";
import { useParam } from "../address";
import { formatChange, formatCount, formatRate, formatSeconds, formatShare, shownName } from "../format";
import { Panel } from "../parts/panel";
import { formatShareChange } from "../parts/component_table";
import { Name, Time } from "../parts/marks";
import { Answer } from "../states";
import {
    isWarning,
    useComponentPage,
    type Change,
    type ComponentPage,
    type ComponentScope,
} from "./page_data";
import { changeText } from "./series";

const SHAPES: Record<Change["kind"], string> = {
    version: "●",
    image: "◆",
    "pod-template": "▪",
    release: "▸",
    kubernetes: "·",
};
const AROUND = 5 * 60_000;

const ordinary = (change: Change) => change.kind === "kubernetes" && !isWarning(change);

function Row({ change }: { change: Change }) {
    const [opened, setOpened] = useParam("change");
    const open = opened === change.timestamp;
    return (
        <li className="cb-change">
            <button
                type="button"
                className="cb-change-button"
                aria-expanded={open}
                onClick={() => setOpened(open ? undefined : change.timestamp)}
            >
                <Time at={change.timestamp} seconds />
                <span className={isWarning(change) ? "cb-text-warning" : undefined} aria-hidden="true">
                    {isWarning(change) ? "▲" : SHAPES[change.kind]}
                </span>
                <span>
                    <Name text={changeText(change)} />
                    {change.commit ? (
                        <span className="cb-quiet"> commit {shownName(change.commit.slice(0, 7))}</span>
                    ) : null}
                </span>
            </button>
        </li>
    );
}

export function Changes({ page }: { page: ComponentPage }) {
    const [all, setAll] = useState(false);
    if (page.withheld?.includes("changes"))
        return <p className="cb-quiet">You may not see the changes of this component.</p>;
    const changes = [...(page.changes ?? [])].sort(
        (a, b) => Date.parse(b.timestamp) - Date.parse(a.timestamp),
    );
    const folded = changes.filter(ordinary).length;
    if (changes.length === 0) return <p className="cb-quiet">Nothing changed in this time.</p>;
    const shown = all ? changes : changes.filter((change) => !ordinary(change));
    return (
        <>
            <ol className="cb-changes" aria-label="Changes">
                {shown.map((change, i) => (
                    <Row key={`${change.timestamp} ${change.kind} ${i}`} change={change} />
                ))}
            </ol>
            {folded > 0 && !all ? (
                <button type="button" className="cb-button cb-more" onClick={() => setAll(true)}>
                    {shown.length > 0 ? "Also show " : "Show "}
                    {formatCount(folded)} ordinary {folded === 1 ? "event" : "events"}
                </button>
            ) : null}
        </>
    );
}

// The five minutes before a change and those after it, side by side.
function BeforeAndAfter({ page }: { page: ComponentPage }) {
    const { previous: before, ...after } = page.summary;
    const rows = [
        [
            "Requests",
            formatRate(before.requestRate),
            formatRate(after.requestRate),
            formatChange(after.requestRate, before.requestRate),
        ],
        [
            "Errors",
            formatShare(before.errorRatio),
            formatShare(after.errorRatio),
            formatShareChange(after.errorRatio, before.errorRatio),
        ],
        [
            "p50",
            formatSeconds(before.latency?.p50),
            formatSeconds(after.latency?.p50),
            formatChange(after.latency?.p50, before.latency?.p50),
        ],
        [
            "p99",
            formatSeconds(before.latency?.p99),
            formatSeconds(after.latency?.p99),
            formatChange(after.latency?.p99, before.latency?.p99),
        ],
    ] as const;
    return (
        <table className="cb-compare">
            <thead>
                <tr>
                    <td />
                    <th scope="col">5 min before</th>
                    <th scope="col">5 min after</th>
                    <td />
                </tr>
            </thead>
            <tbody>
                {rows.map(([name, was, is, change]) => (
                    <tr key={name}>
                        <th scope="row">{name}</th>
                        <td>{was}</td>
                        <td>{is}</td>
                        <td className="cb-quiet">{change}</td>
                    </tr>
                ))}
            </tbody>
        </table>
    );
}

// A change that was opened: what it was, and the figures around it.
export function ChangePanel(props: { scope: ComponentScope; page: ComponentPage; at: string; now: number }) {
    const { scope, page, at, now } = props;
    const [, setOpened] = useParam("change");
    const start = Date.parse(at);
    const end = Math.min(start + AROUND, now);
    const window = { start: new Date(start), end: new Date(Math.max(end, start + 1000)) };
    const asked = useComponentPage(scope, window, { enabled: !Number.isNaN(start) });
    if (Number.isNaN(start)) return null;
    const told = (page.changes ?? []).filter(
        (change) => Math.abs(Date.parse(change.timestamp) - start) < 60_000 && !ordinary(change),
    );
    return (
        <Panel
            label="Change"
            title={
                <>
                    Change at <Time at={at} seconds />
                </>
            }
            onClose={() => setOpened(undefined)}
        >
            <ul className="cb-panel-list">
                {told.map((change, i) => (
                    <li key={i}>
                        <Name text={changeText(change)} />
                    </li>
                ))}
            </ul>
            <Answer asked={asked} height={130}>
                {(around) => <BeforeAndAfter page={around} />}
            </Answer>
            {end < start + AROUND ? (
                <p className="cb-quiet">Less than five minutes have passed since then.</p>
            ) : null}
        </Panel>
    );
}
