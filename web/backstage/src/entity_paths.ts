// Which entity of the catalogue shows a component or project, by its annotation.
import { CATALOG_FILTER_EXISTS } from "@backstage/catalog-client";
import type { Entity } from "@backstage/catalog-model";
import { errorApiRef, useApi, useRouteRef } from "@backstage/core-plugin-api";
import { catalogApiRef, entityRouteParams, entityRouteRef } from "@backstage/plugin-catalog-react";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import { useHref } from "react-router-dom";
import type { EntityPlace } from "./links";
import { queryClient } from "./query_client";
import { nameOf, TARGET_ANNOTATIONS, targetsOf, type Target } from "./target";

const FIELDS = ["kind", "metadata.name", "metadata.namespace", "metadata.annotations"];
const MOST = 5000;

interface Found {
    entity: Entity;
    target: Target;
    of?: string;
}

// An entity of one component alone is better than one of several.
function byName(entities: readonly Entity[]): Map<string, Found> {
    const found = new Map<string, Found>();
    for (const entity of entities) {
        const targets = targetsOf(entity);
        targets.forEach((target, i) => {
            const name = nameOf(target);
            if (!found.has(name) || targets.length === 1)
                found.set(name, { entity, target, of: i > 0 ? name : undefined });
        });
    }
    return found;
}

// Paths without the base of the app: the router adds it itself.
export function useEntityPath() {
    const route = useRouteRef(entityRouteRef);
    const base = useHref("/").replace(/\/$/, "");
    return useCallback(
        (entity: Entity): string | undefined => {
            const path = route?.(entityRouteParams(entity));
            return path !== undefined && base && path.startsWith(base + "/") ? path.slice(base.length) : path;
        },
        [route, base],
    );
}

export function useEntityPlaces() {
    const catalog = useApi(catalogApiRef);
    const errors = useApi(errorApiRef);
    const pathOf = useEntityPath();
    const { data, error } = useQuery(
        {
            queryKey: ["catalogue entities"],
            queryFn: async () => {
                const { items } = await catalog.getEntities({
                    filter: TARGET_ANNOTATIONS.map((name) => ({
                        kind: ["Component", "System"],
                        [`metadata.annotations.${name}`]: CATALOG_FILTER_EXISTS,
                    })),
                    fields: FIELDS,
                    limit: MOST,
                });
                return byName(items);
            },
            staleTime: 300_000,
            retry: 1,
        },
        queryClient,
    );
    // Without it there are fewer links, and nothing else tells.
    useEffect(() => {
        if (error) errors.post(error, { hidden: true });
    }, [error, errors]);
    return useCallback(
        (namespace?: string, project?: string, component?: string): EntityPlace | undefined => {
            if (!namespace || !project) return undefined;
            const found = data?.get(nameOf({ namespace, project, component }));
            const path = found && pathOf(found.entity);
            return path === undefined ? undefined : { path, target: found!.target, of: found!.of };
        },
        [data, pathOf],
    );
}
