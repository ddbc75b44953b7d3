// Equal traces as one row, the failed ones first; and those that took far longer
// than others of their operation.
import { useSetParams } from "../address";
import type { Schemas } from "../client";
import { formatCount, formatSeconds, formatShare, shownName } from "../format";
import { Name, PageLink, Time } from "../parts/marks";
import { DataTable, type Column } from "../parts/table";

type Summary = Schemas["FoundTraces"]["summary"];
type Group = Summary["groups"][number];
type Outlier = Summary["outliers"][number];

function Operation(props: { component?: string; name: string; onOperation: () => void }) {
    return (
        <button
            type="button"
            className="cb-text-button cb-traces-only"
            title="Only these"
            onClick={props.onOperation}
        >
            <b>{shownName(props.component ?? "")}</b> <Name text={props.name} />
        </button>
    );
}

function Failing({ group }: { group: Group }) {
    if (group.status !== "error") return <span className="cb-text-ok">● ok</span>;
    const { failing } = group;
    if (!failing)
        return (
            <span title="Where the failure began is read of a part of the traces">
                <span className="cb-text-bad">■ failed</span>{" "}
                <span className="cb-quiet">where was not read</span>
            </span>
        );
    const text = `${shownName(failing.component ?? "")} ${shownName(failing.spanName)}${failing.message ? ": " + shownName(failing.message) : ""}`;
    return (
        <span title={text}>
            <span className="cb-text-bad">■ failed</span> in <b>{shownName(failing.component ?? "")}</b>{" "}
            <bdi>{shownName(failing.spanName)}</bdi>
        </span>
    );
}

const groupColumns = (
    onOperation: (name: string) => void,
    namespace: string | undefined,
): Column<Group>[] => [
    {
        id: "name",
        title: "First component and operation",
        width: "minmax(6rem, 2fr)",
        cell: (group) => (
            <Operation
                component={group.rootComponent}
                name={group.rootSpanName}
                onOperation={() => onOperation(group.rootSpanName)}
            />
        ),
    },
    { id: "status", title: "Ended", width: "minmax(6rem, 2fr)", cell: (group) => <Failing group={group} /> },
    {
        id: "count",
        title: "Traces",
        width: "4rem",
        align: "end",
        cell: (group) => formatCount(group.count),
    },
    {
        id: "share",
        title: "Share",
        width: "4.5rem",
        align: "end",
        hiddenBelow: 560,
        cell: (group) => formatShare(group.percent / 100),
    },
    {
        id: "p50",
        title: "p50",
        width: "5rem",
        align: "end",
        hiddenBelow: 620,
        cell: (group) => formatSeconds(group.p50Ns / 1e9),
    },
    {
        id: "p99",
        title: "p99",
        width: "5rem",
        align: "end",
        hiddenBelow: 760,
        cell: (group) => formatSeconds(group.p99Ns / 1e9),
    },
    {
        id: "open",
        title: "Open",
        width: "8.5rem",
        hiddenBelow: 520,
        cell: (group) => (
            <>
                <PageLink page="trace" params={{ ns: namespace, id: group.exampleTraceId }}>
                    newest
                </PageLink>{" "}
                <PageLink page="trace" params={{ ns: namespace, id: group.slowestTraceId }}>
                    slowest
                </PageLink>
            </>
        ),
    },
];

function Outliers(props: { outliers: readonly Outlier[]; namespace: string | undefined }) {
    if (props.outliers.length === 0) return null;
    return (
        <div className="cb-traces-outliers">
            <h3>Far slower than others of their operation</h3>
            <ul>
                {props.outliers.map((outlier) => (
                    <li key={outlier.traceId}>
                        <PageLink page="trace" params={{ ns: props.namespace, id: outlier.traceId }}>
                            {formatSeconds(outlier.durationNs / 1e9)}
                        </PageLink>{" "}
                        <b>{shownName(outlier.rootComponent ?? "")}</b> <Name text={outlier.rootSpanName} />{" "}
                        <span className="cb-quiet">
                            {outlier.timesMedian.toFixed(0)} times the median (
                            {formatSeconds(outlier.medianNs / 1e9)} of {formatCount(outlier.ofTraces)}{" "}
                            traces), <Time at={outlier.startTime} seconds />
                        </span>
                    </li>
                ))}
            </ul>
        </div>
    );
}

export function Groups(props: { found: Schemas["FoundTraces"]; namespace: string | undefined }) {
    const set = useSetParams();
    const { summary } = props.found;
    if (summary.groups.length === 0) return null;
    return (
        <>
            <DataTable
                label="Groups of equal traces"
                rows={summary.groups}
                columns={groupColumns((name) => set({ op: name }), props.namespace)}
                keyOf={(group) =>
                    `${group.rootComponent}/${group.rootSpanName}/${group.status}/${group.exampleTraceId}`
                }
            />
            <p className="cb-quiet">
                {summary.examined < summary.total || summary.totalIsLowerBound ? (
                    <>
                        Of the newest {formatCount(summary.examined)} traces
                        {summary.examinedFrom ? (
                            <>
                                , since <Time at={summary.examinedFrom} seconds />
                            </>
                        ) : null}
                        .{" "}
                    </>
                ) : null}
                {summary.failedExamined < summary.failed
                    ? `Where they failed was read of ${formatCount(summary.failedExamined)} of ${formatCount(summary.failed)} failed traces. `
                    : ""}
                {summary.groupCount > summary.groups.length
                    ? `${summary.groupCount - summary.groups.length} more groups.`
                    : ""}
            </p>
            <Outliers outliers={summary.outliers} namespace={props.namespace} />
        </>
    );
}
