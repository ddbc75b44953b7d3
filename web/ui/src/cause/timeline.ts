// What happened, in the order of time: onsets, changes, log lines, remarks.
import { plainText, type Cause } from "../cause";

export interface TimelineEntry {
    at: string;
    kind: "cause" | "effect" | "change" | "log" | "remark" | "incident";
    component?: string;
    text: string;
}

export const TIMELINE_WORDS: Record<TimelineEntry["kind"], string> = {
    cause: "cause",
    effect: "follows",
    change: "change",
    log: "log line",
    remark: "telemetry",
    incident: "earlier incident",
};

const SUSPECTS = 5;

export function timelineOf(cause: Cause): TimelineEntry[] {
    const entries: TimelineEntry[] = [];
    const onPath = new Set(cause.path.map((step) => step.component));
    const suspects = cause.found ? cause.suspects.slice(0, SUSPECTS) : [];
    suspects.forEach((suspect, i) => {
        const evidence = suspect.evidence.find((item) => item.class !== "change");
        if (suspect.onset && evidence && (i === 0 || suspect.explainedBy || onPath.has(suspect.component)))
            entries.push({
                at: suspect.onset,
                kind: i === 0 ? "cause" : "effect",
                component: suspect.component,
                text: plainText(evidence.text),
            });
    });
    for (const change of cause.changes)
        entries.push({
            at: change.timestamp,
            kind: "change",
            component: change.component,
            text: change.text,
        });
    for (const line of cause.logs)
        entries.push({
            at: line.timestamp,
            kind: "log",
            component: cause.suspects[0]?.component,
            text: `${line.log} (${line.count} times, ${line.countBefore} before)`,
        });
    for (const remark of cause.remarks)
        entries.push({ at: remark.startTime, kind: "remark", text: remark.text });
    for (const other of cause.otherIncidents)
        entries.push({ at: other.startTime, kind: "incident", component: other.component, text: other.text });
    // Of one time: what changed, then the cause, then what follows.
    const order = ["change", "cause", "effect", "log", "remark", "incident"];
    return entries.sort(
        (a, b) => Date.parse(a.at) - Date.parse(b.at) || order.indexOf(a.kind) - order.indexOf(b.kind),
    );
}
