// Who is to blame since when, in a sentence, with the way to the evidence.
import { changeOfSuspect } from "../cause/other_changes";
import { causeText, confidenceText, type Cause, type Suspect, type Window } from "../cause";
import { shownName } from "../format";
import { rfc3339 } from "../time";
import { Name, PageLink, Time } from "./marks";

export interface CauseScopeNames {
    namespace: string;
    project: string;
    environment?: string;
}

function SuspectName({ suspect, scope }: { suspect: Suspect; scope: CauseScopeNames }) {
    if (suspect.kind !== "component") return <Name text={suspect.component} />;
    return (
        <PageLink
            page="component"
            params={{
                ns: suspect.namespace ?? scope.namespace,
                project: suspect.project ?? scope.project,
                component: suspect.component,
                env: suspect.environment ?? scope.environment,
            }}
        >
            <Name text={suspect.component} />
        </PageLink>
    );
}

// "asked": the time that it was asked for, if that is not the page's: its page shows the same.
export function CauseSentence(props: { cause: Cause; scope: CauseScopeNames; asked?: Window }) {
    const { cause, scope, asked } = props;
    const [suspect] = cause.suspects;
    const change = changeOfSuspect(cause);
    const evidence = (
        <PageLink
            page="cause"
            params={{
                ns: scope.namespace,
                project: scope.project,
                env: scope.environment,
                ...(asked && { from: rfc3339(asked.start), to: rfc3339(asked.end), live: undefined }),
            }}
            className="cb-link cb-nowrap"
        >
            Evidence
        </PageLink>
    );
    if (!cause.found || !suspect)
        return (
            <span className="cb-cause">
                No likely cause: no component stands out against the time before. {evidence}
            </span>
        );
    return (
        <span className="cb-cause" title={shownName(cause.summary.cause)}>
            Likely cause: <SuspectName suspect={suspect} scope={scope} />, {shownName(causeText(suspect))}
            {suspect.onset ? (
                <>
                    , since <Time at={suspect.onset} />
                </>
            ) : null}
            {change ? `, after its ${shownName(change.text)}` : ""}.{" "}
            <span className="cb-quiet">{confidenceText(cause.confidence)}.</span> {evidence}
        </span>
    );
}
