// A project as the sum of its components.
import type { ComponentRow } from "../components";
import { HEALTH_ORDER, type Health } from "../health";

export interface ProjectSum {
    key: string;
    namespace: string;
    project: string;
    environment?: string; // of its worst component
    components: number;
    health: Health;
    requestCount: number;
    requestRate: number;
    previousRate: number | null; // null: not all of its components were there
    errorRatio: number | null;
    previousErrorRatio: number | null;
    // The slowest component: quantiles have no sum.
    slowest?: ComponentRow;
    requestSpark?: (number | null)[];
    errorSpark?: (number | null)[];
    lastChange?: { component: string; change: NonNullable<ComponentRow["lastChange"]> };
}

// Point by point from the newest one back; null where none is known.
export function addSparks(
    lines: readonly (readonly (number | null)[] | undefined)[],
): (number | null)[] | undefined {
    const known = lines.filter((line) => line !== undefined);
    if (known.length === 0) return undefined;
    const length = Math.max(...known.map((line) => line.length));
    return Array.from({ length }, (_, i) => {
        const points = known.map((line) => line[line.length - length + i]).filter((value) => value != null);
        return points.length ? points.reduce((sum, value) => sum + value, 0) : null;
    });
}

const worse = (a: Health, b: Health) => HEALTH_ORDER.indexOf(a) - HEALTH_ORDER.indexOf(b);

function ratioOf(parts: readonly { requestCount: number; errorRatio: number | null }[]): number | null {
    const requests = parts.reduce((sum, part) => sum + part.requestCount, 0);
    const failed = parts.reduce((sum, part) => sum + part.requestCount * (part.errorRatio ?? 0), 0);
    return requests > 0 ? failed / requests : null;
}

function newestChange(rows: readonly ComponentRow[]): ProjectSum["lastChange"] {
    let newest: ProjectSum["lastChange"];
    for (const { component, lastChange } of rows)
        if (lastChange && (!newest || Date.parse(lastChange.timestamp) > Date.parse(newest.change.timestamp)))
            newest = { component, change: lastChange };
    return newest;
}

// A silent component does not make its project so: others speak.
function healthOfProject(rows: readonly ComponentRow[]): Health {
    const worst = [...rows].sort((a, b) => worse(a.health, b.health))[0]!.health;
    if (worst !== "silent") return worst;
    return rows.every((row) => row.health === "silent") ? "silent" : "warning";
}

function sumOf(rows: readonly ComponentRow[]): ProjectSum {
    const worst = [...rows].sort(
        (a, b) => worse(a.health, b.health) || (b.errorRatio ?? 0) - (a.errorRatio ?? 0),
    )[0]!;
    const total = (of: (row: ComponentRow) => number) => rows.reduce((sum, row) => sum + of(row), 0);
    return {
        key: worst.namespace + "\u0000" + worst.project,
        namespace: worst.namespace,
        project: worst.project,
        environment: worst.environment,
        components: new Set(rows.map((row) => row.component)).size,
        health: healthOfProject(rows),
        requestCount: total((row) => row.requestCount),
        requestRate: total((row) => row.requestRate),
        previousRate: rows.every((row) => row.before) ? total((row) => row.before?.requestRate ?? 0) : null,
        errorRatio: ratioOf(rows),
        previousErrorRatio: ratioOf(rows.flatMap((row) => row.before ?? [])),
        slowest: [...rows].sort((a, b) => (b.latency?.p99 ?? -1) - (a.latency?.p99 ?? -1))[0],
        requestSpark: addSparks(rows.map((row) => row.spark?.requestRate)),
        errorSpark: addSparks(rows.map((row) => row.spark?.errorRate)),
        lastChange: newestChange(rows),
    };
}

// The worst project first.
export function sumByProject(rows: readonly ComponentRow[]): ProjectSum[] {
    const groups = new Map<string, ComponentRow[]>();
    for (const row of rows) {
        const key = row.namespace + "\u0000" + row.project;
        const group = groups.get(key);
        if (group) group.push(row);
        else groups.set(key, [row]);
    }
    return [...groups.values()]
        .map(sumOf)
        .sort(
            (a, b) =>
                worse(a.health, b.health) ||
                (b.errorRatio ?? 0) - (a.errorRatio ?? 0) ||
                b.requestRate - a.requestRate,
        );
}
