// The components of a scope with their figures, as the overview, the project and
// the search read them: one question (of pages), then one with what costs more.
import { useMemo } from "react";
import { useParam } from "./address";
import { useAsk, type Asked } from "./ask";
import { dataOf, type Client, type Schemas } from "./client";
import { healthOf, type Health, type HealthThresholds } from "./health";
import { useHealthThresholds } from "./session";
import type { Scope } from "./scope";
import { rfc3339, type TimeRange } from "./time";

export type ComponentList = Schemas["ComponentList"];
export type ComponentEntry = ComponentList["components"][number];

// An entry with what is judged of it.
export interface ComponentRow extends ComponentEntry {
    key: string;
    health: Health;
    // What its figures are compared with; absent: nothing, as it is off or too new.
    before?: Schemas["Figures"];
}

const PAGE = 1000;
const MOST_PAGES = 20;
const SPARK_STEPS = 30;

export function lastSeenOf(lastSeen: ComponentEntry["lastSeen"]): string | undefined {
    return Object.values(lastSeen ?? {})
        .sort((a, b) => Date.parse(a) - Date.parse(b))
        .at(-1);
}

export function componentHealth(entry: ComponentEntry, limits?: HealthThresholds): Health {
    return healthOf(
        {
            requests: entry.requestCount,
            errorRatio: entry.errorRatio,
            p99: entry.latency?.p99,
            previousRequests: entry.previous.requestCount,
            previousP99: entry.previous.latency?.p99,
            declared: entry.declared,
            everSeen: entry.rule !== "none",
        },
        limits,
    );
}

export function componentKey(entry: {
    namespace: string;
    project: string;
    component: string;
    environment?: string;
}): string {
    return [entry.namespace, entry.project, entry.component, entry.environment ?? ""].join("\u0000");
}

// Figures of before say nothing if it first sent between their start and the end
// of the window. firstSeen is an arrival: history that was sent later is all there.
export function wasThere(firstSeen: string | undefined, window: Window): boolean {
    if (firstSeen === undefined) return true;
    const [start, end, first] = [window.startTime, window.endTime, firstSeen].map((at) => Date.parse(at));
    return first! <= 2 * start! - end! || first! > end!;
}

type Window = ComponentList["window"];

export function toRows(list: ComponentList, limits?: HealthThresholds, compare = true): ComponentRow[] {
    return list.components.map((entry) => ({
        ...entry,
        key: componentKey(entry),
        health: componentHealth(entry, limits),
        before: compare && wasThere(entry.firstSeen, list.window) ? entry.previous : undefined,
    }));
}

type ListQuery = {
    namespace?: string;
    project?: string;
    component?: string;
    environment?: string;
    startTime?: string;
    endTime?: string;
    spark?: number;
    details?: boolean;
};

// All pages as one answer.
async function askAll(client: Client, query: ListQuery, signal: AbortSignal) {
    const ask = (cursor?: string) =>
        client.GET("/api/v1/components", { params: { query: { ...query, limit: PAGE, cursor } }, signal });
    const first = await ask();
    if (!first.data?.nextCursor) return first;
    const all: ComponentList = { ...first.data, components: [...first.data.components] };
    for (let page = 1; page < MOST_PAGES && all.nextCursor; page++) {
        const next = await dataOf(ask(all.nextCursor));
        all.components.push(...next.components);
        all.nextCursor = next.nextCursor;
    }
    return { ...first, data: all };
}

export interface Components {
    asked: Asked<ComponentList>;
    rows: readonly ComponentRow[];
}

const NONE: readonly ComponentRow[] = [];

// The list without sparklines is drawn first; sparklines, log errors, pods and
// the last change follow and take its place.
export function useComponents(scope: Scope, range: TimeRange, enabled = true): Components {
    const query: ListQuery = {
        namespace: scope.namespace,
        project: scope.project,
        environment: scope.environment,
        startTime: rfc3339(range.start),
        endTime: rfc3339(range.end),
    };
    const plain = useAsk(["components", query], (client, signal) => askAll(client, query, signal), {
        enabled,
    });
    const rich = { ...query, spark: SPARK_STEPS, details: true };
    const extra = useAsk(["components", rich], (client, signal) => askAll(client, rich, signal), {
        enabled: enabled && plain.isSuccess && !plain.isPlaceholderData,
    });
    const limits = useHealthThresholds();
    const [cmp] = useParam("cmp");
    const fresh = extra.data !== undefined && !extra.isPlaceholderData;
    const rows = useMemo(() => {
        const data = fresh ? extra.data : withOldExtra(plain.data, extra.data);
        return data ? toRows(data, limits, cmp !== "off") : NONE;
    }, [plain.data, extra.data, fresh, limits, cmp]);
    return { asked: plain, rows };
}

// While the newest sparklines are on their way, those of before stay.
function withOldExtra(plain?: ComponentList, before?: ComponentList): ComponentList | undefined {
    if (!plain || !before) return plain;
    const old = new Map(before.components.map((entry) => [componentKey(entry), entry]));
    const components = plain.components.map((entry) => {
        const { spark, logErrors, pods, lastChange } = old.get(componentKey(entry)) ?? {};
        return { ...entry, spark, logErrors, pods, lastChange };
    });
    return { ...plain, components };
}
