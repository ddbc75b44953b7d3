// What stands out in a trace: where it failed first, where its time went, calls
// that are repeated, and what is wrong with the trace itself.
import type { ReactNode } from "react";
import { formatSeconds, formatShare, shownName } from "../format";
import { ShareBar } from "../parts/share_bar";
import { Notice } from "../states";
import type { ReadTrace } from "./ask_trace";

const SHOWN = 3;

function Span(props: { span: { component?: string; spanName: string } }) {
    const { component, spanName } = props.span;
    return (
        <bdi>
            {component ? <b>{shownName(component)}</b> : null} {shownName(spanName)}
        </bdi>
    );
}

function Finding(props: { title: string; items: ReactNode[] }) {
    if (props.items.length === 0) return null;
    return (
        <div className="cb-trace-finding">
            <h2>{props.title}</h2>
            <ol>
                {props.items.slice(0, SHOWN).map((item, i) => (
                    <li key={i}>{item}</li>
                ))}
            </ol>
            {props.items.length > SHOWN ? (
                <details>
                    <summary>{props.items.length - SHOWN} more</summary>
                    <ol start={SHOWN + 1}>
                        {props.items.slice(SHOWN).map((item, i) => (
                            <li key={i}>{item}</li>
                        ))}
                    </ol>
                </details>
            ) : null}
        </div>
    );
}

export function Findings(props: { found: ReadTrace["found"]; onSpan: (spanId: string) => void }) {
    const { found, onSpan } = props;
    const link = (spanId: string, content: ReactNode) => (
        <button type="button" className="cb-text-button" onClick={() => onSpan(spanId)}>
            {content}
        </button>
    );
    const errors = found.errors.map((error) => (
        <>
            {link(error.spanId, <Span span={error} />)}
            <span className="cb-trace-finding-text">
                {[error.exceptionType, error.exceptionMessage ?? error.message]
                    .filter(Boolean)
                    .map((text) => shownName(text!))
                    .join(": ")}
                {error.path.length === 0
                    ? ""
                    : error.reachesRoot
                      ? `; with it failed all ${error.path.length} above`
                      : `; with it failed ${error.path.length} above, not the whole trace`}
            </span>
        </>
    ));
    const time = found.criticalPath.map((part) => (
        <>
            <ShareBar share={part.percent / 100} className="cb-trace-share" />
            <Span span={part} />
            <span className="cb-trace-finding-text">
                {formatShare(part.percent / 100)}, {formatSeconds(part.durationNs / 1e9)}
                {part.spanCount > 1 ? ` in ${part.spanCount} spans` : ""}
            </span>
        </>
    ));
    const repeated = found.repeated.map((call) => (
        <>
            {link(
                call.spanId,
                <>
                    {call.count} × <Span span={call} />
                </>,
            )}
            <span className="cb-trace-finding-text">
                called by {shownName(call.parent.component ?? "")} {shownName(call.parent.spanName)}; they
                took {formatSeconds(call.wallNs / 1e9)}
                {call.errorCount > 0 ? `, ${call.errorCount} failed` : ""}
            </span>
        </>
    ));
    return (
        <section className="cb-trace-findings" aria-label="What stands out">
            {found.remarks.length > 0 ? (
                <Notice kind="note" title="This trace is not whole, or not as it should be">
                    <ul className="cb-trace-remarks">
                        {found.remarks.map((remark) => (
                            <li key={remark}>{shownName(remark)}</li>
                        ))}
                    </ul>
                </Notice>
            ) : null}
            <div className="cb-trace-findings-lists">
                <Finding title="Failed first" items={errors} />
                <Finding title="What its caller waited for (critical path)" items={time} />
                <Finding title="Repeated calls" items={repeated} />
            </div>
        </section>
    );
}
