// Kafka messages that could not be decoded, with their bytes as hex and text.
import { useMemo } from "react";
import { useParam } from "../address";
import { useAsk } from "../ask";
import type { Schemas } from "../client";
import { formatBytes, formatCount } from "../format";
import { Panel } from "../parts/panel";
import { CopyButton, downloadText } from "../parts/copy";
import { Name, Section, Time } from "../parts/marks";
import { DataTable, type Column } from "../parts/table";
import { Answer } from "../states";
import { useClock } from "../time";

type DeadLetter = Schemas["DeadLetter"];
const BYTES = 4096;
const ROW_BYTES = 16;

export function bytesOf(base64: string): Uint8Array {
    return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

// As xxd prints it: place, sixteen bytes, text.
export function hexDump(bytes: Uint8Array): string {
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += ROW_BYTES) {
        const row = [...bytes.subarray(at, at + ROW_BYTES)];
        const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
        const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
        lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(ROW_BYTES * 3 - 1)}  ${text}`);
    }
    return lines.join("\n");
}

const COLUMNS: Column<DeadLetter>[] = [
    {
        id: "received",
        title: "received",
        width: "8.5rem",
        cell: (row) => <Time at={row.receivedTime} seconds />,
    },
    { id: "topic", title: "topic", width: "minmax(6rem, 12rem)", cell: (row) => <Name text={row.topic} /> },
    {
        id: "offset",
        title: "partition, offset",
        width: "9rem",
        align: "end",
        cell: (row) => `${row.partition}, ${row.offset}`,
        hiddenBelow: 620,
    },
    {
        id: "size",
        title: "size",
        width: "6rem",
        align: "end",
        cell: (row) => formatBytes(row.size),
        hiddenBelow: 520,
    },
    { id: "reason", title: "reason", width: "minmax(8rem, 1fr)", cell: (row) => <Name text={row.reason} /> },
];

function Bytes(props: { letter: DeadLetter; onClose: () => void }) {
    const { letter } = props;
    const dump = useMemo(() => hexDump(bytesOf(letter.bytes)), [letter.bytes]);
    return (
        <Panel
            label="The message that is opened"
            title={
                <>
                    <Name text={letter.topic} /> {letter.partition}, {letter.offset}
                </>
            }
            onClose={props.onClose}
        >
            <p>
                <Name text={letter.reason} />
            </p>
            {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
            <pre className="cb-pre" tabIndex={0} aria-label="Bytes of the message">
                {dump}
            </pre>
            {letter.size > BYTES ? <p className="cb-quiet">The first {formatBytes(BYTES)} of it.</p> : null}
            <p className="cb-buttons">
                <CopyButton text={() => dump} label="Copy hex" />
                <button
                    type="button"
                    className="cb-button"
                    onClick={() =>
                        downloadText(`${letter.topic}-${letter.offset}.base64`, letter.bytes, "text/plain")
                    }
                >
                    Save as base64
                </button>
            </p>
        </Panel>
    );
}

export function DeadLetters() {
    const now = useClock();
    const [opened, setOpened] = useParam("letter");
    const asked = useAsk(["dead letters", now], (client, signal) =>
        client.GET("/api/v1/dead-letters", { params: { query: { limit: 100, bytes: BYTES } }, signal }),
    );
    const letter = asked.data?.deadLetters.find((one) => String(one.id) === opened);
    return (
        <Section id="dead-letters" title="Messages that could not be decoded">
            <Answer asked={asked} height={80}>
                {(data) =>
                    data.deadLetters.length === 0 ? (
                        <p className="cb-quiet">
                            None: every message from Kafka was decoded, or none is read.
                        </p>
                    ) : (
                        <>
                            {data.total > data.deadLetters.length ? (
                                <p className="cb-quiet">
                                    The newest {data.deadLetters.length} of {formatCount(data.total)}.
                                </p>
                            ) : null}
                            <div className={letter ? "cb-split" : undefined}>
                                {letter ? (
                                    <Bytes letter={letter} onClose={() => setOpened(undefined)} />
                                ) : null}
                                <DataTable
                                    label="Dead letters"
                                    rows={data.deadLetters}
                                    columns={COLUMNS}
                                    keyOf={(row) => String(row.id)}
                                    onOpen={(row) =>
                                        setOpened(String(row.id) === opened ? undefined : String(row.id))
                                    }
                                    selected={opened}
                                    height="40vh"
                                />
                            </div>
                        </>
                    )
                }
            </Answer>
        </Section>
    );
}
