// Its pods, the busiest first.
import { useState } from "react";
import { formatAgo, formatBytes, formatCores } from "../format";
import { Name, PageLink } from "../parts/marks";
import { DataTable, type Column, type Sort } from "../parts/table";
import type { ComponentPage } from "./page_data";

type Pod = ComponentPage["pods"][number];

const columns = (now: number): Column<Pod>[] => [
    {
        id: "name",
        title: "Pod",
        width: "minmax(10rem, 2fr)",
        sortBy: (pod) => pod.name,
        cell: (pod) => <Name text={pod.name} />,
    },
    {
        id: "version",
        title: "Version",
        width: "minmax(4rem, 8rem)",
        sortBy: (pod) => pod.version,
        cell: (pod) => <Name text={pod.version ?? "–"} />,
    },
    {
        id: "cpu",
        title: "CPU",
        width: "5rem",
        align: "end",
        sortBy: (pod) => pod.cpuUsage,
        cell: (pod) => formatCores(pod.cpuUsage),
    },
    {
        id: "memory",
        title: "Memory",
        width: "6rem",
        align: "end",
        hiddenBelow: 480,
        sortBy: (pod) => pod.memoryUsage,
        cell: (pod) => formatBytes(pod.memoryUsage),
    },
    {
        id: "seen",
        title: "Last seen",
        width: "6rem",
        hiddenBelow: 600,
        sortBy: (pod) => pod.lastSeen,
        cell: (pod) => (pod.lastSeen ? formatAgo(pod.lastSeen, now) : "–"),
    },
    {
        id: "logs",
        title: "",
        width: "3rem",
        hiddenBelow: 600,
        cell: (pod) => (
            <PageLink page="logs" params={{ pod: pod.name }} tabIndex={-1}>
                logs
            </PageLink>
        ),
    },
];

export function Pods({ page, now }: { page: ComponentPage; now: number }) {
    const [sort, setSort] = useState<Sort>({ column: "cpu", descending: true });
    if (page.pods.length === 0) return <p className="cb-quiet">No pod is known in this time.</p>;
    return (
        <DataTable
            label="Pods"
            rows={page.pods}
            columns={columns(now)}
            keyOf={(pod) => `${pod.namespace} ${pod.name}`}
            sort={sort}
            onSort={setSort}
        />
    );
}
