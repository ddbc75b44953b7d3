// One trace: what stands out in it, its spans over time, one span in full.
import { usePlace } from "../host";
import { shownName } from "../format";
import { Answer, Empty } from "../states";
import { PageLink } from "../parts/marks";
import { useTrace } from "../trace/ask_trace";
import { TraceError } from "../trace/trace_error";
import { TraceView } from "../trace/view";

function NoTrace(props: { id: string; namespace: string | undefined }) {
    return (
        <Empty
            what={`There is no trace ${shownName(props.id)}.`}
            why={
                <>
                    Searched: all that is stored
                    {props.namespace ? (
                        <>
                            , in namespace <b>{shownName(props.namespace)}</b> and in others that you may see
                        </>
                    ) : (
                        " in all namespaces that you may see"
                    )}
                    , at any time. It may be older than what is kept (the retention), not sampled by its
                    sender, still on its way, or sent under another id.
                </>
            }
            next={
                <>
                    <PageLink page="traces">Traces of this scope</PageLink> ·{" "}
                    <PageLink page="logs" params={{ trace: props.id }}>
                        Log records with this id
                    </PageLink>{" "}
                    · <PageLink page="status">What is kept, and how long</PageLink>
                </>
            }
        />
    );
}

export default function Trace() {
    const { params } = usePlace();
    const id = params.id?.trim().toLowerCase();
    const asked = useTrace(id || undefined, params.ns);
    if (!id)
        return (
            <Empty
                what="No trace is chosen."
                why="The address has no id of a trace."
                next={<PageLink page="traces">Find traces</PageLink>}
            />
        );
    if (asked.error?.status === 404) return <NoTrace id={id} namespace={params.ns} />;
    if (asked.error && asked.data === undefined)
        return <TraceError error={asked.error} again={() => void asked.refetch()} />;
    return (
        <Answer asked={asked} height={560} rows={8}>
            {(trace) => <TraceView key={trace.found.traceId + trace.found.namespace} trace={trace} />}
        </Answer>
    );
}
