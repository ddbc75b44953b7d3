// Who calls it, and whom it calls, with the figures of these calls.
import { formatChange, formatRate, formatSeconds, formatShare } from "../format";
import { errorHealth, formatShareChange, latencyHealth } from "../parts/component_table";
import { wasThere } from "../components";
import { Name, PageLink, Section } from "../parts/marks";
import { DataTable, type Column } from "../parts/table";
import type { ComponentPage } from "./page_data";

type Peer = ComponentPage["callers"][number];
// Without figures of before where they say nothing.
type PeerRow = Omit<Peer, "previous"> & { previous?: Peer["previous"] };

function PeerName({ peer }: { peer: PeerRow }) {
    const name =
        peer.kind === "component" ? (
            <PageLink
                page="component"
                tabIndex={-1}
                params={{
                    ns: peer.namespace,
                    project: peer.project,
                    component: peer.component,
                    env: peer.environment,
                }}
            >
                <Name text={peer.component ?? ""} />
            </PageLink>
        ) : (
            <Name text={peer.name ?? peer.host ?? peer.kind} />
        );
    const about =
        peer.kind === "component" ? (peer.via ? `through a ${peer.via}` : "") : (peer.system ?? peer.kind);
    return (
        <>
            {name} <span className="cb-quiet">{about}</span>
        </>
    );
}

// Before the change of a figure that may be cut there is the figure itself.
function Change({ text }: { text: string }) {
    return text ? <span className="cb-peer-before"> {text}</span> : null;
}

const COLUMNS: Column<PeerRow>[] = [
    { id: "peer", title: "Peer", width: "minmax(8rem, 2fr)", cell: (peer) => <PeerName peer={peer} /> },
    {
        id: "rate",
        title: "Calls",
        width: "5.5rem",
        hiddenBelow: 420,
        cell: (peer) => formatRate(peer.requestRate),
    },
    {
        id: "errors",
        title: "Errors",
        width: "minmax(4.5rem, 8.5rem)",
        cell: (peer) => {
            const health = errorHealth(peer);
            return (
                <>
                    <span className={health === "ok" ? undefined : `cb-text-${health} cb-strong`}>
                        {formatShare(peer.errorRatio)}
                    </span>
                    <Change text={formatShareChange(peer.errorRatio, peer.previous?.errorRatio)} />
                </>
            );
        },
    },
    {
        id: "p99",
        title: "p99",
        width: "minmax(5rem, 8.5rem)",
        cell: (peer) => {
            const health = latencyHealth(peer);
            return (
                <>
                    <span className={health === "ok" ? undefined : `cb-text-${health} cb-strong`}>
                        {formatSeconds(peer.latency?.p99)}
                    </span>
                    <Change text={formatChange(peer.latency?.p99, peer.previous?.latency?.p99)} />
                </>
            );
        },
    },
];

const keyOf = (peer: PeerRow) =>
    [
        peer.kind,
        peer.namespace,
        peer.project,
        peer.component,
        peer.environment,
        peer.name,
        peer.endpoint,
        peer.peerEndpoint,
        peer.protocol,
    ].join("\u0000");

function Table({ label, peers, none }: { label: string; peers: readonly PeerRow[]; none: string }) {
    if (peers.length === 0) return <p className="cb-quiet">{none}</p>;
    return <DataTable label={label} rows={peers} columns={COLUMNS} keyOf={keyOf} />;
}

export function Peers({ page }: { page: ComponentPage }) {
    const compare = wasThere(page.component.firstSeen, page.window);
    const shown = (peers: readonly Peer[]): readonly PeerRow[] =>
        peers.map((peer) => ({ ...peer, previous: compare ? peer.previous : undefined }));
    return (
        <div className="cb-columns">
            <Section id="callers" title="Called by">
                <Table label="Callers" peers={shown(page.callers)} none="Nobody calls it in this time." />
            </Section>
            <Section id="callees" title="Calls">
                <Table label="Callees" peers={shown(page.callees)} none="It calls nobody in this time." />
            </Section>
        </div>
    );
}
