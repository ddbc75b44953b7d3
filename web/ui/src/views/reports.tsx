// The reports that are kept: of alerts, of agents, and of answers that a reader kept.
import { useAsk } from "../ask";
import { keptParams, useParam, useSetParams, withParams } from "../address";
import { shownName } from "../format";
import { reportText } from "../cause/report_parts";
import { useComponents } from "../components";
import { useHost, usePlace } from "../host";
import { ChooseScope } from "../parts/choose_scope";
import { Name, PageLink, Time } from "../parts/marks";
import { DataTable, sortOf, sortText, type Column } from "../parts/table";
import { Answer, Empty } from "../states";
import { useScope } from "../scope";
import { rfc3339, useTimeRange } from "../time";
import { environmentOf } from "../topology";

interface Report {
    alertId: string;
    reportId: string;
    timestamp: string;
    summary: string;
    status: string;
}

const COLUMNS: readonly Column<Report>[] = [
    {
        id: "time",
        title: "Time",
        width: "9rem",
        sortBy: (row) => Date.parse(row.timestamp),
        cell: (row) => <Time at={row.timestamp} />,
    },
    {
        id: "summary",
        title: "Answer",
        width: "minmax(12rem, 4fr)",
        sortBy: (row) => row.summary,
        cell: (row) => (
            <PageLink page="report" params={{ id: row.reportId }} tabIndex={-1}>
                <span title={reportText(row.summary)}>{reportText(row.summary) || "no answer"}</span>
            </PageLink>
        ),
    },
    {
        id: "alert",
        title: "Alert",
        width: "minmax(8rem, 1fr)",
        hiddenBelow: 760,
        sortBy: (row) => row.alertId,
        cell: (row) => <Name text={row.alertId} />,
    },
    {
        id: "status",
        title: "Status",
        width: "7rem",
        hiddenBelow: 480,
        sortBy: (row) => row.status,
        cell: (row) => (
            <span className={row.status === "failed" ? "cb-text-bad" : undefined}>{row.status}</span>
        ),
    },
];

const LONGEST_DAYS = 30;

export default function Reports() {
    const scope = useScope();
    const range = useTimeRange();
    const host = useHost();
    const place = usePlace();
    const set = useSetParams();
    const [sort, setSort] = useParam("sort");
    const known = useComponents(
        { namespace: scope.namespace, project: scope.project },
        range,
        scope.project !== undefined && scope.environment === undefined,
    );
    const environment = environmentOf(scope, known.rows);
    const query = {
        namespace: scope.namespace ?? "",
        project: scope.project ?? "",
        environment: environment ?? "",
        startTime: rfc3339(range.start),
        endTime: rfc3339(range.end),
        limit: 1000,
    };
    const asked = useAsk(
        ["reports", query],
        (client, signal) => client.GET("/api/v1/rca-agent/reports", { params: { query }, signal }),
        { enabled: query.namespace !== "" && query.project !== "" && query.environment !== "" },
    );
    if (!scope.namespace || !scope.project)
        return <ChooseScope of="project" what="No project is chosen." why="Reports are kept by project." />;
    if (!environment && known.asked.isSuccess)
        return (
            <Empty
                what={`Nothing is known of ${shownName(scope.project)} in this time, so no environment either.`}
                next={<PageLink page="overview">Choose one in the overview</PageLink>}
            />
        );
    const days = Math.round((range.end.getTime() - range.start.getTime()) / 86_400_000);
    return (
        <>
            <h1>
                Reports of <Name text={scope.project} />
                {environment ? (
                    <span className="cb-quiet">
                        {" / "}
                        <Name text={environment} />
                    </span>
                ) : null}
            </h1>
            <Answer
                asked={environment ? asked : (known.asked as unknown as typeof asked)}
                rows={6}
                height={220}
            >
                {({ reports }) =>
                    reports?.length === 0 ? (
                        <Empty
                            what="No reports in this time."
                            why="A report is kept by an alert, by an agent, or by the button on the page of the cause."
                            next={
                                <>
                                    {days < LONGEST_DAYS ? (
                                        <button
                                            type="button"
                                            className="cb-button"
                                            onClick={() =>
                                                set({ from: `now-${LONGEST_DAYS}d`, to: undefined })
                                            }
                                        >
                                            Look at the last {LONGEST_DAYS} days
                                        </button>
                                    ) : null}{" "}
                                    <PageLink page="cause" className="cb-button">
                                        Ask for the cause
                                    </PageLink>
                                </>
                            }
                        />
                    ) : (
                        <DataTable
                            label="Reports"
                            rows={reports ?? []}
                            columns={COLUMNS}
                            keyOf={(row) => row.reportId}
                            sort={sortOf(sort, { column: "time", descending: true })}
                            onSort={(next) => setSort(sortText(next), "replace")}
                            onOpen={(row) =>
                                host.go("report", withParams(keptParams(place.params), { id: row.reportId }))
                            }
                            height="36rem"
                        />
                    )
                }
            </Answer>
        </>
    );
}
