// The topology of a project, or of a namespace, as a graph.
import { useMemo } from "react";
import { componentId, graphOf, type Graph, type Topology } from "./charts/graph_model";
import { useAsk, type Asked } from "./ask";
import type { ComponentRow } from "./components";
import type { Health } from "./health";
import type { Scope } from "./scope";
import { rfc3339 } from "./time";

export interface Window {
    start: Date | number;
    end: Date | number;
}

export function useTopology(scope: Scope, window: Window, enabled = true): Asked<Topology> {
    const body = {
        searchScope: {
            namespace: scope.namespace ?? "",
            project: scope.project,
            environment: scope.environment ?? "",
        },
        startTime: rfc3339(window.start),
        endTime: rfc3339(window.end),
        includeDeclared: true,
    };
    return useAsk(
        ["topology", body],
        (client, signal) => client.POST("/api/v1alpha1/metrics/runtime-topology", { body, signal }),
        { enabled: enabled && body.searchScope.namespace !== "" && body.searchScope.environment !== "" },
    );
}

// With the health that the list of components gives, which knows how it was before.
export function useGraph(topology: Topology | undefined, rows: readonly ComponentRow[]): Graph | undefined {
    return useMemo(() => {
        if (!topology) return undefined;
        const health = new Map<string, Health>(
            rows.map((row) => [componentId(row.namespace, row.project, row.component), row.health]),
        );
        return graphOf(topology, health);
    }, [topology, rows]);
}

// The environment of the address, or the first that there is: a topology and a
// report are of one.
export function environmentOf(scope: Scope, rows: readonly ComponentRow[]): string | undefined {
    if (scope.environment) return scope.environment;
    return rows
        .map((row) => row.environment)
        .filter((name): name is string => name !== undefined && name !== "")
        .sort()[0];
}
