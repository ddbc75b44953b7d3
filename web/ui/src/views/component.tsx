// The page of a component, top to bottom in the order of a developer's questions:
// is it well and why not, how was it over time, which endpoint, who calls it,
// what does it log, which traces show it, what changed, what runs.
import { useCallback, useEffect, useMemo } from "react";
import { useParam, useSetParams } from "../address";
import type { Marker } from "../charts/types";
import { useCause } from "../cause";
import { foremost, useCauseWindow, useIncidents } from "../incidents";
import { ChangePanel, Changes } from "../component/changes";
import { Charts } from "../component/charts";
import { ChooseComponent } from "../component/choose";
import { Endpoints } from "../component/endpoints";
import { ComponentFigures } from "../component/figures";
import { Head } from "../component/head";
import { ErrorLines, errorLinesHeight } from "../component/log_lines";
import { MinutePanel } from "../component/minute";
import {
    BEFORE_TEXT,
    compareShift,
    ownIncidents,
    useBefore,
    useComponentPage,
    usePageHealth,
    type ComponentPage,
    type ComponentScope,
    type Only,
    type OwnIncident,
} from "../component/page_data";
import { Peers } from "../component/peers";
import { Pods } from "../component/pods";
import { Templates } from "../component/templates";
import { Traces } from "../component/traces";
import { NeverSeen, NotInThisTime } from "../component/unknown";
import { Verdict } from "../component/verdict";
import { lastSeenOf, wasThere } from "../components";
import { usePlace } from "../host";
import { WhenSeen } from "../parts/in_view";
import { Name, Section } from "../parts/marks";
import { useScope } from "../scope";
import { Answer } from "../states";
import { rfc3339, useTimeRange } from "../time";

const NO_INCIDENTS: readonly OwnIncident[] = [];

// The section of the address is shown once there is something to show.
function useSection(ready: boolean): void {
    const { section } = usePlace();
    useEffect(() => {
        if (ready && section) document.getElementById(section)?.scrollIntoView();
    }, [ready, section]);
}

function useOnly(): Only {
    const [endpoint] = useParam("endpoint");
    const [operation] = useParam("operation");
    return useMemo(() => ({ endpoint, operation }), [endpoint, operation]);
}

// What the charts are of, if not of all requests, and how it is dropped.
function OnlyNotice({ only }: { only: Only }) {
    const set = useSetParams();
    if (!only.endpoint && !only.operation) return null;
    return (
        <p className="cb-only">
            Only requests of <Name text={[only.endpoint, only.operation].filter(Boolean).join(" ")} />{" "}
            <button
                type="button"
                className="cb-button"
                onClick={() => set({ endpoint: undefined, operation: undefined })}
            >
                Show all requests
            </button>
        </p>
    );
}

// Figures and charts: of all requests, or of one endpoint or operation.
function Picture(props: { scope: ComponentScope; page: ComponentPage; incidents: readonly OwnIncident[] }) {
    const { scope, page, incidents } = props;
    const range = useTimeRange();
    const only = useOnly();
    const filtered = Boolean(only.endpoint ?? only.operation);
    const heat = useParam("latency")[0] === "heat";
    const part = useComponentPage(scope, range, { only, exemplars: true, heat, enabled: filtered });
    const shown = (filtered ? part.data : undefined) ?? page;
    const [cmp] = useParam("cmp");
    const shift = compareShift(cmp, range);
    const before = useBefore(scope, range, shift, only, true);
    const earlier = shift === undefined ? undefined : before.data;
    const set = useSetParams();
    const onMarker = useCallback(
        (markers: readonly Marker[]) => {
            const [first] = markers;
            if (first) set({ change: rfc3339(first.at), minute: undefined });
        },
        [set],
    );
    const onMinute = useCallback((at: number) => set({ minute: rfc3339(at), change: undefined }), [set]);
    const drawn = useMemo(
        () =>
            earlier && shift !== undefined
                ? { series: earlier.series, shift, name: BEFORE_TEXT[cmp ?? ""] ?? "before" }
                : undefined,
        [earlier, shift, cmp],
    );
    const comparable = wasThere(page.component.firstSeen, page.window);
    const previous = cmp === undefined || cmp === "prev" ? shown.summary.previous : earlier?.summary;
    const [change] = useParam("change");
    const [minute] = useParam("minute");
    const minuteAt = minute ? Date.parse(minute) : NaN;
    return (
        <>
            <OnlyNotice only={only} />
            <ComponentFigures page={shown} before={cmp === "off" || !comparable ? undefined : previous} />
            <Charts
                page={shown}
                scope={scope}
                before={drawn}
                incidents={incidents}
                onMarker={onMarker}
                onMinute={onMinute}
            />
            {change ? <ChangePanel scope={scope} page={page} at={change} now={range.end.getTime()} /> : null}
            {Number.isNaN(minuteAt) ? null : <MinutePanel scope={scope} at={minuteAt} />}
        </>
    );
}

