// Senders whose telemetry belongs to no component, and what they have to set.
import { useParam } from "../address";
import type { Asked } from "../ask";
import type { Schemas } from "../client";
import { formatCount } from "../format";
import { Panel } from "../parts/panel";
import { CopyText } from "../parts/copy_text";
import { Name, Section, Time } from "../parts/marks";
import { DataTable, type Column } from "../parts/table";
import { Answer } from "../states";

type Sender = Schemas["UnassignedSender"];

const NAMED_BY = ["service.name", "k8s.pod.name", "k8s.deployment.name", "host.name", "telemetry.sdk.name"];

function attributesOf(sender: Sender): [string, string][] {
    const entries = Object.entries(sender.attributes as Record<string, unknown>);
    const rank = (name: string) => (NAMED_BY.indexOf(name) + NAMED_BY.length + 1) % (NAMED_BY.length + 1);
    return entries
        .map(([name, value]): [string, string] => [name, String(value)])
        .sort((a, b) => rank(a[0]) - rank(b[0]) || a[0].localeCompare(b[0]));
}

export function senderName(sender: Sender): string {
    const [first] = attributesOf(sender);
    return first ? `${first[0]} ${first[1]}` : "no attributes";
}

const keyOf = (sender: Sender) =>
    [sender.namespace, sender.environment, sender.reason, ...attributesOf(sender).flat()].join("/");

const COLUMNS: Column<Sender>[] = [
    {
        id: "sender",
        title: "sender",
        width: "minmax(8rem, 2fr)",
        cell: (row) => <Name text={senderName(row)} />,
    },
    {
        id: "namespace",
        title: "namespace",
        width: "minmax(5rem, 8rem)",
        cell: (row) => <Name text={row.namespace} />,
        hiddenBelow: 900,
    },
    {
        id: "why",
        title: "why",
        width: "minmax(8rem, 3fr)",
        cell: (row) => <span title={row.why}>{row.why}</span>,
        hiddenBelow: 620,
    },
    {
        id: "resources",
        title: "resources",
        width: "5.5rem",
        align: "end",
        cell: (row) => formatCount(row.resources),
        hiddenBelow: 820,
    },
    {
        id: "records",
        title: "records",
        width: "6rem",
        align: "end",
        cell: (row) => formatCount(row.records.spans + row.records.logs + row.records.metrics),
    },
    {
        id: "last",
        title: "last",
        width: "7rem",
        cell: (row) => (row.lastSeen ? <Time at={row.lastSeen} /> : "–"),
        hiddenBelow: 720,
    },
];

function SenderDetails(props: { sender: Sender; onClose: () => void }) {
    const { sender } = props;
    const { spans, logs, metrics } = sender.records;
    return (
        <Panel
            label="The sender that is opened"
            title={<Name text={senderName(sender)} />}
            onClose={props.onClose}
        >
            <p>{sender.why}</p>
            <p>
                {formatCount(spans)} spans, {formatCount(logs)} log records, {formatCount(metrics)} points of
                metrics in this time.
            </p>
            <p>Set these attributes of its resource; what is in capitals is to be filled in:</p>
            <CopyText text={sender.example} />
            <dl className="cb-facts">
                {attributesOf(sender).map(([name, value]) => (
                    <div key={name}>
                        <dt>
                            <Name text={name} />
                        </dt>
                        <dd>
                            <Name text={value} />
                        </dd>
                    </div>
                ))}
            </dl>
        </Panel>
    );
}

export function Senders(props: { asked: Asked<Schemas["UnassignedList"]> }) {
    const { asked } = props;
    const [opened, setOpened] = useParam("sender");
    // A server without this route has none to show.
    if (asked.error?.status === 404) return null;
    return (
        <Section id="senders" title="Senders without a component">
            <Answer asked={asked} height={120}>
                {(data) => {
                    const sender = data.senders.find((one) => keyOf(one) === opened);
                    if (data.senders.length === 0)
                        return (
                            <p className="cb-quiet">
                                All that was received in this time belongs to a component.
                            </p>
                        );
                    return (
                        <div className={sender ? "cb-split" : undefined}>
                            {sender ? (
                                <SenderDetails sender={sender} onClose={() => setOpened(undefined)} />
                            ) : null}
                            <DataTable
                                label="Senders without a component"
                                rows={data.senders}
                                columns={COLUMNS}
                                keyOf={keyOf}
                                onOpen={(row) => setOpened(keyOf(row) === opened ? undefined : keyOf(row))}
                                selected={opened}
                                height="50vh"
                            />
                        </div>
                    );
                }}
            </Answer>
        </Section>
    );
}
