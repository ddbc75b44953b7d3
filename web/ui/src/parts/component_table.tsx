// Components with their figures, as the overview and the project show them.
import { useMemo, type ReactNode } from "react";
import { Sparkline, type SparklineProps } from "../charts/sparkline";
import type { ComponentRow } from "../components";
import { formatChange, formatCount, formatRate, formatSeconds, formatShare, shownName } from "../format";
import { HEALTH_ORDER, healthOf, type Health } from "../health";
import { useHost, usePlace } from "../host";
import { keptParams, withParams } from "../address";
import { HealthMark, Name, PageLink, Time } from "./marks";
import { DataTable, type Column, type Sort } from "./table";

export const WORST_FIRST: Sort = { column: "health", descending: true };

// Below this width the mark stands beside the name (also in component_table.css).
const NARROW = 560;

// What leads to the page of a component.
export function componentParams(row: {
    namespace: string;
    project: string;
    component: string;
    environment?: string;
}) {
    return { ns: row.namespace, project: row.project, component: row.component, env: row.environment };
}

// Errors as "was 0.1 %"; nothing where it is nearly the same.
export function formatShareChange(now?: number | null, before?: number | null): string {
    if (now == null || before == null || Math.abs(now - before) < 0.001) return "";
    return `was ${formatShare(before)}`;
}

export function errorHealth(figures: { requestCount: number; errorRatio?: number | null }): Health {
    return healthOf({
        requests: figures.requestCount,
        errorRatio: figures.errorRatio,
        previousRequests: 0,
    });
}

interface WithBefore {
    requestCount: number;
    latency?: { p99?: number | null } | null;
    previous?: { latency?: { p99?: number | null } | null };
}

export function latencyHealth(figures: WithBefore): Health {
    return healthOf({
        requests: figures.requestCount,
        p99: figures.latency?.p99,
        previousRequests: 0,
        previousP99: figures.previous?.latency?.p99,
    });
}

// The larger the worse: by health, then by the share of failed requests.
export function severity(row: ComponentRow): number {
    const rank = HEALTH_ORDER.length - HEALTH_ORDER.indexOf(row.health);
    return rank * 10 + 9 * (row.errorRatio ?? 0);
}

// Failed requests as a share of all, step by step.
export function shares(spark: ComponentRow["spark"]): (number | null)[] | undefined {
    return spark?.errorRate.map((errors, i) => {
        const requests = spark.requestRate[i];
        if (requests == null) return null;
        return requests > 0 ? Math.min(1, (errors ?? 0) / requests) : 0;
    });
}

export function highestOf(values: readonly (number | null)[] | undefined): number {
    return Math.max(0, ...(values ?? []).map(Number));
}

// A figure, how it was before, and its line.
export function FigureCell(props: {
    value: string;
    health?: Health;
    change?: string;
    spark?: readonly (number | null)[];
    line?: SparklineProps["role"];
    max?: number;
    name: string;
}) {
    const judged = props.health === "bad" || props.health === "warning";
    return (
        <span className="cb-figure-cell">
            {props.spark ? (
                <Sparkline
                    values={props.spark}
                    role={props.line}
                    max={props.max}
                    label={`${props.name} over time`}
                    width={64}
                />
            ) : (
                <span />
            )}
            <span className={"cb-figure-now" + (judged ? ` cb-text-${props.health} cb-strong` : "")}>
                {props.value}
            </span>
            <span className="cb-figure-before">{props.change}</span>
        </span>
    );
}

// A cell that leads to a section of the component's page. Links of a row are not
// in the order of Tab: Enter on the row opens the page.
function ToSection(props: { row: ComponentRow; section: string; children: ReactNode }) {
    return (
        <PageLink
            page="component"
            params={componentParams(props.row)}
            section={props.section}
            className="cb-cell-link"
            tabIndex={-1}
        >
            {props.children}
        </PageLink>
    );
}

function LastChange({ row }: { row: ComponentRow }) {
    if (!row.lastChange) return <span className="cb-quiet">–</span>;
    const { kind, to, timestamp } = row.lastChange;
    const text = kind === "version" && to ? to : kind.replace("-", " ");
    return (
        <ToSection row={row} section="changes">
            <Time at={timestamp} /> <span title={shownName(`${kind} ${to ?? ""}`)}>{shownName(text)}</span>
        </ToSection>
    );
}

const NAME: Column<ComponentRow> = {
    id: "component",
    title: "Component",
    width: "minmax(8rem, 2fr)",
    sortBy: (row) => row.component,
    cell: (row) => (
        <>
            <span className="cb-narrow-only">
                <HealthMark health={row.health} />{" "}
            </span>
            <PageLink page="component" params={componentParams(row)} tabIndex={-1}>
                <Name text={row.component} />
            </PageLink>
        </>
    ),
};

const HEALTH: Column<ComponentRow> = {
    id: "health",
    title: "Health",
    width: "5.5rem",
    hiddenBelow: NARROW,
    sortBy: severity,
    cell: (row) => (
        <span className={`cb-text-${row.health}`}>
            <HealthMark health={row.health} hidden /> {row.health}
        </span>
    ),
};

