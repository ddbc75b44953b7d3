// The lines of a search: pages by scrolling, one opened, or why there are none.
import { useCallback, useEffect, useMemo, type ReactNode } from "react";
import { useParam, useSetParams } from "../address";
import type { Asked } from "../ask";
import type { Schemas } from "../client";
import { useAsk } from "../ask";
import { formatTime } from "../format";
import { usePlace } from "../host";
import type { Scope } from "../scope";
import { Answer, Empty, Notice } from "../states";
import { rfc3339, type TimeRange } from "../time";
import {
    filterParams,
    filtersHere,
    isShown,
    nanosecondWindow,
    searchScope,
    type LogEntry,
    type LogFilters,
} from "./filters";
import type { LinesProps } from "./live";
import { LogRows, type LogRow } from "./rows";
import { PAGE_LINES, usePatterns, type LogOrder, type useLogPages } from "./search";

// The timestamp names a record; what still has the same is numbered.
export function rowsOf(logs: readonly LogEntry[]): LogRow[] {
    let before = "";
    let same = 0;
    return logs.map((log) => {
        same = log.timestamp === before ? same + 1 : 0;
        before = log.timestamp;
        return { key: same > 0 ? `${log.timestamp}~${same}` : log.timestamp, log };
    });
}

// Why nothing was found, and what to do.
export function NothingFound(props: { empty: Schemas["Empty"] | undefined; range: TimeRange }) {
    const { empty, range } = props;
    const { params } = usePlace();
    const set = useSetParams();
    const filters = filterParams(params);
    const lastSeen = empty?.lastSeen ? Date.parse(empty.lastSeen) : undefined;
    const length = range.end.getTime() - range.start.getTime();
    const window = `${formatTime(range.start)} to ${formatTime(range.end)}`;
    return (
        <Empty
            what={`No log lines${filters.length > 0 ? " that match" : ""}, ${window}`}
            why={empty?.message}
            next={
                <>
                    {filters.length > 0 ? (
                        <button
                            type="button"
                            className="cb-button"
                            onClick={() => set(Object.fromEntries(filters.map((name) => [name, undefined])))}
                        >
                            Drop the filters
                        </button>
                    ) : null}{" "}
                    {lastSeen !== undefined && lastSeen < range.start.getTime() ? (
                        <button
                            type="button"
                            className="cb-button"
                            onClick={() =>
                                set({ from: rfc3339(lastSeen - length), to: rfc3339(lastSeen + 1000) })
                            }
                        >
                            Show the time before {formatTime(lastSeen)}, when it was last seen
                        </button>
                    ) : null}
                </>
            }
        />
    );
}

function WhyNothing(props: { scope: Scope; range: TimeRange; filters: LogFilters }) {
    const asked = usePatterns(props.scope, props.range, props.filters);
    if (asked.data === undefined && !asked.error) return null;
    return <NothingFound empty={asked.data?.empty} range={props.range} />;
}

// A record that a link names and that is not among the lines.
function LinkedRecord(props: { scope: Scope; at: string; details: LinesProps["details"] }) {
    const { scope, at } = props;
    const [, setAt] = useParam("at");
    const timestamp = at.split("~")[0]!;
    const valid = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(timestamp);
    const body = {
        ...nanosecondWindow(valid ? timestamp : "1970-01-01T00:00:00Z"),
        searchScope: searchScope(scope),
        limit: 100,
        includeAttributes: true,
    };
    const asked = useAsk(
        ["log record", body],
        (client, signal) => client.POST("/api/v1/logs/query", { body, signal }),
        { enabled: valid, keep: false },
    );
    if (valid && !asked.data) return null;
    const log = asked.data?.logs.find((one) => one.timestamp === timestamp);
    const close = () => setAt(undefined, "replace");
    return (
        <Notice kind="note" title={log ? "The line of the link" : "The line of the link was not found"}>
            {log ? (
                props.details({ key: at, log }, close)
            ) : (
                <button type="button" className="cb-button" onClick={close}>
                    Close
                </button>
            )}
        </Notice>
    );
}

const AUTO_PAGES = 20;
const ENOUGH_ROWS = 40;

export function FoundLines(
    props: LinesProps & {
        range: TimeRange;
        order: LogOrder;
        pages: ReturnType<typeof useLogPages>;
        head: (shown: number) => ReactNode;
    },
) {
    const { pages, filters, range, scope, onLogs } = props;
    const [at, setAt] = useParam("at");
    const all = useMemo(() => pages.data?.pages.flatMap((page) => page.logs) ?? [], [pages.data]);
    const rows = useMemo(
        () => rowsOf(filtersHere(filters) ? all.filter((log) => isShown(log, filters)) : all),
        [all, filters],
    );
    useEffect(() => onLogs(rows.map((row) => row.log)), [rows, onLogs]);
    const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
    const count = pages.data?.pages.length ?? 0;
    const stuck = filtersHere(filters) && count >= AUTO_PAGES && rows.length < ENOUGH_ROWS;
    const busy = pages.isFetching;
    const onEnd = useCallback(() => {
        if (hasNextPage && !busy && !stuck && count > 0) void fetchNextPage();
    }, [hasNextPage, busy, stuck, fetchNextPage, count]);
    const first = pages.data?.pages[0];
    const linked = at !== undefined && first !== undefined && !rows.some((row) => row.key === at);
    const total = hasNextPage ? -1 : rows.length;
    const footer = isFetchingNextPage ? (
        <p className="cb-log-quiet">Reading more lines …</p>
    ) : stuck && hasNextPage ? (
        <p className="cb-log-quiet">
            {all.length.toLocaleString("en")} lines were read, {rows.length} are shown.{" "}
            <button type="button" className="cb-button" onClick={() => void fetchNextPage()}>
                Read {PAGE_LINES} more
            </button>
        </p>
    ) : !hasNextPage && rows.length === 0 ? (
        <p className="cb-log-quiet">
            {all.length.toLocaleString("en")} lines were read, and the filters leave out all of them.
        </p>
    ) : !hasNextPage ? (
        <p className="cb-log-quiet">
            {props.order === "desc" ? "No earlier lines in this time." : "No later lines in this time."}
        </p>
    ) : null;
    return (
        <Answer asked={pages as unknown as Asked<unknown>} height={420} rows={14}>
            {() =>
                first!.logs.length === 0 ? (
                    <WhyNothing scope={scope} range={range} filters={filters} />
                ) : (
                    <>
                        {props.head(rows.length)}
                        {linked ? <LinkedRecord scope={scope} at={at} details={props.details} /> : null}
                        <LogRows
                            label={`Log lines, ${props.order === "desc" ? "newest" : "oldest"} first`}
                            rows={rows}
                            total={total}
                            columns={props.columns}
                            wrap={props.wrap}
                            showComponent={props.showComponent}
                            opened={at}
                            onOpen={(row) => setAt(row ? String(row.key) : undefined, "replace")}
                            details={(row) => props.details(row, () => setAt(undefined, "replace"))}
                            onEnd={onEnd}
                            footer={footer}
                        />
                    </>
                )
            }
        </Answer>
    );
}
