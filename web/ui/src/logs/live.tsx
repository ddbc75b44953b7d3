// The live tail: lines as they arrive, the newest at the end. It pauses when the
// reader scrolls or opens a line, counts what arrives, and loses nothing.
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useParam } from "../address";
import { ApiError } from "../client";
import { ErrorNotice } from "../states";
import type { Scope } from "../scope";
import { filtersHere, isShown, type LogEntry, type LogFilters } from "./filters";
import { LogRows, type LogRow } from "./rows";
import { RATE_MAX, ROWS_MAX, type Tail, type TailState } from "./tail";
import { useTail, useTailState } from "./use_tail";

type Why = "scroll" | "open" | "button";
const BECAUSE: Record<Why, string> = {
    scroll: "Paused because you scrolled.",
    open: "Paused because you opened a line.",
    button: "Paused.",
};
const SAY_EVERY_MS = 10_000;

const n = (count: number) => count.toLocaleString("en");

// How many lines came, for readers of screens: one line every ten seconds.
function PoliteCount(props: { tail: Tail }) {
    const { tail } = props;
    const [said, setSaid] = useState("");
    const told = useRef(0);
    useEffect(() => {
        const arrived = () => {
            const state = tail.snapshot();
            return state.rows.length + state.dropped + state.waiting;
        };
        const timer = setInterval(() => {
            const now = arrived();
            setSaid(now > told.current ? `${n(now - told.current)} new lines` : "");
            told.current = now;
        }, SAY_EVERY_MS);
        return () => clearInterval(timer);
    }, [tail]);
    return (
        <p className="cb-hidden" role="status" aria-live="polite">
            {said}
        </p>
    );
}

function Notes(props: { state: TailState }) {
    const { state } = props;
    const failure = state.failure instanceof ApiError ? state.failure : undefined;
    const lost = failure && (failure.status === 0 || failure.status >= 500);
    return (
        <>
            {lost ? (
                <p className="cb-log-note cb-text-warning" role="status">
                    ▲ Callboard does not answer. It is asked again by itself; lines that arrive meanwhile
                    follow.
                </p>
            ) : null}
            {state.everyNth > 1 ? (
                <p className="cb-log-note cb-text-warning" role="status">
                    ▲ {n(Math.round(state.perSecond))} lines a second: one in {state.everyNth} is shown.
                    Filter to see all; the search has them.
                </p>
            ) : state.skipped > 0 ? (
                <p className="cb-log-note">
                    {n(state.skipped)} lines were not shown, as more than {RATE_MAX} a second came. The search
                    has them.
                </p>
            ) : null}
            {state.dropped > 0 ? (
                <p className="cb-log-note">
                    The newest {n(ROWS_MAX)} lines are kept here; the search has the earlier ones.
                </p>
            ) : null}
        </>
    );
}

function Bar(props: { state: TailState; why: Why; onPause: () => void; onFollow: () => void }) {
    const { state, why } = props;
    if (!state.paused)
        return (
            <div className="cb-log-bar">
                <span>
                    <span className="cb-live-dot" aria-hidden="true" /> Following
                </span>
                <button type="button" className="cb-button" onClick={props.onPause}>
                    Pause
                </button>
            </div>
        );
    const waiting = `${n(state.waiting)}${state.waitingMore ? " or more" : ""} new`;
    return (
        <div className="cb-log-bar cb-log-bar-paused">
            <span>{BECAUSE[why]}</span>
            <span className="cb-log-waiting">{waiting}</span>
            <button type="button" className="cb-button" onClick={props.onFollow}>
                Follow again
            </button>
        </div>
    );
}

export interface LinesProps {
    scope: Scope;
    filters: LogFilters;
    columns: readonly string[];
    wrap: boolean;
    showComponent: boolean;
    details: (row: LogRow, close: () => void) => ReactNode;
    onLogs: (logs: readonly LogEntry[]) => void; // what is loaded, for the export
}

export function LiveLines(props: LinesProps) {
    const { scope, filters, columns, onLogs } = props;
    const tail = useTail(scope, filters, columns.length > 0 || filters.without.length > 0);
    const state = useTailState(tail);
    const [why, setWhy] = useState<Why>("button");
    const [opened, setOpened] = useState<LogRow["key"]>();
    const [, setAt] = useParam("at");
    const rows = useMemo(
        () => (filtersHere(filters) ? state.rows.filter((row) => isShown(row.log, filters)) : state.rows),
        [state.rows, filters],
    );
    useEffect(() => onLogs(rows.map((row) => row.log)), [rows, onLogs]);
    const pause = useCallback(
        (because: Why) => {
            if (!tail.snapshot().paused) setWhy(because);
            tail.pause();
        },
        [tail],
    );
    const follow = () => {
        setOpened(undefined);
        setAt(undefined, "replace");
        tail.follow();
    };
    const open = (row: LogRow | undefined) => {
        setOpened(row?.key);
        setAt(row?.log.timestamp, "replace");
        if (row) pause("open");
    };
    const refused =
        state.failure instanceof ApiError && state.failure.status >= 400 && state.failure.status < 500;
    if (refused) return <ErrorNotice error={state.failure as ApiError} again={() => tail.start()} />;
    return (
        <div className="cb-log-live">
            <Notes state={state} />
            <div role="log" aria-live="off" aria-label="Log lines as they arrive">
                <LogRows
                    label="Log lines, the newest at the end"
                    rows={rows}
                    total={-1}
                    columns={columns}
                    wrap={props.wrap}
                    showComponent={props.showComponent}
                    opened={opened}
                    onOpen={open}
                    details={(row) => props.details(row, () => open(undefined))}
                    follow={!state.paused}
                    onScrolledAway={() => pause("scroll")}
                    onScrolledToEnd={() => why === "scroll" && opened === undefined && follow()}
                    footer={
                        rows.length === 0 ? (
                            <p className="cb-log-quiet">
                                {state.begun
                                    ? "No line has arrived yet that matches. The newest come here as they arrive."
                                    : "Asking for the newest lines …"}
                            </p>
                        ) : null
                    }
                />
            </div>
            <Bar state={state} why={why} onPause={() => pause("button")} onFollow={follow} />
            <PoliteCount tail={tail} />
        </div>
    );
}