function Details({ scope, page }: { scope: ComponentScope; page: ComponentPage }) {
    const range = useTimeRange();
    return (
        <>
            <Section
                id="endpoints"
                title="Operations"
                aside={
                    page.endpoints.length > 0 ? (
                        <span className="cb-quiet">Choose a row: the charts show only its requests.</span>
                    ) : null
                }
            >
                <Endpoints page={page} />
            </Section>
            <Peers page={page} />
            <Section id="errors" title="Errors in the log">
                <WhenSeen height={errorLinesHeight(page)}>
                    {() => <ErrorLines scope={scope} range={range} />}
                </WhenSeen>
            </Section>
            <Section id="logs" title="Kinds of log lines">
                <Templates page={page} />
            </Section>
            <Traces page={page} />
            <div className="cb-columns">
                <Section id="changes" title="Changes">
                    <Changes page={page} />
                </Section>
                <Section id="pods" title="Pods">
                    <Pods page={page} now={range.end.getTime()} />
                </Section>
            </div>
        </>
    );
}

function Body({ scope, page }: { scope: ComponentScope; page: ComponentPage }) {
    const range = useTimeRange();
    const health = usePageHealth(page);
    const asked = useIncidents(scope, range);
    const incidents = useMemo(
        () => (asked.data ? ownIncidents(asked.data.incidents, scope) : NO_INCIDENTS),
        [asked.data, scope],
    );
    const incident = foremost(incidents);
    const window = useCauseWindow(incident, range);
    const cause = useCause(scope, window, health !== "ok" && !asked.isLoading);
    const newest = lastSeenOf(page.component.lastSeen);
    const absent = newest !== undefined && Date.parse(newest) < range.start.getTime();
    useSection(true);
    return (
        <>
            <Verdict
                page={page}
                scope={scope}
                health={health}
                incident={incident}
                cause={cause}
                asked={window}
                now={range.end.getTime()}
            />
            {absent ? <NotInThisTime newest={newest} /> : null}
            <Picture scope={scope} page={page} incidents={incidents} />
            <Details scope={scope} page={page} />
        </>
    );
}

function OneComponent({ scope }: { scope: ComponentScope }) {
    const range = useTimeRange();
    const heat = useParam("latency")[0] === "heat";
    const asked = useComponentPage(scope, range, { spark: true, exemplars: true, heat });
    const health = usePageHealth(asked.data);
    return (
        <div className="cb-component">
            <Head scope={scope} health={health} page={asked.data} now={range.end.getTime()} />
            <Answer asked={asked} height={640} rows={4}>
                {(page) =>
                    page.component.rule === "none" ? (
                        <NeverSeen page={page} scope={scope} />
                    ) : (
                        <Body scope={scope} page={page} />
                    )
                }
            </Answer>
        </div>
    );
}

export default function Component() {
    const { namespace, project, component, environment } = useScope();
    const scope = useMemo(
        () =>
            namespace && project && component ? { namespace, project, component, environment } : undefined,
        [namespace, project, component, environment],
    );
    if (!scope) return <ChooseComponent />;
    // What is shown of one component is not kept while another is asked for.
    return <OneComponent key={Object.values(scope).join("\u0000")} scope={scope} />;
}
