// The time in question and the time that it is compared with.
import type { Window } from "../cause";

const MINUTE = 60_000;

// As the server chooses it: three times as long, until a minute before.
export function defaultBaseline(window: Window): Window {
    const start = window.start.getTime();
    const length = window.end.getTime() - start;
    return { start: new Date(start - MINUTE - 3 * length), end: new Date(start - MINUTE) };
}

// "from,to" of the address; undefined if it is no time.
export function parseBaseline(text: string | undefined): Window | undefined {
    const [from, to] = (text ?? "").split(",").map((part) => Date.parse(part));
    if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to) || from >= to)
        return undefined;
    return { start: new Date(from), end: new Date(to) };
}

export function baselineText({ start, end }: Window): string {
    return `${start.toISOString()},${end.toISOString()}`;
}

// What of a baseline lies before the window: it has to.
export function clipBaseline(baseline: Window, window: Window): Window | undefined {
    const end = Math.min(baseline.end.getTime(), window.start.getTime());
    return end - baseline.start.getTime() >= MINUTE
        ? { start: baseline.start, end: new Date(end) }
        : undefined;
}
