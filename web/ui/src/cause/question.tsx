// What is asked: the failures of the scope over time, with the time in question and
// the time that it is compared with. Both are chosen by dragging over the chart.
import { useState } from "react";
import { useSetParams } from "../address";
import { useAsk } from "../ask";
import { useCause, type CauseScope, type Window } from "../cause";
import type { Schemas } from "../client";
import { TimeChart } from "../charts/time_chart";
import { Time } from "../parts/marks";
import { Answer } from "../states";
import { rfc3339 } from "../time";
import { baselineText, clipBaseline } from "./windows";

type Series = Schemas["HttpMetricsTimeSeries"];

const STEPS = [60, 300, 900, 3600, 21_600, 86_400];
const MOST_POINTS = 300;

function stepFor(seconds: number): number {
    return STEPS.find((step) => seconds / step <= MOST_POINTS) ?? STEPS.at(-1)!;
}

function failedShare(series: Series): { times: number[]; values: (number | null)[] } {
    const failed = new Map(series.unsuccessfulRequestCount.map((point) => [point.timestamp, point.value]));
    return {
        times: series.requestCount.map((point) => Date.parse(point.timestamp)),
        values: series.requestCount.map((point) =>
            point.value > 0 ? (failed.get(point.timestamp) ?? 0) / point.value : null,
        ),
    };
}

function WindowText(props: { name: string; window: Window; className: string }) {
    return (
        <span className={props.className}>
            {props.name} <Time at={props.window.start} /> to <Time at={props.window.end} />
        </span>
    );
}

interface QuestionProps {
    scope: CauseScope;
    window: Window;
    baseline: Window;
    ownBaseline: boolean;
}

// The times that were compared, once there is an answer: the server chooses another
// baseline near an incident, and cuts a window with little before it.
function useCompared(props: QuestionProps): { window: Window; baseline: Window } {
    const baseline = props.ownBaseline ? props.baseline : undefined;
    const { data } = useCause(props.scope, props.window, false, { baseline, keep: false });
    const window = (of: { startTime: string; endTime: string }) => ({
        start: new Date(of.startTime),
        end: new Date(of.endTime),
    });
    return data ? { window: window(data.window), baseline: window(data.baseline) } : props;
}

export function Question(props: QuestionProps) {
    const { scope, window, baseline } = props;
    const set = useSetParams();
    const [target, setTarget] = useState<"window" | "baseline">("window");
    const [refused, setRefused] = useState(false);
    const compared = useCompared(props);
    const from = Math.min(baseline.start.getTime(), window.start.getTime());
    const to = Math.max(window.end.getTime(), from + 60_000);
    const step = stepFor((to - from) / 1000);
    const body = {
        metric: "http" as const,
        step: `${step}s`,
        searchScope: scope,
        startTime: rfc3339(from),
        endTime: rfc3339(to),
    };
    const asked = useAsk(["series", body], (client, signal) =>
        client.POST("/api/v1/metrics/query", { body, signal }),
    );
    const brush = (start: number, end: number) => {
        const chosen = { start: new Date(start), end: new Date(end) };
        if (target === "window") {
            setRefused(false);
            set({
                from: rfc3339(chosen.start),
                to: rfc3339(chosen.end),
                base: props.ownBaseline ? baselineText(baseline) : undefined,
            });
            return;
        }
        const clipped = clipBaseline(chosen, window);
        setRefused(clipped === undefined);
        if (clipped) set({ base: baselineText(clipped) });
    };
    const choice = (value: "window" | "baseline", label: string) => (
        <label className="cb-check">
            <input type="radio" name="cb-drag" checked={target === value} onChange={() => setTarget(value)} />{" "}
            {label}
        </label>
    );
    return (
        <div className="cb-question">
            <div className="cb-toolbar cb-question-bar">
                <WindowText name="In question:" window={compared.window} className="cb-question-window" />
                <WindowText name="compared with:" window={compared.baseline} className="cb-question-before" />
                <span className="cb-question-drag" role="group" aria-label="A drag over the chart sets">
                    <span className="cb-quiet">drag sets</span>
                    {choice("window", "time in question")}
                    {choice("baseline", "time before")}
                </span>
                {props.ownBaseline ? (
                    <button type="button" className="cb-button" onClick={() => set({ base: undefined })}>
                        Compare with the usual time before
                    </button>
                ) : null}
            </div>
            {refused ? (
                <p className="cb-text-warning" role="status">
                    What it is compared with has to lie before the time in question, and last a minute.
                </p>
            ) : null}
            <Answer asked={asked} height={150}>
                {(series) => {
                    const { times, values } = failedShare(series as Series);
                    return (
                        <TimeChart
                            title="Requests that fail"
                            unit="share"
                            times={times}
                            lines={[{ name: "failed", role: "error", values, fill: true }]}
                            from={from}
                            to={to}
                            stepMs={step * 1000}
                            height={110}
                            bands={[
                                {
                                    from: compared.window.start.getTime(),
                                    to: compared.window.end.getTime(),
                                    text: "in question",
                                },
                                {
                                    kind: "before",
                                    from: compared.baseline.start.getTime(),
                                    to: compared.baseline.end.getTime(),
                                    text: "compared with",
                                },
                            ]}
                            onBrush={brush}
                            empty={times.length === 0 ? "No requests in this time" : undefined}
                        />
                    );
                }}
            </Answer>
        </div>
    );
}
