// Changes: a lane per component, the list below, and one opened beside it.
import { useEffect, useMemo, useState } from "react";
import { useParam, useSetParams } from "../address";
import { useAsk } from "../ask";
import type { Schemas } from "../client";
import { ChangeDetails } from "../changes/details";
import { changeKey, isWanted, kindWord, shapeOf, type Change, type ChangeFilters } from "../changes/kinds";
import { Lanes } from "../changes/lanes";
import { formatTime } from "../format";
import { usePlace } from "../host";
import { Name, Time } from "../parts/marks";
import { DataTable, sortOf, sortText, type Column } from "../parts/table";
import { useScope } from "../scope";
import { Answer, Empty } from "../states";
import { rfc3339, useTimeRange, type TimeRange } from "../time";

const LIMIT = 1000;
const BEFORE = 3600e3;
const NARROW = 480; // as in changes.css
const FIRST_SORT = { column: "time", descending: true };

const COLUMNS: Column<Change>[] = [
    {
        id: "time",
        title: "time",
        width: "8.5rem",
        cell: (row) => <Time at={row.timestamp} seconds />,
        sortBy: (row) => row.timestamp,
    },
    {
        id: "kind",
        title: "kind",
        width: "8.5rem",
        cell: (row) => (
            <span className={row.type === "Warning" ? "cb-text-warning" : undefined}>
                <span role="img" aria-label={row.type}>
                    {shapeOf(row)}
                </span>{" "}
                {kindWord(row.kind)}
            </span>
        ),
        sortBy: (row) => row.kind,
        hiddenBelow: 480,
    },
    {
        id: "component",
        title: "component",
        width: "minmax(6rem, 10rem)",
        cell: (row) => <Name text={row.component} />,
        sortBy: (row) => row.component,
        hiddenBelow: NARROW,
    },
    {
        id: "what",
        title: "what",
        width: "minmax(8rem, 1fr)",
        cell: (row) => (
            <>
                <span className="cb-change-component">
                    <Name text={row.component} />{" "}
                </span>
                <Name text={row.title} />
            </>
        ),
    },
    {
        id: "count",
        title: "times",
        width: "4rem",
        align: "end",
        cell: (row) => (row.count > 1 && row.kind !== "log-pattern" ? row.count : ""),
        sortBy: (row) => row.count,
        hiddenBelow: 700,
    },
];

function Filters(props: { changes: readonly Change[]; filters: ChangeFilters }) {
    const { filters } = props;
    const set = useSetParams();
    const [text, setText] = useState(filters.text);
    useEffect(() => setText(filters.text), [filters.text]);
    const counts = useMemo(() => {
        const found = new Map<string, number>();
        for (const { kind } of props.changes) found.set(kind, (found.get(kind) ?? 0) + 1);
        return [...found.entries()].sort((a, b) => a[0].localeCompare(b[0]));
    }, [props.changes]);
    const toggle = (kind: string) => {
        const kinds = filters.kinds.includes(kind)
            ? filters.kinds.filter((one) => one !== kind)
            : [...filters.kinds, kind];
        set({ kind: kinds.join(","), at: undefined });
    };
    return (
        <div className="cb-change-filters">
            <form
                role="search"
                onSubmit={(event) => {
                    event.preventDefault();
                    set({ q: text, at: undefined });
                }}
            >
                <input
                    type="search"
                    className="cb-input"
                    value={text}
                    placeholder="Component, version, commit, message"
                    aria-label="Search in changes"
                    onChange={(event) => {
                        setText(event.target.value);
                        set({ q: event.target.value, at: undefined }, "replace");
                    }}
                />
            </form>
            <div role="group" aria-label="Kinds" className="cb-change-kinds">
                <button
                    type="button"
                    className="cb-button"
                    aria-pressed={filters.warnings}
                    onClick={() => set({ type: filters.warnings ? undefined : "Warning", at: undefined })}
                >
                    ▲ warnings
                </button>
                {counts.map(([kind, count]) => (
                    <button
                        key={kind}
                        type="button"
                        className="cb-button"
                        aria-pressed={filters.kinds.includes(kind)}
                        onClick={() => toggle(kind)}
                    >
                        {kindWord(kind)} <small>{count}</small>
                    </button>
                ))}
            </div>
        </div>
    );
}

