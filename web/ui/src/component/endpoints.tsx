// Endpoints and their operations, by default those first that cost users most time.
import { useMemo } from "react";
import { useParam, useSetParams } from "../address";
import { formatChange, formatRate, formatSeconds, formatShare } from "../format";
import { ShareCell } from "../parts/share_bar";
import {
    errorHealth,
    FigureCell,
    formatShareChange,
    highestOf,
    latencyHealth,
    shares,
} from "../parts/component_table";
import { wasThere } from "../components";
import { Name } from "../parts/marks";
import { DataTable, sortOf, sortText, type Column } from "../parts/table";
import type { ComponentPage, Figures } from "./page_data";

export interface OperationRow extends Figures {
    key: string;
    endpoint: string;
    operation?: string; // absent: the endpoint has none in this time
    kind?: "server" | "consumer";
    declared: boolean;
    previous?: Figures; // absent: it says nothing
    spark?: ComponentPage["endpoints"][number]["spark"];
    timeShare: number | null; // of the time that all requests took
}

const spent = (figures: Figures) => figures.requestCount * (figures.latency?.mean ?? 0);

// "compare": whether the figures of before say something.
export function operationRows(endpoints: ComponentPage["endpoints"], compare = true): OperationRow[] {
    const rows = endpoints.flatMap(({ operations, endpoint, declared, ...own }): OperationRow[] => {
        const row = { key: endpoint, endpoint, declared, timeShare: null };
        if (operations.length === 0)
            return [{ ...own, ...row, previous: compare ? own.previous : undefined }];
        return operations.map((operation) => ({
            ...operation,
            ...row,
            key: `${endpoint}\u0000${operation.operation}`,
            previous: compare ? operation.previous : undefined,
        }));
    });
    const all = rows.reduce((sum, row) => sum + spent(row), 0);
    return rows.map((row) => ({ ...row, timeShare: all > 0 ? spent(row) / all : null }));
}

function columns(rows: readonly OperationRow[]): Column<OperationRow>[] {
    const highest = Math.max(0.05, ...rows.map((row) => highestOf(shares(row.spark))));
    return [
        {
            id: "operation",
            title: "Operation",
            width: "minmax(9rem, 2fr)",
            sortBy: (row) => row.operation ?? row.endpoint,
            cell: (row) =>
                row.operation === undefined ? (
                    <span className="cb-quiet">no requests</span>
                ) : (
                    <Name text={row.operation} />
                ),
        },
        {
            id: "endpoint",
            title: "Endpoint",
            width: "minmax(5rem, 1fr)",
            hiddenBelow: 700,
            sortBy: (row) => row.endpoint,
            cell: (row) => (
                <>
                    <Name text={row.endpoint} />
                    {row.declared ? null : <span className="cb-quiet"> not declared</span>}
                </>
            ),
        },
        {
            id: "rate",
            title: "Requests",
            width: "14rem",
            hiddenBelow: 900,
            sortBy: (row) => row.requestRate,
            cell: (row) => (
                <FigureCell
                    name="requests"
                    value={formatRate(row.requestRate)}
                    change={formatChange(row.requestRate, row.previous?.requestRate)}
                    spark={row.spark?.requestRate}
                />
            ),
        },
        {
            id: "errors",
            title: "Errors",
            width: "minmax(4.5rem, 14rem)",
            sortBy: (row) => row.errorRatio,
            cell: (row) => (
                <FigureCell
                    name="errors"
                    value={formatShare(row.errorRatio)}
                    change={formatShareChange(row.errorRatio, row.previous?.errorRatio)}
                    health={errorHealth(row)}
                    spark={shares(row.spark)}
                    max={highest}
                    line="error"
                />
            ),
        },
        {
            id: "p50",
            title: "p50",
            width: "5rem",
            hiddenBelow: 700,
            sortBy: (row) => row.latency?.p50,
            cell: (row) => formatSeconds(row.latency?.p50),
        },
        {
            id: "p99",
            title: "p99",
            width: "minmax(5rem, 14rem)",
            sortBy: (row) => row.latency?.p99,
            cell: (row) => (
                <FigureCell
                    name="p99"
                    value={formatSeconds(row.latency?.p99)}
                    change={formatChange(row.latency?.p99, row.previous?.latency?.p99)}
                    health={latencyHealth(row)}
                    spark={row.spark?.p99}
                    line="p99"
                />
            ),
        },
        {
            id: "time",
            title: "Share of time",
            width: "9rem",
            hiddenBelow: 560,
            sortBy: (row) => row.timeShare,
            cell: (row) =>
                row.timeShare === null ? (
                    <span className="cb-quiet">–</span>
                ) : (
                    <ShareCell share={row.timeShare} text={formatShare(row.timeShare)} />
                ),
        },
    ];
}

const MOST_TIME = { column: "time", descending: true };

// A row filters the charts; once more, and all are shown.
export function Endpoints({ page }: { page: ComponentPage }) {
    const rows = useMemo(
        () => operationRows(page.endpoints, wasThere(page.component.firstSeen, page.window)),
        [page],
    );
    const shown = useMemo(() => columns(rows), [rows]);
    const set = useSetParams();
    const [sort] = useParam("sort");
    const [endpoint] = useParam("endpoint");
    const [operation] = useParam("operation");
    const selected = rows.find((row) => row.endpoint === endpoint && row.operation === operation)?.key;
    if (rows.length === 0)
        return <p className="cb-quiet">No requests in this time, and no endpoint is declared.</p>;
    return (
        <DataTable
            label="Operations"
            rows={rows}
            columns={shown}
            keyOf={(row) => row.key}
            sort={sortOf(sort, MOST_TIME)}
            onSort={(next) => set({ sort: sortText(next) })}
            selected={selected}
            height={rows.length > 60 ? "30rem" : undefined}
            onOpen={(row) =>
                set(
                    row.key === selected
                        ? { endpoint: undefined, operation: undefined }
                        : { endpoint: row.endpoint, operation: row.operation },
                )
            }
        />
    );
}
