// The suspects with their evidence, most likely first; the first is open.
import { useParam } from "../address";
import type { Cause, Suspect } from "../cause";
import { shownName } from "../format";
import { ShareBar } from "../parts/share_bar";
import { Name, PageLink, Time } from "../parts/marks";
import { EvidenceItem } from "./evidence";
import { causeText } from "../cause";

interface Scope {
    namespace: string;
    project: string;
}

function Head(props: { suspect: Suspect; highest: number }) {
    const { suspect, highest } = props;
    return (
        <>
            <span className="cb-suspect-rank">{suspect.rank}</span>
            <span className="cb-suspect-name">
                <Name text={suspect.component} className="cb-strong" />
                {suspect.kind !== "component" ? <span className="cb-quiet"> {suspect.kind}</span> : null}
            </span>
            <span title={`score ${suspect.score.toFixed(1)}`}>
                <ShareBar bad share={highest > 0 ? suspect.score / highest : 0} />
            </span>
            <span className="cb-suspect-text">
                {suspect.explainedBy ? (
                    <span className="cb-quiet">suffers from {shownName(suspect.explainedBy)}: </span>
                ) : null}
                {shownName(causeText(suspect))}
                {suspect.onset ? (
                    <span className="cb-quiet">
                        {" "}
                        since <Time at={suspect.onset} />
                    </span>
                ) : null}
            </span>
        </>
    );
}

function Body(props: { suspect: Suspect; cause: Cause; scope: Scope }) {
    const { suspect, cause, scope } = props;
    const params = {
        ns: suspect.namespace ?? scope.namespace,
        project: suspect.project ?? scope.project,
        component: suspect.component,
        env: suspect.environment,
    };
    return (
        <div className="cb-suspect-body">
            {suspect.kind === "component" ? (
                <p className="cb-panel-links">
                    <PageLink page="component" params={params} className="cb-button">
                        Open component
                    </PageLink>
                    <PageLink page="logs" params={{ ...params, level: "ERROR" }} className="cb-button">
                        Error logs
                    </PageLink>
                    <PageLink page="traces" params={{ ...params, errors: "1" }} className="cb-button">
                        Failed traces
                    </PageLink>
                </p>
            ) : null}
            {suspect.affected.length > 0 ? (
                <p>
                    <span className="cb-quiet">suffer from it:</span>{" "}
                    {suspect.affected.map(shownName).join(", ")}
                </p>
            ) : null}
            <ul className="cb-evidence-list">
                {suspect.evidence.map((evidence, i) => (
                    <EvidenceItem key={i} evidence={evidence} cause={cause} namespace={params.ns} />
                ))}
            </ul>
        </div>
    );
}

// Open suspects are in the address, by rank: "1,3".
export function Suspects(props: { cause: Cause; scope: Scope; open: string }) {
    const { cause, scope } = props;
    const [text, set] = useParam("suspect");
    const open = new Set((text ?? props.open).split(",").filter((rank) => rank !== "" && rank !== "none"));
    const highest = Math.max(...cause.suspects.map((suspect) => suspect.score), 0);
    const toggle = (rank: string) => {
        const next = new Set(open);
        if (!next.delete(rank)) next.add(rank);
        set([...next].join(",") || "none", "replace");
    };
    const unusual = cause.suspects.filter((suspect) => suspect.evidence.length > 0);
    const usual = cause.suspects.filter((suspect) => suspect.evidence.length === 0);
    return (
        <ol className="cb-suspects">
            {unusual.map((suspect) => {
                const rank = String(suspect.rank);
                const shown = open.has(rank);
                return (
                    <li key={rank} className="cb-suspect">
                        <button
                            type="button"
                            className="cb-suspect-head"
                            aria-expanded={shown}
                            onClick={() => toggle(rank)}
                        >
                            <span aria-hidden="true">{shown ? "▾" : "▸"}</span>
                            <Head suspect={suspect} highest={highest} />
                        </button>
                        {shown ? <Body suspect={suspect} cause={cause} scope={scope} /> : null}
                    </li>
                );
            })}
            {usual.length > 0 ? (
                <li className="cb-suspect cb-suspect-usual">
                    <span className="cb-quiet">Nothing unusual in:</span>{" "}
                    {usual.map((suspect) => shownName(suspect.component)).join(", ")}
                </li>
            ) : null}
        </ol>
    );
}
