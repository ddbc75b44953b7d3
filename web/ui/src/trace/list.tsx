// Spans and log records of the trace in order of time.
import { useMemo } from "react";
import { formatSeconds } from "../format";
import { Level, Name } from "../parts/marks";
import { DataTable, type Column } from "../parts/table";
import type { Arranged } from "./arrange";
import { isLog, logOf, logRow, type Row } from "./rows";
import type { ReadLog, SpanNode } from "./spans";

interface Item {
    row: Row;
    at: number;
    node?: SpanNode;
    log?: ReadLog;
}

function columnsOf(
    tone: (node: SpanNode) => number,
    nodeOf: (log: ReadLog) => SpanNode | undefined,
): Column<Item>[] {
    return [
        {
            id: "at",
            title: "After start",
            width: "6.5rem",
            align: "end",
            cell: (item) => formatSeconds(item.at / 1e9),
        },
        {
            id: "what",
            title: "What",
            width: "4.5rem",
            cell: ({ node, log }) =>
                log ? (
                    <Level level={log.level} />
                ) : node?.failed ? (
                    <span className="cb-text-bad">! span</span>
                ) : (
                    "span"
                ),
        },
        {
            id: "component",
            title: "Component",
            width: "minmax(6rem, 10rem)",
            cell: ({ node, log }) => {
                const span = node ?? nodeOf(log!);
                return (
                    <>
                        {span ? (
                            <span className={`cb-swatch cb-tone-${tone(span)}`} aria-hidden="true" />
                        ) : null}{" "}
                        <Name text={node?.component ?? log?.component ?? ""} />
                    </>
                );
            },
        },
        {
            id: "text",
            title: "Span or log record",
            width: "minmax(10rem, 4fr)",
            cell: ({ node, log }) => (
                <Name text={log ? log.text : node!.name + (node!.message ? ": " + node!.message : "")} />
            ),
        },
        {
            id: "duration",
            title: "Duration",
            width: "6rem",
            align: "end",
            hiddenBelow: 560,
            cell: ({ node }) => (node ? formatSeconds(node.duration / 1e9) : ""),
        },
    ];
}

export function TimeList(props: {
    arranged: Arranged;
    rows: readonly Row[];
    logs: readonly ReadLog[];
    tone: (node: SpanNode) => number;
    find: string; // only what has it, if there is a text
    hits: ReadonlySet<number>;
    selected: string | undefined;
    onSelect: (node: SpanNode | undefined) => void;
}) {
    const { arranged, rows, logs, tone, hits, onSelect } = props;
    const wanted = props.find.trim().toLowerCase();
    const items = useMemo(() => {
        const spans = rows.filter((row) => !isLog(row) && (wanted === "" || hits.has(row)));
        const all: Item[] = spans.map((row) => ({
            row,
            at: arranged.nodes[row]!.start,
            node: arranged.nodes[row]!,
        }));
        logs.forEach((log, i) => {
            if (log.text.toLowerCase().includes(wanted)) all.push({ row: logRow(i), at: log.at, log });
        });
        return all.sort((a, b) => a.at - b.at || b.row - a.row);
    }, [arranged, rows, logs, wanted, hits]);
    const columns = useMemo(() => {
        const nodeOf = (log: ReadLog) => arranged.nodes[arranged.rowOf.get(log.spanId) ?? -1];
        return columnsOf(tone, nodeOf);
    }, [arranged, tone]);
    const selected = props.selected === undefined ? undefined : arranged.rowOf.get(props.selected);
    return (
        <DataTable
            label="Spans and log records by time"
            rows={items}
            columns={columns}
            keyOf={(item) => String(item.row)}
            selected={selected === undefined ? undefined : String(selected)}
            height="calc(100vh - 14rem)"
            rowHeight={30}
            onOpen={(item) => {
                const row = isLog(item.row) ? arranged.rowOf.get(logs[logOf(item.row)]!.spanId) : item.row;
                if (row !== undefined) onSelect(arranged.nodes[row]);
            }}
            empty={<p className="cb-quiet">Nothing matches.</p>}
        />
    );
}
