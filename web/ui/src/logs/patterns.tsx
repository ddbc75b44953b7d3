// Log lines by pattern: what is constant in them, how often, new or more than before.
import { useMemo, type ReactNode } from "react";
import { useParam } from "../address";

import { formatChange, formatCount, formatShare } from "../format";
import { Level, Name, PageLink, Time } from "../parts/marks";
import { DataTable, sortOf, sortText, type Column } from "../parts/table";
import type { Schemas } from "../client";
import type { Scope } from "../scope";
import { Answer, Empty } from "../states";
import type { TimeRange } from "../time";
import type { LogFilters } from "./filters";
import { Template } from "./template";
import { usePatterns } from "./search";

type Pattern = Schemas["LogPattern"];

// The longest constant text of a pattern: what to search for to find its lines.
export function searchTextOf(template: string): string {
    return template
        .split("<*>")
        .map((part) => part.trim())
        .reduce((a, b) => (b.length > a.length ? b : a), "");
}

function Where(props: { pattern: Pattern }) {
    const { components, componentCount } = props.pattern;
    const others = componentCount - 1;
    const first = components[0];
    if (!first) return null;
    return (
        <span title={components.map((one) => `${one.component} ${Math.round(one.count)}`).join(", ")}>
            <Name text={first.component} />
            {others > 0 ? ` and ${others} more` : null}
        </span>
    );
}

const COLUMNS: Column<Pattern>[] = [
    {
        id: "level",
        title: "level",
        width: "4.5rem",
        cell: (row) => <Level level={row.level} />,
        sortBy: (row) => ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"].indexOf(row.level),
    },
    {
        id: "count",
        title: "lines",
        width: "5rem",
        align: "end",
        cell: (row) => formatCount(row.count),
        sortBy: (row) => row.count,
    },
    {
        id: "share",
        title: "share",
        width: "5rem",
        align: "end",
        cell: (row) => formatShare(row.share),
        sortBy: (row) => row.share,
        hiddenBelow: 760,
    },
    {
        id: "before",
        title: "before",
        width: "6rem",
        align: "end",
        cell: (row) =>
            row.new ? <strong className="cb-log-new">new</strong> : formatChange(row.count, row.countBefore),
        sortBy: (row) => (row.new ? Infinity : row.count / Math.max(row.countBefore, 1e-9)),
        hiddenBelow: 560,
    },
    {
        id: "pattern",
        title: "pattern",
        width: "minmax(8rem, 1fr)",
        cell: (row) => <Template template={row.template} />,
        sortBy: (row) => row.template,
    },
    {
        id: "component",
        title: "component",
        width: "10rem",
        cell: (row) => <Where pattern={row} />,
        sortBy: (row) => row.components[0]?.component,
        hiddenBelow: 900,
    },
    {
        id: "last",
        title: "last",
        width: "7rem",
        cell: (row) => <Time at={row.lastSeen} seconds />,
        sortBy: (row) => row.lastSeen,
        hiddenBelow: 1000,
    },
    {
        id: "lines",
        title: "",
        width: "4rem",
        cell: (row) => (
            <PageLink page="logs" params={{ q: searchTextOf(row.template), level: levelOf(row) }}>
                lines
            </PageLink>
        ),
    },
];

const levelOf = (row: Pattern) => (row.level === "FATAL" ? "ERROR" : row.level);
const FIRST_SORT = { column: "count", descending: true };

export function Patterns(props: {
    scope: Scope;
    range: TimeRange;
    filters: LogFilters;
    empty: (answer: Schemas["Empty"] | undefined) => ReactNode;
}) {
    const asked = usePatterns(props.scope, props.range, props.filters);
    const [sort, setSort] = useParam("sort");
    const order = useMemo(() => sortOf(sort, FIRST_SORT), [sort]);
    return (
        <Answer asked={asked} height={320} rows={8}>
            {(data) =>
                data.patterns.length === 0 ? (
                    (props.empty(data.empty) ?? <Empty what="No patterns" />)
                ) : (
                    <>
                        <p className="cb-log-count">
                            {formatCount(data.patternCount)} patterns of {formatCount(data.examined)} lines
                            {data.truncated ? `, the newest of ${formatCount(data.total)}` : ""}
                            {data.patternCount > data.patterns.length
                                ? `; the ${data.patterns.length} with the most lines are shown`
                                : ""}
                        </p>
                        <DataTable
                            label="Patterns of log lines"
                            rows={data.patterns}
                            columns={COLUMNS}
                            keyOf={(row) => row.templateId + row.level}
                            sort={order}
                            onSort={(next) => setSort(sortText(next))}
                            height="70vh"
                        />
                    </>
                )
            }
        </Answer>
    );
}