const PLACES: Record<"namespace" | "project" | "environment", Column<ComponentRow>> = {
    namespace: {
        id: "namespace",
        title: "Namespace",
        width: "minmax(5rem, 1fr)",
        hiddenBelow: 1000,
        sortBy: (row) => row.namespace,
        cell: (row) => <Name text={row.namespace} />,
    },
    project: {
        id: "project",
        title: "Project",
        width: "minmax(5rem, 1fr)",
        hiddenBelow: NARROW,
        sortBy: (row) => row.project,
        cell: (row) => (
            <PageLink
                page="project"
                params={{ ns: row.namespace, project: row.project, component: undefined }}
                className="cb-cell-link"
                tabIndex={-1}
            >
                <Name text={row.project} />
            </PageLink>
        ),
    },
    environment: {
        id: "environment",
        title: "Environment",
        width: "minmax(5rem, 1fr)",
        hiddenBelow: NARROW,
        sortBy: (row) => row.environment,
        cell: (row) => <Name text={row.environment ?? ""} />,
    },
};

// All lines of a column have one scale: its largest share of failed requests, its
// largest rate of log errors.
const figureColumns = (highest: number, mostLogErrors: number): Column<ComponentRow>[] => [
    {
        id: "rate",
        title: "Requests",
        width: "14rem",
        hiddenBelow: 760,
        sortBy: (row) => row.requestRate,
        cell: (row) => (
            <ToSection row={row} section="charts">
                <FigureCell
                    name="requests"
                    value={formatRate(row.requestRate)}
                    change={formatChange(row.requestRate, row.before?.requestRate)}
                    spark={row.spark?.requestRate}
                />
            </ToSection>
        ),
    },
    {
        id: "errors",
        title: "Errors",
        width: "minmax(4.5rem, 14rem)",
        sortBy: (row) => row.errorRatio,
        cell: (row) => (
            <ToSection row={row} section="errors">
                <FigureCell
                    name="errors"
                    value={formatShare(row.errorRatio)}
                    health={errorHealth(row)}
                    change={formatShareChange(row.errorRatio, row.before?.errorRatio)}
                    spark={shares(row.spark)}
                    max={highest}
                    line="error"
                />
            </ToSection>
        ),
    },
    {
        id: "p99",
        title: "p99",
        width: "minmax(5rem, 14rem)",
        sortBy: (row) => row.latency?.p99,
        cell: (row) => (
            <ToSection row={row} section="traces">
                <FigureCell
                    name="p99"
                    value={formatSeconds(row.latency?.p99)}
                    health={latencyHealth(row)}
                    change={formatChange(row.latency?.p99, row.before?.latency?.p99)}
                    spark={row.spark?.p99}
                    line="p99"
                />
            </ToSection>
        ),
    },
    {
        id: "logs",
        title: "Log errors",
        width: "minmax(5rem, 8.5rem)",
        hiddenBelow: 900,
        sortBy: (row) => row.logErrors,
        cell: (row) => (
            <ToSection row={row} section="logs">
                <FigureCell
                    name="log errors"
                    value={formatCount(row.logErrors)}
                    spark={row.spark?.logErrorRate}
                    max={mostLogErrors}
                    line="error"
                />
            </ToSection>
        ),
    },
    {
        id: "pods",
        title: "Pods",
        width: "3rem",
        align: "end",
        hiddenBelow: 1000,
        sortBy: (row) => row.pods,
        cell: (row) => (
            <ToSection row={row} section="pods">
                {formatCount(row.pods)}
            </ToSection>
        ),
    },
    {
        id: "change",
        title: "Last change",
        width: "minmax(7rem, 10rem)",
        hiddenBelow: 1100,
        sortBy: (row) => (row.lastChange ? Date.parse(row.lastChange.timestamp) : null),
        cell: (row) => <LastChange row={row} />,
    },
];

// A column only says something where its values differ.
function columnsFor(rows: readonly ComponentRow[]): Column<ComponentRow>[] {
    const differs = (of: (row: ComponentRow) => string | undefined) =>
        rows.some((row) => of(row) !== of(rows[0]!));
    return [
        HEALTH,
        NAME,
        ...(differs((row) => row.namespace) ? [PLACES.namespace] : []),
        ...(differs((row) => row.project) ? [PLACES.project] : []),
        ...(differs((row) => row.environment) ? [PLACES.environment] : []),
        ...figureColumns(
            Math.max(0.05, ...rows.map((row) => highestOf(shares(row.spark)))),
            Math.max(0.05, ...rows.map((row) => highestOf(row.spark?.logErrorRate))),
        ),
    ];
}

export interface ComponentTableProps {
    rows: readonly ComponentRow[];
    // Of which the columns are chosen: all rows, where those shown are filtered.
    of?: readonly ComponentRow[];
    label: string;
    sort: Sort;
    onSort: (sort: Sort) => void;
    onHover?: (row: ComponentRow | undefined) => void;
    selected?: string; // a row's key
    height?: string;
    empty?: ReactNode;
}

export function ComponentTable(props: ComponentTableProps) {
    const host = useHost();
    const place = usePlace();
    const { of, rows, ...rest } = props;
    const columns = useMemo(() => columnsFor(of ?? rows), [of, rows]);
    return (
        <DataTable
            {...rest}
            rows={rows}
            columns={columns}
            keyOf={(row) => row.key}
            onOpen={(row) => host.go("component", withParams(keptParams(place.params), componentParams(row)))}
        />
    );
}
