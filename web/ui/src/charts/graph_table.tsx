// The edges of the graph as a table: the same figures, for those who do not see the picture.
import { useState } from "react";
import { formatRate, formatSeconds, formatShare } from "../format";
import { HealthMark, Name } from "../parts/marks";
import { DataTable, type Column, type Sort } from "../parts/table";
import type { Graph, GraphEdge } from "./graph_model";

const DRIFT_WORDS = { undeclared: "not declared", unused: "declared, no calls" };

export function driftText(edge: GraphEdge): string {
    if (edge.drift) return DRIFT_WORDS[edge.drift];
    return edge.declarable ? "declared" : "–";
}

function columnsOf(names: ReadonlyMap<string, string>): Column<GraphEdge>[] {
    const name = (id: string) => names.get(id) ?? id;
    return [
        {
            id: "caller",
            title: "caller",
            width: "minmax(8rem, 2fr)",
            cell: (edge) => (
                <>
                    <HealthMark health={edge.health} /> <Name text={name(edge.source)} />
                </>
            ),
            sortBy: (edge) => name(edge.source),
        },
        {
            id: "callee",
            title: "called",
            width: "minmax(8rem, 2fr)",
            cell: (edge) => <Name text={name(edge.target)} />,
            sortBy: (edge) => name(edge.target),
        },
        {
            id: "protocol",
            title: "by",
            width: "6rem",
            cell: (edge) => edge.protocol ?? "–",
            hiddenBelow: 700,
        },
        {
            id: "rate",
            title: "rate",
            width: "6rem",
            align: "end",
            cell: (edge) => formatRate(edge.rate),
            sortBy: (edge) => edge.rate,
        },
        {
            id: "failed",
            title: "failed",
            width: "5rem",
            align: "end",
            cell: (edge) => formatShare(edge.errorRatio),
            sortBy: (edge) => edge.errorRatio,
        },
        {
            id: "p50",
            title: "p50",
            width: "5.5rem",
            align: "end",
            cell: (edge) => formatSeconds(edge.p50),
            sortBy: (edge) => edge.p50,
            hiddenBelow: 620,
        },
        {
            id: "p90",
            title: "p90",
            width: "5.5rem",
            align: "end",
            cell: (edge) => formatSeconds(edge.p90),
            sortBy: (edge) => edge.p90,
            hiddenBelow: 480,
        },
        {
            id: "drift",
            title: "catalogue",
            width: "9rem",
            cell: driftText,
            sortBy: driftText,
            hiddenBelow: 560,
        },
    ];
}

export function EdgeTable(props: { graph: Graph; selected?: string; onSelect?: (id: string) => void }) {
    const [sort, setSort] = useState<Sort>({ column: "failed", descending: true });
    const names = new Map(props.graph.nodes.map((node) => [node.id, node.name]));
    return (
        <DataTable
            label="Calls"
            rows={props.graph.edges}
            columns={columnsOf(names)}
            keyOf={(edge) => edge.id}
            sort={sort}
            onSort={setSort}
            selected={props.selected}
            onOpen={props.onSelect && ((edge) => props.onSelect?.(edge.id))}
            height="32rem"
        />
    );
}
