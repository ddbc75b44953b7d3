// Traces as rows. Two that are marked can be compared.
import { useMemo } from "react";
import { formatCount, formatSeconds, shownName } from "../format";
import { ShareCell } from "../parts/share_bar";
import { Name, PageLink, Time } from "../parts/marks";
import { DataTable, type Column } from "../parts/table";
import type { FoundTrace } from "./ask_traces";

function columnsOf(
    longest: number,
    marked: readonly string[],
    onMark: (id: string, on: boolean) => void,
    namespace: string | undefined,
): Column<FoundTrace>[] {
    return [
        {
            id: "mark",
            title: "",
            width: "1.5rem",
            cell: (trace) => (
                <input
                    type="checkbox"
                    aria-label={`Mark the trace ${trace.id} to compare it`}
                    checked={marked.includes(trace.id)}
                    onChange={(event) => onMark(trace.id, event.target.checked)}
                />
            ),
        },
        {
            id: "time",
            title: "Start",
            width: "6.6rem",
            sortBy: (trace) => trace.at,
            cell: (trace) => (
                <PageLink page="trace" params={{ ns: namespace, id: trace.id }}>
                    <Time at={trace.start} ms />
                </PageLink>
            ),
        },
        {
            id: "status",
            title: "",
            width: "1rem",
            cell: (trace) => (
                <span
                    role="img"
                    aria-label={trace.failed ? "failed" : "ok"}
                    title={trace.failed ? "failed" : "ok"}
                    className={trace.failed ? "cb-text-bad" : "cb-text-ok"}
                >
                    {trace.failed ? "■" : "●"}
                </span>
            ),
        },
        {
            id: "name",
            title: "First component and operation",
            width: "minmax(5rem, 3fr)",
            cell: (trace) => (
                <>
                    <b>{shownName(trace.component)}</b> <Name text={trace.name} />
                </>
            ),
        },
        {
            id: "spans",
            title: "Spans",
            width: "4rem",
            align: "end",
            hiddenBelow: 640,
            cell: (trace) => formatCount(trace.spans),
        },
        {
            id: "duration",
            title: "Duration",
            width: "minmax(4.5rem, 14rem)",
            align: "end",
            sortBy: (trace) => trace.duration,
            cell: (trace) => (
                <ShareCell share={trace.duration / longest} text={formatSeconds(trace.duration)} />
            ),
        },
    ];
}

export function TraceList(props: {
    traces: readonly FoundTrace[];
    sort: "time" | "duration";
    marked: readonly string[];
    namespace: string | undefined;
    onSort: (sort: "time" | "duration") => void;
    onMark: (id: string, on: boolean) => void;
    onOpen: (trace: FoundTrace) => void;
}) {
    const { traces, marked, onMark, namespace } = props;
    const longest = useMemo(
        () => traces.reduce((max, trace) => Math.max(max, trace.duration), 1e-9),
        [traces],
    );
    const columns = useMemo(
        () => columnsOf(longest, marked, onMark, namespace),
        [longest, marked, onMark, namespace],
    );
    return (
        <DataTable
            label="Traces"
            rows={traces}
            columns={columns}
            keyOf={(trace) => trace.id}
            sort={{ column: props.sort, descending: true }}
            onSort={(sort) => props.onSort(sort.column === "duration" ? "duration" : "time")}
            onOpen={props.onOpen}
            height="32rem"
            empty={<p className="cb-quiet cb-traces-none">No trace is here.</p>}
        />
    );
}
