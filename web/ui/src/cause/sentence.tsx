// The answer in one sentence, and how sure it is.
import { formatShare, formatTime, shownName } from "../format";
import { rfc3339 } from "../time";
import { HealthMark, Name, PageLink } from "../parts/marks";
import type { Cause } from "./ask_cause";

// The texts of the analysis end in times of UTC, which the page shows as local.
export function plainText(text: string): string {
    return shownName(text.replace(/,? ?since \d\d:\d\d UTC$/, ""));
}

export function culpritText(cause: Cause): string {
    const [first] = cause.suspects;
    const text = first?.evidence[0]?.text ?? cause.summary.cause;
    return plainText(text);
}

export function Confidence(props: { value: number }) {
    return (
        <span className="cb-confidence">
            <span className="cb-confidence-bar" aria-hidden="true">
                <span style={{ width: `${Math.round(props.value * 100)}%` }} />
            </span>
            confidence {formatShare(props.value)}
        </span>
    );
}

// On top of the project's page, with the way to all of it.
export function CauseSentence(props: { cause: Cause }) {
    const { cause } = props;
    const [first] = cause.suspects;
    if (!cause.found || !first)
        return (
            <p className="cb-sentence cb-sentence-quiet">
                <HealthMark health="ok" hidden /> No component stands out against the time before.{" "}
                <PageLink page="cause" params={{ component: undefined }}>
                    What was compared
                </PageLink>
            </p>
        );
    return (
        <p className="cb-sentence cb-sentence-bad">
            <span className="cb-sentence-text">
                <HealthMark health="bad" hidden /> <Name text={first.component} className="cb-strong" /> is
                likely to blame
                {first.onset ? (
                    <>
                        {" "}
                        since{" "}
                        {<time dateTime={rfc3339(new Date(first.onset))}>{formatTime(first.onset)}</time>}
                    </>
                ) : null}
                : {culpritText(cause)}
            </span>
            <Confidence value={cause.confidence} />
            <PageLink page="cause" params={{ component: undefined }} className="cb-button">
                See the cause
            </PageLink>
        </p>
    );
}
