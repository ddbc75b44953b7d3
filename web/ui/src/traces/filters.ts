// Which traces are asked for, between the address and the requests.
import type { Params } from "../address";
import type { Schemas } from "../client";
import type { Scope } from "../scope";
import { rfc3339 } from "../time";

// A part of the picture: ms since 1970, and seconds of duration.
export interface Box {
    from: number;
    to: number;
    shortest: number;
    longest: number;
}

export interface TraceFilters {
    operation?: string;
    minNs?: number;
    maxNs?: number;
    failed: boolean;
    attributes: Readonly<Record<string, string>>;
    box?: Box;
    sort: "time" | "duration";
}

const ATTRIBUTE = "attr.";
const UNITS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

// "20ms", "1.5 s"; a number alone is seconds. Undefined: it is no duration.
export function durationNs(text: string | undefined): number | undefined {
    const [, number, unit] =
        /^\s*(\d+(?:\.\d+)?(?:e-?\d+)?)\s*(ns|us|µs|ms|s|m|h)?\s*$/.exec(text ?? "") ?? [];
    if (number === undefined) return undefined;
    return Math.round(Number(number) * UNITS[unit ?? "s"]!);
}

export function boxOf(text: string | undefined): Box | undefined {
    const [from, to, shortest, longest] = (text ?? "").split(",");
    const box = {
        from: Date.parse(from ?? ""),
        to: Date.parse(to ?? ""),
        shortest: Number(shortest),
        longest: Number(longest),
    };
    return box.from < box.to && box.shortest < box.longest ? box : undefined;
}

export function boxText(box: Box): string {
    const seconds = (value: number) => String(Number(value.toPrecision(6)));
    return [rfc3339(box.from), rfc3339(box.to), seconds(box.shortest), seconds(box.longest)].join(",");
}

export function filtersOf(params: Params): TraceFilters {
    const attributes = Object.entries(params)
        .filter(([name]) => name.startsWith(ATTRIBUTE) && name.length > ATTRIBUTE.length)
        .map(([name, value]) => [name.slice(ATTRIBUTE.length), value]);
    return {
        operation: params.op,
        minNs: durationNs(params.min),
        maxNs: durationNs(params.max),
        failed: params.errors === "1",
        attributes: Object.fromEntries(attributes),
        box: boxOf(params.box),
        sort: params.sort === "duration" ? "duration" : "time",
    };
}

// The parameters that filter, to be dropped at once.
export function filterParams(params: Params): string[] {
    const fixed = ["op", "min", "max", "errors", "box"].filter((name) => params[name]);
    return [...fixed, ...Object.keys(params).filter((name) => name.startsWith(ATTRIBUTE))];
}

export type TracesBody = Schemas["TracesQueryRequest"];

const goDuration = (ns: number | undefined) =>
    ns === undefined ? undefined : `${Math.max(0, Math.round(ns))}ns`;

// Without the box: that of the picture.
export function tracesBody(
    scope: Scope,
    range: { start: Date; end: Date },
    filters: TraceFilters,
): TracesBody {
    return {
        startTime: rfc3339(range.start),
        endTime: rfc3339(range.end),
        searchScope: {
            namespace: scope.namespace ?? "",
            project: scope.project,
            component: scope.project ? scope.component : undefined,
            environment: scope.environment,
        },
        limit: 1000,
        operation: filters.operation,
        minDuration: goDuration(filters.minNs),
        maxDuration: goDuration(filters.maxNs),
        errorsOnly: filters.failed || undefined,
        attributes: Object.keys(filters.attributes).length > 0 ? { ...filters.attributes } : undefined,
    };
}

// The request within the box.
export function withinBox(body: TracesBody, box: Box): TracesBody {
    const times = [Date.parse(body.startTime), Date.parse(body.endTime)] as const;
    return {
        ...body,
        startTime: rfc3339(Math.max(times[0], box.from)),
        endTime: rfc3339(Math.min(times[1], box.to)),
        minDuration: goDuration(Math.max(durationNs(body.minDuration) ?? 0, box.shortest * 1e9)),
        maxDuration: goDuration(Math.min(durationNs(body.maxDuration) ?? Infinity, box.longest * 1e9)),
    };
}
