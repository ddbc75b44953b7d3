// The slowest traces, and those that failed.
import { keptParams, withParams } from "../address";
import { formatSeconds } from "../format";
import { useHost, usePlace } from "../host";
import { ShareCell } from "../parts/share_bar";
import { Name, PageLink, Section, Time } from "../parts/marks";
import { DataTable, type Column } from "../parts/table";
import type { ComponentPage, TraceExample } from "./page_data";

const columns = (longest: number): Column<TraceExample>[] => [
    {
        id: "time",
        title: "Start",
        width: "6rem",
        cell: (row) => (
            <PageLink page="trace" params={{ id: row.traceId, span: row.spanId }} tabIndex={-1}>
                <Time at={row.timestamp} seconds />
            </PageLink>
        ),
    },
    {
        id: "operation",
        title: "Operation",
        width: "minmax(7rem, 1fr)",
        cell: (row) => <Name text={row.operation} />,
    },
    {
        id: "duration",
        title: "Duration",
        width: "9rem",
        cell: (row) => <ShareCell share={row.duration / longest} text={formatSeconds(row.duration)} />,
    },
];

function Table(props: { label: string; traces: readonly TraceExample[]; none: string }) {
    const host = useHost();
    const place = usePlace();
    if (props.traces.length === 0) return <p className="cb-quiet">{props.none}</p>;
    const longest = Math.max(...props.traces.map((trace) => trace.duration), 1e-9);
    return (
        <DataTable
            label={props.label}
            rows={props.traces}
            columns={columns(longest)}
            keyOf={(row) => row.traceId + row.spanId}
            onOpen={(row) =>
                host.go("trace", withParams(keptParams(place.params), { id: row.traceId, span: row.spanId }))
            }
        />
    );
}

export function Traces({ page }: { page: ComponentPage }) {
    if (page.withheld?.includes("traces"))
        return (
            <Section id="traces" title="Traces">
                <p className="cb-quiet">You may not see the traces of this component.</p>
            </Section>
        );
    const { slowest = [], failed = [] } = page.traces ?? {};
    return (
        <div className="cb-columns" id="traces">
            <Section id="failed" title="Failed traces" aside={<All errors />}>
                <Table label="Failed traces" traces={failed} none="No request failed in this time." />
            </Section>
            <Section id="slowest" title="Slowest traces" aside={<All />}>
                <Table label="Slowest traces" traces={slowest} none="No request in this time." />
            </Section>
        </div>
    );
}

function All({ errors }: { errors?: boolean }) {
    return (
        <PageLink page="traces" params={{ errors: errors ? "1" : undefined }}>
            All {errors ? "failed" : "traces"}
        </PageLink>
    );
}
