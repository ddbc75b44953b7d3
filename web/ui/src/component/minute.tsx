// The minute at the crosshair (key v): its error lines and its traces.
import { useParam, useSetParams } from "../address";
import { formatSeconds, formatTime } from "../format";
import { Panel } from "../parts/panel";
import { Name, PageLink, Time } from "../parts/marks";
import { Answer } from "../states";
import { useAsk } from "../ask";
import { rfc3339 } from "../time";
import { LogLines } from "./log_lines";
import { logScope, useErrorLines, type ComponentScope } from "./page_data";

const MINUTE = 60_000;
const FEW = 5;

function MinuteTraces({ scope, window }: { scope: ComponentScope; window: { start: Date; end: Date } }) {
    const body = {
        searchScope: logScope(scope),
        startTime: rfc3339(window.start),
        endTime: rfc3339(window.end),
        limit: FEW,
    };
    const asked = useAsk(["traces", body], (client, signal) =>
        client.POST("/api/v1alpha1/traces/query", { body, signal }),
    );
    return (
        <Answer asked={asked} height={FEW * 26}>
            {({ traces }) =>
                traces.length === 0 ? (
                    <p className="cb-quiet">No trace in this minute.</p>
                ) : (
                    <ol className="cb-loglines" aria-label="Traces of this minute">
                        {traces.map((trace) => (
                            <li key={trace.traceId} className="cb-logline">
                                <Time at={trace.startTime} ms />
                                <PageLink page="trace" params={{ id: trace.traceId }}>
                                    <Name text={trace.traceName} />
                                </PageLink>
                                <span>{formatSeconds(trace.durationNs / 1e9)}</span>
                                {trace.hasErrors ? <span className="cb-text-bad">! failed</span> : null}
                            </li>
                        ))}
                    </ol>
                )
            }
        </Answer>
    );
}

export function MinutePanel({ scope, at }: { scope: ComponentScope; at: number }) {
    const [, setMinute] = useParam("minute");
    const set = useSetParams();
    const start = new Date(Math.floor(at / MINUTE) * MINUTE);
    const window = { start, end: new Date(start.getTime() + MINUTE) };
    const range = { from: rfc3339(window.start), to: rfc3339(window.end), live: undefined };
    const errors = useErrorLines(scope, window, FEW);
    return (
        <Panel
            label="Minute"
            title={
                <>
                    {formatTime(window.start)} to {formatTime(window.end)}
                </>
            }
            tools={
                <>
                    <PageLink page="logs" params={range} className="cb-button">
                        Logs
                    </PageLink>
                    <PageLink page="traces" params={range} className="cb-button">
                        Traces
                    </PageLink>
                    <button
                        type="button"
                        className="cb-button"
                        onClick={() => set({ ...range, minute: undefined })}
                    >
                        Zoom in
                    </button>
                </>
            }
            onClose={() => setMinute(undefined)}
        >
            <div className="cb-columns">
                <Answer asked={errors} height={FEW * 26}>
                    {({ logs }) =>
                        logs.length === 0 ? (
                            <p className="cb-quiet">No error line in this minute.</p>
                        ) : (
                            <LogLines entries={logs} label="Error lines of this minute" />
                        )
                    }
                </Answer>
                <MinuteTraces scope={scope} window={window} />
            </div>
        </Panel>
    );
}
