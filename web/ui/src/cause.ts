// The answer of the root cause, asked for a scope and a time.
import { useMemo } from "react";
import { useAsk } from "./ask";
import type { Schemas } from "./client";
import { formatShare } from "./format";
import { rfc3339, type TimeRange } from "./time";

export type Cause = Schemas["CauseResponse"];
export type Suspect = Cause["suspects"][number];
export type Evidence = Suspect["evidence"][number];

export interface CauseScope {
    namespace: string;
    project: string;
    component?: string;
    environment?: string;
}

export interface Window {
    start: Date;
    end: Date;
}

// The body of a question; without a baseline the server takes its own.
export function causeBody(scope: CauseScope, window: Window, baseline?: Window) {
    const times = ({ start, end }: Window) => ({ startTime: rfc3339(start), endTime: rfc3339(end) });
    return { searchScope: scope, ...times(window), baseline: baseline && times(baseline) };
}

export function causeKey(scope: CauseScope, window: Window, baseline?: Window): readonly unknown[] {
    return ["cause", causeBody(scope, window, baseline)];
}

export function useCause(
    scope: CauseScope,
    window: Window | TimeRange,
    enabled: boolean,
    options: { baseline?: Window; keep?: boolean } = {},
) {
    const body = causeBody(scope, window, options.baseline);
    return useAsk(
        causeKey(scope, window, options.baseline),
        (client, signal) => client.POST("/api/v1/cause", { body, signal }),
        { enabled, keep: options.keep },
    );
}

const MINUTE = 60_000;

// The range in whole minutes, as the analysis counts: a page that follows the time
// asks once a minute.
export function useWholeMinutes(range: Window): Window {
    const start = Math.floor(range.start.getTime() / MINUTE) * MINUTE;
    const end = Math.ceil(range.end.getTime() / MINUTE) * MINUTE;
    return useMemo(() => ({ start: new Date(start), end: new Date(end) }), [start, end]);
}

// A text of the analysis without what is a detail: when it was counted from.
export function plainText(text: string): string {
    return text.replace(/ \(counted from [^)]*\)/, "");
}

// The first evidence of the first suspect.
export function causeText(suspect: Suspect): string {
    return plainText(suspect.evidence[0]?.text ?? "stands out");
}

// Never "100 %": nobody is.
export function confidenceText(confidence: number): string {
    return `${confidence >= 0.995 ? "> 99 %" : formatShare(confidence)} sure`;
}
