// The questions of the catalogue's page.
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { useAsk, type Asked } from "../ask";
import { dataOf, type Client, type Schemas } from "../client";
import { useComponents } from "../components";
import { useHost } from "../host";
import type { Scope } from "../scope";
import { rfc3339, type TimeRange } from "../time";
import type { Catalog, Observed, Topology } from "./differences";
import { namespaceOf } from "./differences";

const ENVIRONMENTS_MAX = 8;

export function useCatalog(namespace: string | undefined): Asked<Catalog> {
    return useAsk(["catalog", namespace], (client, signal) =>
        client.GET("/api/v1/catalog", { params: { query: { namespace } }, signal }),
    );
}

function inScope(catalog: Catalog, scope: Scope): Catalog {
    const mine = (one: { namespace?: string }) => namespaceOf(one) === scope.namespace;
    return {
        ...catalog,
        components: (catalog.components ?? []).filter(
            (one) => mine(one) && (!scope.project || one.project === scope.project),
        ),
    };
}

export interface DeclaredAndObserved {
    catalog?: Catalog; // whole, of the namespace
    declared?: Catalog; // of the scope
    observed?: Observed;
    asked: readonly Asked<unknown>[]; // what is needed before anything is shown
    environments: readonly string[];
    environmentsLeftOut: number;
}

export function useDeclaredAndObserved(scope: Scope, range: TimeRange): DeclaredAndObserved {
    const { client } = useHost();
    const catalog = useCatalog(scope.namespace);
    const { asked: components, rows } = useComponents(scope, range);
    const all = useMemo(() => {
        if (scope.environment) return [scope.environment];
        const names = new Set(rows.flatMap((one) => (one.environment ? [one.environment] : [])));
        for (const one of catalog.data?.environments ?? [])
            if (namespaceOf(one) === scope.namespace) names.add(one.name);
        return [...names].sort();
    }, [scope.environment, scope.namespace, rows, catalog.data]);
    const environments = all.slice(0, ENVIRONMENTS_MAX);
    const window = { startTime: rfc3339(range.start), endTime: rfc3339(range.end) };
    const topologies = useQueries({
        queries: environments.map((environment) => {
            const body = {
                ...window,
                includeDeclared: true,
                perEndpoint: true,
                searchScope: { namespace: scope.namespace ?? "", project: scope.project, environment },
            };
            return {
                queryKey: ["topology", body],
                queryFn: ({ signal }: { signal: AbortSignal }): Promise<Topology> =>
                    dataOf(client.POST("/api/v1alpha1/metrics/runtime-topology", { body, signal })),
                enabled: components.data !== undefined && catalog.data !== undefined,
                placeholderData: (before: Topology | undefined) => before,
            };
        }),
    });
    const graphs = topologies.map((one) => one.data);
    const complete = graphs.every((one) => one !== undefined);
    const observed = useMemo(
        () =>
            components.data && complete
                ? {
                      components: rows,
                      topologies: graphs.map((topology, i) => ({
                          environment: environments[i]!,
                          topology: topology!,
                      })),
                  }
                : undefined,
        // eslint-disable-next-line react-hooks/exhaustive-deps -- the list of answers is new each time
        [rows, complete, ...graphs],
    );
    return {
        catalog: catalog.data,
        declared: useMemo(() => catalog.data && inScope(catalog.data, scope), [catalog.data, scope]),
        observed,
        asked: [catalog, components, ...topologies] as Asked<unknown>[],
        environments,
        environmentsLeftOut: all.length - environments.length,
    };
}

// Of all namespaces that may be seen, else of the one of the scope: what has no label
// stands in the namespace "default", whatever project it is of.
export function useUnassigned(scope: Scope, range: TimeRange): Asked<Schemas["UnassignedList"]> {
    const query = { startTime: rfc3339(range.start), endTime: rfc3339(range.end), limit: 200 };
    const ask = (namespace?: string) => (client: Client, signal: AbortSignal) =>
        client.GET("/api/v1/unassigned", { params: { query: { ...query, namespace } }, signal });
    const all = useAsk(["unassigned", query], ask());
    const refused = all.error?.status === 403 && scope.namespace !== undefined;
    const own = useAsk(["unassigned", query, scope.namespace], ask(scope.namespace), { enabled: refused });
    return refused ? own : all;
}
