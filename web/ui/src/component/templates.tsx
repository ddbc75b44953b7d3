// What its log says: lines that differ only in numbers and names are one.
import { useState } from "react";
import { formatCount, shownName } from "../format";
import { wasThere } from "../components";
import { Level, PageLink, Time } from "../parts/marks";
import { DataTable, type Column, type Sort } from "../parts/table";
import type { ComponentPage } from "./page_data";

type Template = NonNullable<ComponentPage["logTemplates"]>[number];

const WEIGHT: Record<string, number> = { FATAL: 4, ERROR: 3, WARN: 2, INFO: 1, DEBUG: 0 };
const FIRST = 8;

// New ones first, then the gravest, then those that come most often.
export function orderTemplates(templates: readonly Template[]): Template[] {
    const weight = (level: string) => WEIGHT[level] ?? 0;
    return [...templates].sort(
        (a, b) =>
            Number(b.new && weight(b.level) > 1) - Number(a.new && weight(a.level) > 1) ||
            weight(b.level) - weight(a.level) ||
            Number(b.new) - Number(a.new) ||
            b.count - a.count,
    );
}

// The longest part of a template that stands in each of its lines.
function phraseOf(template: string): string {
    return template
        .split("<*>")
        .map((part) => part.trim())
        .reduce((longest, part) => (part.length > longest.length ? part : longest), "");
}

const COLUMNS: Column<Template>[] = [
    { id: "level", title: "Level", width: "4.5rem", cell: (row) => <Level level={row.level} /> },
    {
        id: "template",
        title: "Line",
        width: "minmax(10rem, 1fr)",
        cell: (row) => (
            <PageLink
                page="logs"
                params={{ q: phraseOf(row.template) }}
                className="cb-cell-link"
                tabIndex={-1}
            >
                <span className="cb-mono" title={shownName(row.template)}>
                    {shownName(row.template)}
                </span>
            </PageLink>
        ),
    },
    {
        id: "count",
        title: "Count",
        width: "5rem",
        align: "end",
        sortBy: (row) => row.count,
        cell: (row) => formatCount(row.count),
    },
    {
        id: "new",
        title: "",
        width: "3rem",
        cell: (row) => (row.new ? <strong className="cb-tag cb-text-warning">new</strong> : null),
    },
    {
        id: "seen",
        title: "Last",
        width: "5.5rem",
        hiddenBelow: 600,
        cell: (row) => <Time at={row.lastSeen} seconds />,
    },
];

export function Templates({ page }: { page: ComponentPage }) {
    const [all, setAll] = useState(false);
    const [sort, setSort] = useState<Sort>();
    const compare = wasThere(page.component.firstSeen, page.window);
    const ordered = orderTemplates(
        (page.logTemplates ?? []).map((one) => ({ ...one, new: one.new && compare })),
    );
    if (page.withheld?.includes("logTemplates"))
        return <p className="cb-quiet">You may not see the logs of this component.</p>;
    if (ordered.length === 0) return <p className="cb-quiet">No log line in this time.</p>;
    return (
        <>
            <DataTable
                label="Kinds of log lines"
                rows={all ? ordered : ordered.slice(0, FIRST)}
                columns={COLUMNS}
                keyOf={(row) => row.templateId + row.level}
                sort={sort}
                onSort={setSort}
            />
            {!all && ordered.length > FIRST ? (
                <button type="button" className="cb-button cb-more" onClick={() => setAll(true)}>
                    Show all {formatCount(ordered.length)}
                </button>
            ) : null}
        </>
    );
}