function NoChanges(props: { empty: Schemas["Empty"] | undefined; filtered: number; range: TimeRange }) {
    const { range, filtered } = props;
    const set = useSetParams();
    const window = `${formatTime(range.start)} to ${formatTime(range.end)}`;
    if (filtered > 0)
        return (
            <Empty
                what="No change matches the filters"
                why={`${filtered} changes are there without them, ${window}.`}
                next={
                    <button
                        type="button"
                        className="cb-button"
                        onClick={() => set({ kind: undefined, type: undefined, q: undefined })}
                    >
                        Drop the filters
                    </button>
                }
            />
        );
    return (
        <Empty
            what={`Nothing changed, ${window}`}
            why={
                "No new version, release or event, and no operation, call or pod came or went." +
                (props.empty && props.empty.reason !== "window" ? ` ${props.empty.message}.` : "")
            }
            next={
                <>
                    <button
                        type="button"
                        className="cb-button"
                        onClick={() => set({ from: rfc3339(range.start.getTime() - BEFORE) })}
                    >
                        Show the hour before as well
                    </button>{" "}
                    <button
                        type="button"
                        className="cb-button"
                        onClick={() => set({ from: "now-1d", to: undefined })}
                    >
                        Show the last day
                    </button>
                </>
            }
        />
    );
}

// What the answer does not have.
function Missing(props: { data: Schemas["ChangeList"] }) {
    const { data } = props;
    const notes = [
        data.total > data.changes.length
            ? `The newest ${data.changes.length} of ${data.total} changes are shown: choose a shorter time for the others.`
            : "",
        data.truncated && data.eventsFrom
            ? `There are more events than are read at once: those before ${formatTime(data.eventsFrom)} are missing.`
            : "",
        data.withheld && data.withheld.length > 0
            ? `Left out, as you may not see them: ${data.withheld.join(", ")}.`
            : "",
    ].filter((note) => note !== "");
    return notes.length > 0 ? <p className="cb-change-note">{notes.join(" ")}</p> : null;
}

function ChangesOf(props: { data: Schemas["ChangeList"]; range: TimeRange }) {
    const { data, range } = props;
    const { params } = usePlace();
    const [at, setAt] = useParam("at");
    const [sort, setSort] = useParam("sort");
    const filters = useMemo(
        (): ChangeFilters => ({
            kinds: (params.kind ?? "").split(",").filter((kind) => kind !== ""),
            warnings: params.type === "Warning",
            text: params.q ?? "",
        }),
        [params.kind, params.type, params.q],
    );
    const changes = useMemo(
        () => data.changes.filter((change) => isWanted(change, filters)),
        [data.changes, filters],
    );
    const opened = at === undefined ? undefined : data.changes.find((change) => changeKey(change) === at);
    const open = (change: Change) => setAt(changeKey(change) === at ? undefined : changeKey(change));
    return (
        <>
            {data.changes.length > 0 ? <Filters changes={data.changes} filters={filters} /> : null}
            {changes.length === 0 ? (
                <NoChanges empty={data.empty} filtered={data.changes.length} range={range} />
            ) : (
                <>
                    <Lanes
                        changes={changes}
                        from={range.start.getTime()}
                        to={range.end.getTime()}
                        selected={at}
                        onOpen={open}
                    />
                    <Missing data={data} />
                    <div className={opened ? "cb-split" : undefined}>
                        {opened ? (
                            <ChangeDetails key={at} change={opened} onClose={() => setAt(undefined)} />
                        ) : null}
                        <DataTable
                            label="Changes"
                            rows={changes}
                            columns={COLUMNS}
                            keyOf={changeKey}
                            sort={sortOf(sort, FIRST_SORT)}
                            onSort={(next) => setSort(sortText(next))}
                            onOpen={open}
                            selected={at}
                            height="70vh"
                        />
                    </div>
                </>
            )}
        </>
    );
}

export default function Changes() {
    const scope = useScope();
    const range = useTimeRange();
    const query = {
        namespace: scope.namespace,
        project: scope.project,
        component: scope.project ? scope.component : undefined,
        environment: scope.environment,
        startTime: rfc3339(range.start),
        endTime: rfc3339(range.end),
        limit: LIMIT,
    };
    const asked = useAsk(["changes", query], (client, signal) =>
        client.GET("/api/v1/changes", { params: { query }, signal }),
    );
    return (
        <div className="cb-changes-view">
            <Answer asked={asked} height={420} rows={8}>
                {(data) => <ChangesOf data={data} range={range} />}
            </Answer>
        </div>
    );
}
