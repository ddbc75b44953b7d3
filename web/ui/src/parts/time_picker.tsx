// The time range: presets, from and to in local time, earlier, later, out.
import { useState, type FormEvent } from "react";
import { useSetParams } from "../address";
import { formatTime } from "../format";
import { parseTime, rfc3339, shifted, useClock, useTimeRange, zoomedOut } from "../time";
import { Popup } from "./popup";

const PRESETS = [
    ["5m", "5 minutes"],
    ["15m", "15 minutes"],
    ["30m", "30 minutes"],
    ["1h", "hour"],
    ["3h", "3 hours"],
    ["6h", "6 hours"],
    ["12h", "12 hours"],
    ["24h", "24 hours"],
    ["2d", "2 days"],
    ["7d", "7 days"],
    ["30d", "30 days"],
] as const;

const WORDS: Record<string, string> = { s: "s", m: "min", h: "h", d: "days", w: "weeks" };

// "Last 30 min", "08:00 – 08:30".
function rangeText(range: ReturnType<typeof useTimeRange>, now: number): string {
    const relative = /^now-(\d+)([smhdw])$/.exec(range.from);
    if (relative && range.relative) return `Last ${relative[1]} ${WORDS[relative[2]!]}`;
    const sameDay = range.start.toDateString() === range.end.toDateString();
    const from = formatTime(range.start, { now });
    const to = range.relative
        ? "now"
        : sameDay
          ? formatTime(range.end, { now: range.end.getTime() })
          : formatTime(range.end, { now });
    return `${from} – ${to}`;
}

// As a field of type datetime-local has it: local time without a zone.
function localText(date: Date): string {
    const shift = date.getTimezoneOffset() * 60_000;
    return new Date(date.getTime() - shift).toISOString().slice(0, 19);
}

function Absolute(props: { close: () => void }) {
    const range = useTimeRange();
    const setParams = useSetParams();
    const [from, setFrom] = useState(localText(range.start));
    const [to, setTo] = useState(localText(range.end));
    const [wrong, setWrong] = useState<string>();
    const apply = (event: FormEvent) => {
        event.preventDefault();
        const [start, end] = [new Date(from), new Date(to)];
        if (Number.isNaN(start.getTime()) || Number.isNaN(end.getTime())) setWrong("Both times are needed.");
        else if (start >= end) setWrong("The first time must be before the second.");
        else {
            setParams({ from: rfc3339(start), to: rfc3339(end), live: undefined });
            props.close();
        }
    };
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return (
        <form className="cb-time-absolute" onSubmit={apply}>
            <label>
                From
                <input
                    className="cb-input"
                    type="datetime-local"
                    step="1"
                    value={from}
                    onChange={(e) => setFrom(e.target.value)}
                />
            </label>
            <label>
                To
                <input
                    className="cb-input"
                    type="datetime-local"
                    step="1"
                    value={to}
                    onChange={(e) => setTo(e.target.value)}
                />
            </label>
            <p className="cb-quiet">Local time ({zone})</p>
            {wrong ? (
                <p className="cb-text-bad" role="alert">
                    {wrong}
                </p>
            ) : null}
            <button type="submit" className="cb-button">
                Show this time
            </button>
        </form>
    );
}

// Steps of the range, for buttons and keys.
export function useTimeSteps() {
    const range = useTimeRange();
    const now = useClock();
    const setParams = useSetParams();
    const ended = parseTime(range.to, now)! >= now;
    return {
        earlier: () => setParams({ ...shifted(range, -1, now), live: undefined }),
        later: () => !ended && setParams(shifted(range, 1, now)),
        out: () => setParams(zoomedOut(range, now)),
        ended,
    };
}

export function TimePicker(props: { open: boolean; onOpen: (open: boolean) => void }) {
    const range = useTimeRange();
    const now = useClock();
    const setParams = useSetParams();
    const steps = useTimeSteps();
    const text = rangeText(range, now);
    const choose = (preset: string) => {
        setParams({ from: `now-${preset}`, to: "now" });
        props.onOpen(false);
    };
    return (
        <span className="cb-time" role="group" aria-label="Time range">
            <button
                type="button"
                className="cb-button"
                onClick={steps.earlier}
                title="Earlier ( [ )"
                aria-label="Earlier"
            >
                ◂
            </button>
            <Popup
                label={`Time: ${text}`}
                button={
                    <>
                        {text} <span aria-hidden="true">▾</span>
                    </>
                }
                title={`${rfc3339(range.start)} to ${rfc3339(range.end)}`}
                {...props}
            >
                <div className="cb-time-panel">
                    <ul aria-label="Presets">
                        {PRESETS.map(([preset, words]) => (
                            <li key={preset}>
                                <button
                                    type="button"
                                    aria-current={
                                        range.relative && range.from === `now-${preset}` ? "true" : undefined
                                    }
                                    onClick={() => choose(preset)}
                                >
                                    Last {words}
                                </button>
                            </li>
                        ))}
                    </ul>
                    <Absolute close={() => props.onOpen(false)} />
                </div>
            </Popup>
            <button
                type="button"
                className="cb-button"
                disabled={steps.ended}
                onClick={steps.later}
                title="Later ( ] )"
                aria-label="Later"
            >
                ▸
            </button>
            <button
                type="button"
                className="cb-button"
                onClick={steps.out}
                title="Twice the time ( z )"
                aria-label="Zoom out"
            >
                −
            </button>
        </span>
    );
}
