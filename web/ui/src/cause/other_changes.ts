// What was deployed before a failure, in the component that is to blame and in
// others: the first suspicion of a reader, which deserves an answer.
import type { Cause } from "../cause";

export interface OtherChange {
    component: string;
    project?: string;
    at: string;
    text: string;
    afterOnset: boolean;
}

const DEPLOYED = ["version", "image", "release"];

// Onsets are minutes, or between readings of a metric.
const ONSET_ERROR = 60_000;

// The change of the first suspect, before it began to fail, that says most.
export function changeOfSuspect(cause: Cause): Cause["changes"][number] | undefined {
    const [first] = cause.suspects;
    if (!cause.found || !first) return undefined;
    const until = first.onset === undefined ? Infinity : Date.parse(first.onset) + ONSET_ERROR;
    const own = cause.changes.filter(
        (change) => change.component === first.component && Date.parse(change.timestamp) <= until,
    );
    for (const kind of DEPLOYED) {
        const found = own.filter((change) => change.kind === kind).at(-1);
        if (found) return found;
    }
    return undefined;
}

// Of each component other than the first suspect, the change that says most.
export function otherChanges(cause: Cause): OtherChange[] {
    const [first] = cause.suspects;
    if (!cause.found || !first) return [];
    const found = new Map<string, Cause["changes"][number]>();
    for (const change of cause.changes) {
        const { component } = change;
        const rank = DEPLOYED.indexOf(change.kind ?? "");
        if (rank < 0 || !component || component === first.component) continue;
        const before = found.get(component);
        if (!before || rank < DEPLOYED.indexOf(before.kind ?? "")) found.set(component, change);
    }
    return [...found].map(([component, change]) => ({
        component,
        project: change.project,
        at: change.timestamp,
        text: change.text,
        afterOnset: first.onset !== undefined && Date.parse(change.timestamp) > Date.parse(first.onset),
    }));
}
