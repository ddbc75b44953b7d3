// What the catalogue declares against what was observed: one list, the worst first.
import type { Schemas } from "../client";

export type Catalog = Schemas["Catalog"];
export type CatalogComponent = Schemas["CatalogComponent"];
export type Topology = Schemas["RuntimeTopologyResponse"];
type Edge = Topology["edges"][number];
type Listed = Schemas["ComponentList"]["components"][number];

export type DifferenceKind = "component" | "endpoint" | "dependency";
// undeclared: seen and not in the catalogue. unseen: in the catalogue and not seen.
export type DifferenceState = "undeclared" | "unseen";

export interface Difference {
    key: string;
    kind: DifferenceKind;
    state: DifferenceState;
    namespace: string;
    project: string;
    component: string;
    name: string; // as shown
    requests: number; // in the window
    firstSeen?: string;
    rule?: Listed["rule"]; // how an undeclared component was told from others
    environments: string[];
    // What would declare it, or what of the catalogue was not seen.
    declaration: object;
    where: string; // of the declaration in the document
}

const NO_NAMESPACE = "default";
export const namespaceOf = (entry: { namespace?: string }) => entry.namespace ?? NO_NAMESPACE;
const keyOf = (...parts: (string | undefined)[]) => parts.map((part) => part ?? "").join("\u0000");

interface Seen {
    requests: number;
    environments: Set<string>;
}

function add(map: Map<string, Seen>, key: string, requests: number, environment: string): void {
    const seen = map.get(key) ?? { requests: 0, environments: new Set<string>() };
    seen.requests += requests;
    seen.environments.add(environment);
    map.set(key, seen);
}

export interface Observed {
    components: readonly Listed[];
    // Of each environment, per endpoint, with what is declared.
    topologies: readonly { environment: string; topology: Topology }[];
}

interface DependencyEnd {
    namespace: string;
    project: string;
    component: string;
    endpoint?: string;
}

const endOf = (end: Edge["source"]): DependencyEnd => ({
    namespace: end.namespace ?? "",
    project: end.project ?? "",
    component: end.component ?? "",
    endpoint: end.service,
});

// As short as the catalogue allows: what is the same as the caller's is left out.
function dependencyEntry(from: DependencyEnd, to: DependencyEnd): object {
    return {
        ...(to.namespace !== from.namespace ? { namespace: to.namespace } : {}),
        ...(to.namespace !== from.namespace || to.project !== from.project ? { project: to.project } : {}),
        component: to.component,
        ...(to.endpoint ? { endpoint: to.endpoint } : {}),
    };
}

function componentDifferences(catalog: Catalog, observed: Observed): Difference[] {
    const found = new Map<string, Difference>();
    const entries = catalog.components ?? [];
    const declared = new Set(entries.map((one) => keyOf(namespaceOf(one), one.project, one.name)));
    const seen = new Set<string>();
    const endpoints = [...seenEndpoints(observed).keys()].map((key) => key.split("\u0000"));
    for (const one of observed.components) {
        const id = keyOf(one.namespace, one.project, one.component);
        if (one.rule !== "none") seen.add(id);
        if (declared.has(id) || one.rule === "none") continue;
        const old = found.get(id);
        if (old) {
            old.requests += one.requestCount;
            if (one.environment) old.environments.push(one.environment);
            continue;
        }
        found.set(id, {
            key: keyOf("component", "undeclared", id),
            kind: "component",
            state: "undeclared",
            namespace: one.namespace,
            project: one.project,
            component: one.component,
            name: one.component,
            requests: one.requestCount,
            firstSeen: one.firstSeen,
            rule: one.rule,
            environments: one.environment ? [one.environment] : [],
            declaration: {
                namespace: one.namespace,
                project: one.project,
                name: one.component,
                endpoints: endpoints
                    .filter((end) => keyOf(...end.slice(0, 3)) === id)
                    .map((end) => ({ name: end[3], port: 0 })),
            },
            where: "components",
        });
    }
    for (const one of entries) {
        const id = keyOf(namespaceOf(one), one.project, one.name);
        if (seen.has(id)) continue;
        found.set(id, {
            key: keyOf("component", "unseen", id),
            kind: "component",
            state: "unseen",
            namespace: namespaceOf(one),
            project: one.project,
            component: one.name,
            name: one.name,
            requests: 0,
            environments: [],
            declaration: one,
            where: "components",
        });
    }
    return [...found.values()];
}

// Endpoints that requests came to; consumers of a queue are none that one declares.
function seenEndpoints(observed: Observed): Map<string, Seen> {
    const seen = new Map<string, Seen>();
    for (const { environment, topology } of observed.topologies)
        for (const { source, target, metrics, via } of topology.edges) {
            if (target.kind !== "component" || !target.service || metrics.requestCount === 0) continue;
            if (source.externalKind === "queue" || via === "queue") continue;
            const { namespace, project, component } = endOf(target);
            add(
                seen,
                keyOf(namespace, project, component, target.service),
                metrics.requestCount,
                environment,
            );
        }
    return seen;
}

