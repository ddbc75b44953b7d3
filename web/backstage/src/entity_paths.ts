// Which page of the catalogue shows a component, by the annotation of its entity.
import type { Entity } from "@backstage/catalog-model";
import { useApi, useRouteRef } from "@backstage/core-plugin-api";
import { catalogApiRef, entityRouteParams, entityRouteRef } from "@backstage/plugin-catalog-react";
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { queryClient } from "./query_client";
import { targetsOf } from "./target";

const FIELDS = ["kind", "metadata.name", "metadata.namespace", "metadata.annotations"];
const MOST = 5000;

function pathsByName(entities: readonly Entity[]): Map<string, Entity> {
    const paths = new Map<string, Entity>();
    for (const entity of entities)
        for (const { namespace, project, component } of targetsOf(entity))
            if (component) paths.set(`${namespace}/${project}/${component}`, entity);
    return paths;
}

export function useEntityPaths() {
    const catalog = useApi(catalogApiRef);
    const route = useRouteRef(entityRouteRef);
    const { data } = useQuery(
        {
            queryKey: ["catalogue entities"],
            queryFn: async () => {
                const { items } = await catalog.getEntities({
                    filter: { kind: "Component" },
                    fields: FIELDS,
                    limit: MOST,
                });
                return pathsByName(items);
            },
            staleTime: 300_000,
        },
        queryClient,
    );
    return useCallback(
        (namespace?: string, project?: string, component?: string): string | undefined => {
            const entity = data?.get(`${namespace}/${project}/${component}`);
            return entity && route ? route(entityRouteParams(entity)) : undefined;
        },
        [data, route],
    );
}
