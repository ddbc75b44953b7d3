// What is asked of log records, between the address and the requests.
import type { Params } from "../address";
import type { Schemas } from "../client";
import type { Scope } from "../scope";

export type LogEntry = Schemas["LogEntry"];

// The worst first: the order of buttons and of the legend.
export const LEVELS = ["ERROR", "WARN", "INFO", "DEBUG"] as const;
export type LogLevel = (typeof LEVELS)[number];

export interface LogFilters {
    levels: readonly LogLevel[]; // none: all
    phrase?: string;
    words: readonly string[];
    attributes: Readonly<Record<string, string>>;
    trace?: string;
    span?: string;
    // Not known to the API: applied to the lines that were read.
    pod?: string;
    without: readonly (readonly [string, string])[];
}

const ATTRIBUTE = "attr.";
const WITHOUT = "not.";

function named(params: Params, prefix: string): [string, string][] {
    return Object.entries(params)
        .filter(([name]) => name.startsWith(prefix) && name.length > prefix.length)
        .map(([name, value]) => [name.slice(prefix.length), value]);
}

export function wordsOf(text: string | undefined): string[] {
    return (text ?? "").split(/[\s,]+/).filter((word) => word !== "");
}

export function filtersOf(params: Params): LogFilters {
    const wanted = wordsOf(params.level?.toUpperCase());
    return {
        levels: LEVELS.filter((level) => wanted.includes(level)),
        phrase: params.q,
        words: wordsOf(params.words),
        attributes: Object.fromEntries(named(params, ATTRIBUTE)),
        trace: params.trace,
        span: params.span,
        pod: params.pod,
        without: named(params, WITHOUT),
    };
}

export const attributeParam = (name: string) => ATTRIBUTE + name;
export const withoutParam = (name: string) => WITHOUT + name;

// The parameters that filter, to be dropped at once.
export function filterParams(params: Params): string[] {
    const fixed = ["level", "q", "words", "trace", "span", "pod"].filter((name) => params[name]);
    const open = Object.keys(params).filter((name) => name.startsWith(ATTRIBUTE) || name.startsWith(WITHOUT));
    return [...fixed, ...open];
}

export type LogsBody = Omit<Schemas["LogHistogramRequest"], "step">;

export function searchScope(scope: Scope): Schemas["ComponentSearchScope"] {
    return {
        namespace: scope.namespace ?? "",
        project: scope.project,
        component: scope.project ? scope.component : undefined,
        environment: scope.environment,
    };
}

// The part that the search and the histogram share.
export function requestBody(
    scope: Scope,
    range: { startTime: string; endTime: string },
    filters: LogFilters,
): LogsBody {
    return {
        ...range,
        searchScope: searchScope(scope),
        logLevels: filters.levels.length > 0 ? [...filters.levels] : undefined,
        searchPhrase: filters.phrase,
        searchWords: filters.words.length > 0 ? [...filters.words] : undefined,
        attributes: Object.keys(filters.attributes).length > 0 ? { ...filters.attributes } : undefined,
        traceId: filters.trace,
        spanId: filters.span,
    };
}

// The same as parameters of a GET (tail, patterns).
export function requestQuery(scope: Scope, filters: LogFilters) {
    const attributes = Object.entries(filters.attributes).map(([name, value]) => `${name}=${value}`);
    return {
        ...searchScope(scope),
        logLevels: filters.levels.length > 0 ? filters.levels.join(",") : undefined,
        searchPhrase: filters.phrase,
        searchWords: filters.words.length > 0 ? filters.words.join(",") : undefined,
        // A list becomes a repeated parameter; the type knows one value only.
        attr: attributes.length > 0 ? (attributes as unknown as string) : undefined,
        traceId: filters.trace,
        spanId: filters.span,
    };
}

// Lines that the API cannot leave out.
export function filtersHere(filters: LogFilters): boolean {
    return filters.pod !== undefined || filters.without.length > 0;
}

export function attributeText(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}

export function isShown(log: LogEntry, filters: LogFilters): boolean {
    if (filters.pod !== undefined && log.metadata?.podName !== filters.pod) return false;
    const attributes = log.attributes as Record<string, unknown> | undefined;
    return !filters.without.some(
        ([name, value]) => attributes?.[name] !== undefined && attributeText(attributes[name]) === value,
    );
}

// A time of the API to its nanoseconds, and one more: the smallest window that
// holds a record (more digits than nine tell records of one time apart).
export function nanosecondWindow(timestamp: string): { startTime: string; endTime: string } {
    const [, whole = "", fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(timestamp) ?? [];
    const nanos = Number(fraction.padEnd(9, "0").slice(0, 9));
    const text = (n: number) => `.${String(n).padStart(9, "0")}Z`;
    const endTime =
        nanos < 999_999_999
            ? whole + text(nanos + 1)
            : new Date(Date.parse(whole + "Z") + 1000).toISOString().replace(".000Z", "Z");
    return { startTime: whole + text(nanos), endTime };
}
