// What was deployed before a failure and is not its cause: the first suspicion of
// a reader, which deserves an answer.
import type { Cause } from "../cause";

export interface OtherChange {
    component: string;
    project?: string;
    at: string;
    text: string;
    afterOnset: boolean;
}

const DEPLOYED = ["version", "image", "release"];

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
