// What the page of a component asks. Before it can be read: the page, its
// incidents and, if it is not well, the cause. The rest follows.
import { useMemo } from "react";
import { useAsk } from "../ask";
import { dataOf, type Schemas } from "../client";
import { componentHealth } from "../components";
import type { Incident } from "../incidents";
import type { Health } from "../health";
import { useHealthThresholds } from "../session";
import { rfc3339, type TimeRange } from "../time";

export type ComponentPage = Schemas["ComponentPage"];
export type Figures = Schemas["Figures"];
export type Change = NonNullable<ComponentPage["changes"]>[number];
export type TraceExample = Schemas["TraceExample"];

export interface ComponentScope {
    namespace: string;
    project: string;
    component: string;
    environment?: string;
}

// Of what requests: all, those of an endpoint, or of an operation.
export interface Only {
    endpoint?: string;
    operation?: string;
}

const SPARK_STEPS = 30;

export function useComponentPage(
    scope: ComponentScope,
    window: { start: Date; end: Date },
    options: { only?: Only; spark?: boolean; exemplars?: boolean; heat?: boolean; enabled?: boolean } = {},
) {
    const { namespace, project, component, environment } = scope;
    const path = { namespace, project, component };
    const query = {
        environment,
        startTime: rfc3339(window.start),
        endTime: rfc3339(window.end),
        ...options.only,
        spark: options.spark ? SPARK_STEPS : undefined,
        exemplars: options.exemplars || undefined,
        heat: options.heat || undefined,
    };
    return useAsk(
        ["component", path, query],
        (client, signal) =>
            client.GET("/api/v1/components/{namespace}/{project}/{component}", {
                params: { path, query },
                signal,
            }),
        { enabled: options.enabled },
    );
}

// How far back what is compared lies; undefined: nothing is compared.
export function compareShift(cmp: string | undefined, range: TimeRange): number | undefined {
    if (cmp === "off") return undefined;
    const days = /^(\d{1,3})d$/.exec(cmp ?? "");
    if (days) return Number(days[1]) * 86_400_000;
    return range.end.getTime() - range.start.getTime();
}

export const BEFORE_TEXT: Record<string, string> = { "1d": "a day before", "7d": "a week before" };

// The same component earlier.
export function useBefore(
    scope: ComponentScope,
    range: TimeRange,
    shift: number | undefined,
    only: Only,
    enabled: boolean,
) {
    const window = {
        start: new Date(range.start.getTime() - (shift ?? 0)),
        end: new Date(range.end.getTime() - (shift ?? 0)),
    };
    return useComponentPage(scope, window, { only, enabled: enabled && shift !== undefined });
}

// What this component had of an incident.
export type OwnIncident = Schemas["IncidentComponent"] & { text: string };

export function ownIncidents(incidents: readonly Incident[], scope: ComponentScope): OwnIncident[] {
    return incidents.flatMap(({ text, components, ...head }) => {
        const own = [head, ...components].find(
            (one) =>
                one.component === scope.component &&
                one.project === scope.project &&
                (!scope.environment || one.environment === scope.environment),
        );
        return own ? [{ ...own, text }] : [];
    });
}

export function isWarning(change: Change): boolean {
    return change.type === "Warning";
}

export function usePageHealth(page: ComponentPage | undefined): Health {
    const limits = useHealthThresholds();
    return useMemo(() => {
        if (!page || (page.component.rule === "none" && !page.component.declared)) return "unknown";
        const health = componentHealth({ ...page.component, ...page.summary }, limits);
        return health === "ok" && page.changes?.some(isWarning) ? "warning" : health;
    }, [page, limits]);
}

// ---- Below the fold ----

export function logScope(scope: ComponentScope) {
    const { namespace, project, component, environment } = scope;
    return { namespace, project, component, environment };
}

export function useErrorLines(scope: ComponentScope, range: { start: Date; end: Date }, limit: number) {
    const body = {
        searchScope: logScope(scope),
        startTime: rfc3339(range.start),
        endTime: rfc3339(range.end),
        logLevels: ["ERROR" as const],
        limit,
    };
    return useAsk(["logs", body], (client, signal) => client.POST("/api/v1/logs/query", { body, signal }));
}

export function useLogVolume(scope: ComponentScope, range: TimeRange) {
    const body = {
        searchScope: logScope(scope),
        startTime: rfc3339(range.start),
        endTime: rfc3339(range.end),
    };
    return useAsk(["log volume", body], (client, signal) =>
        client.POST("/api/v1/logs/histogram", { body, signal }),
    );
}

// Environments in which a component of this name was seen or is declared.
export function useOtherEnvironments(scope: ComponentScope, enabled: boolean) {
    const { namespace, project, component } = scope;
    return useAsk(
        ["environments", namespace, project, component],
        async (client, signal) => {
            const query = { namespace, project, component };
            const data = await dataOf(client.GET("/api/v1/components", { params: { query }, signal }));
            return { data: data.components, response: new Response() };
        },
        { enabled },
    );
}
