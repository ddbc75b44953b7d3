// Time ranges of the address: "now-1h" and "now", or RFC 3339.
import { useMemo, useSyncExternalStore } from "react";
import { usePlace } from "./host";

export interface TimeRange {
    from: string; // as in the address
    to: string;
    start: Date;
    end: Date;
    relative: boolean; // `to` is now
}

export const DEFAULT_FROM = "now-1h";
export const DEFAULT_TO = "now";
const UNITS: Record<string, number> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3, w: 7 * 86400e3 };

// Milliseconds since 1970, or undefined if the text is no time.
export function parseTime(text: string, now: number): number | undefined {
    const relative = /^now(?:-(\d{1,6})([smhdw]))?$/.exec(text);
    if (relative) return now - Number(relative[1] ?? 0) * (UNITS[relative[2] ?? "s"] ?? 0);
    if (!/^\d{4}-\d{2}-\d{2}T/.test(text)) return undefined;
    const at = Date.parse(text);
    return Number.isNaN(at) ? undefined : at;
}

// The range of the address; what is wrong in it falls back to the default.
export function resolveRange(from: string | undefined, to: string | undefined, now: number): TimeRange {
    let fromText = from ?? DEFAULT_FROM;
    let toText = to ?? DEFAULT_TO;
    let start = parseTime(fromText, now);
    let end = parseTime(toText, now);
    if (start === undefined || end === undefined || start >= end) {
        [fromText, toText] = [DEFAULT_FROM, DEFAULT_TO];
        start = parseTime(fromText, now)!;
        end = now;
    }
    return {
        from: fromText,
        to: toText,
        start: new Date(start),
        end: new Date(end),
        relative: toText === "now",
    };
}

// ---- Steps from one range to another, as parameters of the address. ----

export type RangeText = { from: string; to: string };

// "now-90m": in the largest unit that divides it.
function beforeNow(ms: number): string {
    const seconds = Math.max(1, Math.round(ms / 1000));
    const units: [string, number][] = [
        ["d", 86_400],
        ["h", 3600],
        ["m", 60],
    ];
    const [unit, size] = units.find(([, each]) => seconds % each === 0) ?? ["s", 1];
    return `now-${seconds / size}${unit}`;
}

// A range that would end in the future ends now instead, and goes on with it.
function rangeText(start: number, end: number, now: number): RangeText {
    if (end >= now) return { from: beforeNow(end - start), to: "now" };
    return { from: rfc3339(start), to: rfc3339(end) };
}

// Twice the length, around the same middle.
export function zoomedOut(range: TimeRange, now: number): RangeText {
    const [start, end] = [range.start.getTime(), range.end.getTime()];
    const length = end - start;
    if (range.relative) return { from: beforeNow(2 * length), to: "now" };
    return rangeText(start - length / 2, end + length / 2, now);
}

// The range before (-1) or after (1) it, of the same length.
export function shifted(range: TimeRange, by: -1 | 1, now: number): RangeText {
    const [start, end] = [range.start.getTime(), range.end.getTime()];
    const length = end - start;
    return rangeText(start + by * length, end + by * length, now);
}

// ---- The clock of the page: what "now" is until somebody asks again. ----

let clock = Date.now();
const listeners = new Set<() => void>();

// A new "now": the page asks again. Live calls it, and the button "ask again".
export function advanceClock(to: number = Date.now()): void {
    clock = to;
    for (const listener of listeners) listener();
}

export function useClock(): number {
    return useSyncExternalStore(
        (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        () => clock,
    );
}

export function useTimeRange(): TimeRange {
    const { params } = usePlace();
    const now = useClock();
    return useMemo(() => resolveRange(params.from, params.to, now), [params.from, params.to, now]);
}

// RFC 3339 to the millisecond, as addresses and requests have it.
export function rfc3339(time: Date | number): string {
    return new Date(time).toISOString();
}

// Nanoseconds of an RFC 3339 timestamp since 1970; Date keeps milliseconds only.
export function nanoseconds(timestamp: string): bigint {
    const [, whole = "", fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(timestamp) ?? [];
    const seconds = BigInt(Date.parse(whole + "Z")) / 1000n;
    return seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
}
