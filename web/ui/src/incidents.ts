// Times in which components of a scope failed or were slow, and the time that the
// cause is asked for: the incident's own, so that it is compared with the time before it.
import { useWholeMinutes, type Window } from "./cause";
import { useAsk } from "./ask";
import type { Schemas } from "./client";
import type { Scope } from "./scope";
import { rfc3339, type TimeRange } from "./time";

export type Incident = Schemas["Incident"];

const MOST = 50;

export function useIncidents(scope: Scope, range: TimeRange, enabled = true) {
    const query = { ...scope, startTime: rfc3339(range.start), endTime: rfc3339(range.end), limit: MOST };
    return useAsk(
        ["incidents", query],
        (client, signal) => client.GET("/api/v1/incidents", { params: { query }, signal }),
        { enabled },
    );
}

// The one that lasts, else the latest.
export function foremost<Some extends { endTime?: string }>(incidents: readonly Some[]): Some | undefined {
    return incidents.find((one) => !one.endTime) ?? incidents[0];
}

// In whole minutes, as the analysis counts: a page that follows the time asks once a minute.
export function useCauseWindow(
    incident: { startTime: string; endTime?: string } | undefined,
    range: TimeRange,
): Window {
    const { startTime, endTime } = incident ?? {};
    const end = endTime ? new Date(endTime) : range.end;
    // One that lasts, of the range before: the answer for this range is on its way.
    const known = startTime !== undefined && new Date(startTime) < end;
    return useWholeMinutes({ start: known ? new Date(startTime) : range.start, end });
}