function endpointDifferences(catalog: Catalog, observed: Observed, silent: Set<string>): Difference[] {
    const seen = seenEndpoints(observed);
    const found: Difference[] = [];
    for (const one of catalog.components ?? []) {
        const namespace = namespaceOf(one);
        const id = keyOf(namespace, one.project, one.name);
        if (silent.has(id)) continue;
        const base = { namespace, project: one.project, component: one.name, kind: "endpoint" as const };
        const names = new Set((one.endpoints ?? []).map((endpoint) => endpoint.name));
        for (const endpoint of one.endpoints ?? [])
            if (!seen.has(keyOf(namespace, one.project, one.name, endpoint.name)))
                found.push({
                    ...base,
                    key: keyOf("endpoint", "unseen", id, endpoint.name),
                    state: "unseen",
                    name: `${one.name} ${endpoint.name}`,
                    requests: 0,
                    environments: [],
                    declaration: endpoint,
                    where: `endpoints of ${one.name}`,
                });
        for (const [key, { requests, environments }] of seen) {
            const [seenNamespace, project, component, endpoint = ""] = key.split("\u0000");
            if (keyOf(seenNamespace, project, component) !== id || names.has(endpoint)) continue;
            found.push({
                ...base,
                key: keyOf("endpoint", "undeclared", key),
                state: "undeclared",
                name: `${one.name} ${endpoint}`,
                requests,
                environments: [...environments],
                declaration: { name: endpoint, port: 0 },
                where: `endpoints of ${one.name}`,
            });
        }
    }
    return found;
}

function dependencyDifferences(observed: Observed): Difference[] {
    const found = new Map<string, Difference>();
    for (const { environment, topology } of observed.topologies)
        for (const { source, target, declared, observed: called, metrics } of topology.edges) {
            if (source.kind !== "component" || target.kind !== "component") continue;
            const state: DifferenceState | undefined =
                declared === false ? "undeclared" : declared && called === false ? "unseen" : undefined;
            if (!state) continue;
            const [from, to] = [endOf(source), endOf(target)];
            const id = keyOf(from.namespace, from.project, from.component);
            const key = keyOf("dependency", state, id, to.namespace, to.project, to.component, to.endpoint);
            const old = found.get(key);
            if (old) {
                old.requests += metrics.requestCount;
                if (!old.environments.includes(environment)) old.environments.push(environment);
                continue;
            }
            found.set(key, {
                key,
                kind: "dependency",
                state,
                namespace: from.namespace,
                project: from.project,
                component: from.component,
                name: `${from.component} → ${to.component}${to.endpoint ? " " + to.endpoint : ""}`,
                requests: metrics.requestCount,
                environments: [environment],
                declaration: dependencyEntry(from, to),
                where: `dependencies of ${from.component}`,
            });
        }
    return [...found.values()];
}

// A dependency that has calls in one environment is not unused for having none in another.
function withoutUsedElsewhere(differences: Difference[], observed: Observed): Difference[] {
    const used = new Set<string>();
    for (const { topology } of observed.topologies)
        for (const { source, target, observed: called } of topology.edges)
            if (called) {
                const [from, to] = [endOf(source), endOf(target)];
                used.add(
                    keyOf(
                        from.namespace,
                        from.project,
                        from.component,
                        to.namespace,
                        to.project,
                        to.component,
                        to.endpoint,
                    ),
                );
            }
    return differences.filter((one) => {
        if (one.kind !== "dependency" || one.state !== "unseen") return true;
        return !used.has(one.key.split("\u0000").slice(2).join("\u0000"));
    });
}

const KIND_ORDER: Record<DifferenceKind, number> = { component: 0, dependency: 1, endpoint: 2 };

// What has traffic and is not declared comes first, with most traffic; then what is
// declared and was not seen.
export function differencesOf(catalog: Catalog, observed: Observed): Difference[] {
    const components = componentDifferences(catalog, observed);
    const silent = new Set(
        components
            .filter((one) => one.state === "unseen")
            .map((one) => keyOf(one.namespace, one.project, one.component)),
    );
    const all = [
        ...components,
        ...endpointDifferences(catalog, observed, silent),
        ...withoutUsedElsewhere(dependencyDifferences(observed), observed),
    ];
    const rank = (one: Difference) => (one.state === "undeclared" ? 0 : 1);
    return all.sort(
        (a, b) =>
            rank(a) - rank(b) ||
            b.requests - a.requests ||
            KIND_ORDER[a.kind] - KIND_ORDER[b.kind] ||
            a.name.localeCompare(b.name),
    );
}

// The catalogue with everything that is not declared added to it.
export function completedCatalog(catalog: Catalog, differences: readonly Difference[]): Catalog {
    const components: CatalogComponent[] = (catalog.components ?? []).map((one) => ({ ...one }));
    const of = (difference: Difference): CatalogComponent => {
        const { namespace, project, component } = difference;
        let entry = components.find(
            (one) => namespaceOf(one) === namespace && one.project === project && one.name === component,
        );
        if (!entry) {
            entry = { namespace, project, name: component };
            components.push(entry);
        }
        return entry;
    };
    for (const difference of differences) {
        if (difference.state !== "undeclared") continue;
        const entry = of(difference);
        if (difference.kind === "component") Object.assign(entry, difference.declaration);
        if (difference.kind === "endpoint")
            entry.endpoints = [
                ...(entry.endpoints ?? []),
                difference.declaration as NonNullable<CatalogComponent["endpoints"]>[number],
            ];
        if (difference.kind === "dependency")
            entry.dependencies = [
                ...(entry.dependencies ?? []),
                difference.declaration as NonNullable<CatalogComponent["dependencies"]>[number],
            ];
    }
    return { ...catalog, components };
}
