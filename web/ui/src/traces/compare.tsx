// Two marked traces side by side: which spans differ in number and time.
import { useMemo } from "react";
import type { Asked } from "../ask";
import { formatSeconds, shownName } from "../format";
import { Name, PageLink, Time } from "../parts/marks";
import { DataTable, type Column } from "../parts/table";
import { Answer, Notice } from "../states";
import { arrange } from "../trace/arrange";
import { useTrace, type ReadTrace } from "../trace/ask_trace";
import { differences, type Difference } from "./differences";

function signed(ns: number): string {
    if (ns === 0) return "same";
    return (ns > 0 ? "+" : "−") + formatSeconds(Math.abs(ns) / 1e9);
}

function Count(props: { row: Difference; side: 0 | 1 }) {
    const count = props.row.counts[props.side];
    const failed = props.row.failed[props.side];
    return (
        <>
            {count === 0 ? <span className="cb-quiet">none</span> : count}
            {failed > 0 ? <span className="cb-text-bad"> ! {failed}</span> : null}
        </>
    );
}

const COLUMNS: Column<Difference>[] = [
    {
        id: "name",
        title: "Component and span",
        width: "minmax(9rem, 3fr)",
        cell: (row) => (
            <>
                <b>{shownName(row.component)}</b> <Name text={row.name} />
            </>
        ),
    },
    { id: "a", title: "Spans A", width: "5rem", align: "end", cell: (row) => <Count row={row} side={0} /> },
    { id: "b", title: "Spans B", width: "5rem", align: "end", cell: (row) => <Count row={row} side={1} /> },
    {
        id: "selfA",
        title: "Self time A",
        width: "6rem",
        align: "end",
        hiddenBelow: 620,
        cell: (row) => formatSeconds(row.self[0] / 1e9),
    },
    {
        id: "selfB",
        title: "Self time B",
        width: "6rem",
        align: "end",
        hiddenBelow: 620,
        cell: (row) => formatSeconds(row.self[1] / 1e9),
    },
    {
        id: "change",
        title: "B − A",
        width: "6.5rem",
        align: "end",
        cell: (row) => <b>{signed(row.self[1] - row.self[0])}</b>,
    },
];

function Head(props: { letter: string; trace: ReadTrace; namespace: string | undefined }) {
    const { found } = props.trace;
    const { summary } = found;
    return (
        <p>
            <b>{props.letter}</b>{" "}
            <PageLink page="trace" params={{ ns: props.namespace, id: found.traceId }}>
                <Time at={summary.startTime} ms />
            </PageLink>{" "}
            {shownName(summary.root.component ?? "")} <Name text={summary.root.spanName} />,{" "}
            {formatSeconds(summary.durationNs / 1e9)}, {summary.spanCount} spans
            {summary.errorCount > 0 ? (
                <span className="cb-text-bad">, ! {summary.errorCount} failed</span>
            ) : null}
        </p>
    );
}

function Table(props: { traces: [ReadTrace, ReadTrace]; namespace: string | undefined }) {
    const [first, second] = props.traces;
    const rows = useMemo(
        () => differences(arrange(first.spans).nodes, arrange(second.spans).nodes),
        [first, second],
    );
    const partial = props.traces.some((trace) => trace.found.omitted.spans > 0);
    return (
        <>
            <Head letter="A" trace={first} namespace={props.namespace} />
            <Head letter="B" trace={second} namespace={props.namespace} />
            {partial ? (
                <Notice kind="note" title="Only the 10,000 most important spans of each are compared." />
            ) : null}
            <DataTable
                label="Spans that differ"
                rows={rows}
                columns={COLUMNS}
                keyOf={(row) => row.key}
                height="28rem"
            />
        </>
    );
}

export function Compare(props: { ids: readonly [string, string]; namespace: string | undefined }) {
    const first = useTrace(props.ids[0], props.namespace);
    const second = useTrace(props.ids[1], props.namespace);
    const waiting: Asked<ReadTrace> = first.data ? second : first;
    return (
        <Answer asked={waiting} height={240} rows={4}>
            {() =>
                first.data && second.data ? (
                    <Table traces={[first.data, second.data]} namespace={props.namespace} />
                ) : null
            }
        </Answer>
    );
}
