// What a question about a trace was refused with.
import type { ApiError } from "../client";
import { ErrorNotice, Notice } from "../states";

const TOO_LARGE = 413;

// A trace has no time range that could be shorter: what helps is memory.
export function TraceError(props: { error: ApiError; again: () => void }) {
    if (props.error.status !== TOO_LARGE) return <ErrorNotice {...props} />;
    return (
        <Notice kind="error" title="The server has not enough memory to show this trace">
            <p>
                It is too large for one question. More memory for the server (--memory-limit) helps, or the
                page of a component: it has the log records and the other traces of that time.
            </p>
            <button type="button" className="cb-button" onClick={props.again}>
                Ask again
            </button>
        </Notice>
    );
}
