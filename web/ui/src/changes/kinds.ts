// Kinds of changes in words, and the mark of each in a lane.
import type { Schemas } from "../client";

export type Change = Schemas["ChangeRow"];

const WORDS: Record<Change["kind"], string> = {
    version: "version seen",
    image: "image",
    release: "release",
    "pod-template": "pod template",
    config: "configuration",
    scaling: "scaling",
    "image-pull": "image pull",
    oom: "out of memory",
    crash: "crash",
    restart: "restart",
    probe: "probe",
    scheduling: "scheduling",
    volume: "volume",
    network: "network",
    eviction: "eviction",
    node: "node",
    event: "event",
    component: "component",
    operation: "operation",
    callee: "callee",
    caller: "caller",
    pod: "pod",
    "log-pattern": "log pattern",
};

const SHAPES: Partial<Record<Change["kind"], string>> = {
    version: "●",
    image: "◆",
    release: "▶",
    "pod-template": "▪",
};

export const kindWord = (kind: string): string => WORDS[kind as Change["kind"]] ?? kind;

export function shapeOf(change: Pick<Change, "kind" | "type">): string {
    return change.type === "Warning" ? "▲" : (SHAPES[change.kind] ?? "•");
}

export function isDeployed(change: Pick<Change, "kind" | "type">): boolean {
    return change.type !== "Warning" && SHAPES[change.kind] !== undefined;
}

// What a lane is sorted by and drawn above others: what people did, and what warns.
export function isMain(change: Pick<Change, "kind" | "type">): boolean {
    return change.type === "Warning" || isDeployed(change);
}

// Names a change in the address.
export function changeKey(change: Change): string {
    const what = change.to ?? change.from ?? change.objectName ?? "";
    return [change.timestamp, change.component, change.kind, what].join("/");
}

export interface ChangeFilters {
    kinds: readonly string[]; // none: all
    warnings: boolean;
    text: string;
}

export function isWanted(change: Change, filters: ChangeFilters): boolean {
    if (filters.warnings && change.type !== "Warning") return false;
    if (filters.kinds.length > 0 && !filters.kinds.includes(change.kind)) return false;
    if (filters.text === "") return true;
    const { title, message, component, reason, commit, objectName } = change;
    const text = [title, message, component, reason, commit, objectName].join("\n").toLowerCase();
    return text.includes(filters.text.toLowerCase());
}
