// The states of an answer, the same everywhere: loading, empty, error, refused, stale.
import { useEffect, useState, type ReactNode } from "react";
import type { Asked } from "./ask";
import { ApiError } from "./client";
import { useHref } from "./address";

export function Notice(props: {
    kind: "empty" | "error" | "refused" | "note";
    title: string;
    children?: ReactNode;
}) {
    const role = props.kind === "error" || props.kind === "refused" ? "alert" : "status";
    return (
        <div className={`cb-notice cb-notice-${props.kind}`} role={role}>
            <p className="cb-notice-title">{props.title}</p>
            {props.children ? <div className="cb-notice-text">{props.children}</div> : null}
        </div>
    );
}

// What was asked, why it may be empty, what next.
export function Empty(props: { what: string; why?: ReactNode; next?: ReactNode }) {
    return (
        <Notice kind="empty" title={props.what}>
            {props.why ? <p>{props.why}</p> : null}
            {props.next ? <div className="cb-notice-next">{props.next}</div> : null}
        </Notice>
    );
}

const HINTS: Record<number, string> = {
    413: "The answer is larger than a limit of the server. Choose a shorter time range or a narrower scope.",
    429: "Too many questions wait already.",
    503: "The server is busy.",
};

function SignInNotice() {
    const href = useHref()("signin");
    return (
        <Notice kind="refused" title="Sign in to see this">
            <p>The server asks for a token.</p>
            {href ? (
                <a className="cb-button" href={href}>
                    Sign in
                </a>
            ) : (
                <p>Ask the administrators of this portal for access.</p>
            )}
        </Notice>
    );
}

export function ErrorNotice(props: { error: ApiError; again: () => void }) {
    const { error, again } = props;
    if (error.status === 401) return <SignInNotice />;
    if (error.status === 403)
        return (
            <Notice kind="refused" title="You may not see this">
                {error.message}
            </Notice>
        );
    return (
        <Notice kind="error" title={error.title}>
            <p>{error.message}</p>
            {HINTS[error.status] ? <p>{HINTS[error.status]}</p> : null}
            <button type="button" className="cb-button" onClick={again}>
                Ask again
            </button>
        </Notice>
    );
}

// Grey blocks of the final size, after 150 ms.
export function Loading(props: { height?: number; rows?: number }) {
    const [shown, setShown] = useState(false);
    useEffect(() => {
        const timer = setTimeout(() => setShown(true), 150);
        return () => clearTimeout(timer);
    }, []);
    const rows = props.rows ?? 1;
    const height = props.height ?? 160;
    return (
        <div className="cb-loading" aria-busy="true" aria-label="Loading">
            {Array.from({ length: rows }, (_, i) => (
                <svg
                    key={i}
                    className={shown ? "cb-loading-block" : undefined}
                    width="100%"
                    height={height / rows}
                    aria-hidden="true"
                />
            ))}
        </div>
    );
}

// An answer in each of its states. What was there stays while it is asked again,
// under a thin bar; an error beside old data is told above it.
export function Answer<Data>(props: {
    asked: Asked<Data>;
    height?: number;
    rows?: number;
    children: (data: Data) => ReactNode;
}) {
    const { asked } = props;
    const again = () => void asked.refetch();
    if (asked.data === undefined) {
        if (asked.error) return <ErrorNotice error={asked.error} again={again} />;
        return <Loading height={props.height} rows={props.rows} />;
    }
    const refused = asked.error && (asked.error.status === 401 || asked.error.status === 403);
    return (
        <div
            className={asked.isFetching ? "cb-answer cb-answer-busy" : "cb-answer"}
            aria-busy={asked.isFetching}
        >
            {asked.error ? <ErrorNotice error={asked.error} again={again} /> : null}
            {refused ? null : props.children(asked.data)}
        </div>
    );
}
