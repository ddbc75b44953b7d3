// Traces of a scope: when and how long, equal ones together, and each in a list.
import { useCallback, useMemo } from "react";
import { keptParams, useSetParams, withParams } from "../address";
import { formatCount } from "../format";
import { useHost, usePlace } from "../host";
import { PageLink, Section } from "../parts/marks";
import { Answer, Empty } from "../states";
import { useTimeRange } from "../time";
import {
    useGroups,
    useListed,
    useSample,
    useTracesBody,
    type FoundTrace,
    type FoundTraces,
} from "../traces/ask_traces";
import { Compare } from "../traces/compare";
import { FilterBar } from "../traces/filter_bar";
import { boxText, filterParams, filtersOf, type Box } from "../traces/filters";
import { Groups } from "../traces/groups";
import { TraceList } from "../traces/list";
import { Scatter } from "../traces/scatter";

function inBox(traces: readonly FoundTrace[], box: Box | undefined): readonly FoundTrace[] {
    if (!box) return traces;
    return traces.filter(
        (trace) =>
            trace.at >= box.from &&
            trace.at <= box.to &&
            trace.duration >= box.shortest &&
            trace.duration <= box.longest,
    );
}

// "1,204 traces, 96 failed"; a sample says of how many.
function summaryOf(found: FoundTraces): string {
    const more = found.totalIsLowerBound ? "More than " : "";
    const failed = found.failed ?? found.traces.filter((trace) => trace.failed).length;
    const all = `${more}${formatCount(found.total)} ${found.total === 1 ? "trace" : "traces"}, ${formatCount(failed)} failed`;
    return isSample(found) ? `${all}; the picture has a sample of ${formatCount(found.traces.length)}` : all;
}

const isSample = (found: FoundTraces) => found.total > found.traces.length || found.totalIsLowerBound;

function NoTraces() {
    const { params } = usePlace();
    const set = useSetParams();
    const range = useTimeRange();
    const filters = filterParams(params);
    const drop = () => set(Object.fromEntries(filters.map((name) => [name, undefined])));
    return (
        <Empty
            what="No trace matches."
            why={
                filters.length > 0
                    ? "With these filters there is none in this scope and time. A trace matches if one of its spans has all that is asked for."
                    : `No span of this scope came between ${range.from} and ${range.to}.`
            }
            next={
                <>
                    {filters.length > 0 ? (
                        <button type="button" className="cb-button" onClick={drop}>
                            Drop the filters
                        </button>
                    ) : null}{" "}
                    <button
                        type="button"
                        className="cb-button"
                        onClick={() => set({ from: "now-24h", to: undefined, box: undefined })}
                    >
                        Look at the last day
                    </button>{" "}
                    <PageLink page="overview">Which components send</PageLink>
                </>
            }
        />
    );
}

function Listed(props: { sample: FoundTraces; body: ReturnType<typeof useTracesBody> }) {
    const { sample } = props;
    const { params } = usePlace();
    const host = useHost();
    const set = useSetParams();
    const filters = useMemo(() => filtersOf(params), [params]);
    const needed = isSample(sample);
    const asked = useListed(props.body, { box: filters.box, sort: filters.sort, needed });
    const marked = useMemo(
        () => (params.marked ?? "").split(",").filter(Boolean).slice(0, 2),
        [params.marked],
    );
    const mark = useCallback(
        (id: string, on: boolean) => {
            const ids = on ? [...marked, id].slice(-2) : marked.filter((other) => other !== id);
            set({ marked: ids.join(",") || undefined }, "replace");
        },
        [marked, set],
    );
    const open = (trace: FoundTrace) =>
        host.go("trace", withParams(keptParams(params), { ns: params.ns, id: trace.id }));
    const list = (traces: readonly FoundTrace[]) => (
        <TraceList
            traces={traces}
            sort={filters.sort}
            marked={marked}
            namespace={params.ns}
            onSort={(sort) => set({ sort: sort === "time" ? undefined : sort })}
            onMark={mark}
            onOpen={open}
        />
    );
    const [first, second] = marked;
    return (
        <>
            <Section
                id="list"
                title="Traces"
                aside={
                    <span className="cb-quiet">
                        {first && second
                            ? "Two are marked: compared below."
                            : first
                              ? "Mark one more to compare the two."
                              : "Mark two to compare them."}
                    </span>
                }
            >
                {needed ? (
                    <Answer asked={asked} height={420} rows={8}>
                        {(found) => (
                            <>
                                {found.total > found.traces.length || found.totalIsLowerBound ? (
                                    <p className="cb-quiet">
                                        The {formatCount(found.traces.length)}{" "}
                                        {filters.sort === "time" ? "newest" : "slowest"} of{" "}
                                        {found.totalIsLowerBound ? "more than " : ""}
                                        {formatCount(found.total)}.
                                    </p>
                                ) : null}
                                {list(found.traces)}
                            </>
                        )}
                    </Answer>
                ) : (
                    list(inBox(sample.traces, filters.box))
                )}
            </Section>
            {first && second ? (
                <Section id="compare" title="Two traces compared">
                    <Compare ids={[first, second]} namespace={params.ns} />
                </Section>
            ) : null}
        </>
    );
}

function Found(props: {
    sample: FoundTraces;
    body: ReturnType<typeof useTracesBody>;
    groups: ReturnType<typeof useGroups>;
}) {
    const { sample, groups } = props;
    const { params } = usePlace();
    const host = useHost();
    const set = useSetParams();
    const range = useTimeRange();
    const filters = useMemo(() => filtersOf(params), [params]);
    return (
        <>
            <p className="cb-traces-summary" role="status">
                {summaryOf(sample)}
            </p>
            <Scatter
                traces={sample.traces}
                from={range.start.getTime()}
                to={range.end.getTime()}
                box={filters.box}
                summary={summaryOf(sample)}
                onBox={(box) => set({ box: box && boxText(box) })}
                onOpen={(trace) =>
                    host.go("trace", withParams(keptParams(params), { ns: params.ns, id: trace.id }))
                }
            />
            <Section id="groups" title="By operation and result">
                <Answer asked={groups} height={160} rows={4}>
                    {(found) => <Groups found={found} namespace={params.ns} />}
                </Answer>
            </Section>
            <Listed sample={sample} body={props.body} />
        </>
    );
}

export default function Traces() {
    const { params } = usePlace();
    const filters = useMemo(() => filtersOf(params), [params]);
    const body = useTracesBody(filters);
    const sample = useSample(body);
    const groups = useGroups(body);
    const operations = useMemo(
        () => [...new Set(groups.data?.summary.groups.map((group) => group.rootSpanName))],
        [groups.data],
    );
    if (!body)
        return (
            <Empty
                what="No namespace is chosen."
                why="Traces are searched in one namespace."
                next={<PageLink page="overview">Choose one</PageLink>}
            />
        );
    return (
        <div className="cb-traces">
            <FilterBar operations={operations} />
            <Answer asked={sample} height={360}>
                {(found) =>
                    found.traces.length === 0 ? (
                        <NoTraces />
                    ) : (
                        <Found sample={found} body={body} groups={groups} />
                    )
                }
            </Answer>
        </div>
    );
}
