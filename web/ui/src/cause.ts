// The answer of the root cause, asked for a scope and the page's time.
import { useAsk } from "./ask";
import type { Schemas } from "./client";
import { rfc3339, type TimeRange } from "./time";

export type Cause = Schemas["CauseResponse"];
export type Suspect = Cause["suspects"][number];

interface CauseScope {
    namespace: string;
    project: string;
    component?: string;
    environment?: string;
}

export function useCause(scope: CauseScope, range: TimeRange, enabled: boolean) {
    const query = { ...scope, startTime: rfc3339(range.start), endTime: rfc3339(range.end) };
    return useAsk(
        ["cause", query],
        (client, signal) => client.GET("/api/v1/cause", { params: { query }, signal }),
        { enabled },
    );
}

// The first evidence of the first suspect. When it was counted from is a detail.
export function causeText(suspect: Suspect): string {
    return (suspect.evidence[0]?.text ?? "stands out").replace(/ \(counted from [^)]*\)/, "");
}
