import { expect, test } from "vitest";
import { completedCatalog, differencesOf, type Catalog, type Observed } from "./differences";

const figures = { requestCount: 0, unsuccessfulRequestCount: 0, meanLatency: 0 };
const metrics = (requestCount: number) => ({
    ...figures,
    requestCount,
    latencyP50: 0,
    latencyP90: 0,
    latencyP99: 0,
});
const end = (component: string, service = "http") => ({
    kind: "component" as const,
    namespace: "acme",
    project: "shop",
    component,
    service,
});
const edge = (from: string, to: string, declared: boolean, requests: number, service = "http") => ({
    id: from + to,
    source: end(from),
    target: end(to, service),
    protocol: "http" as const,
    declared,
    observed: requests > 0,
    metrics: metrics(requests),
});
const listed = (component: string, rule: string, requestCount = 1) =>
    ({
        namespace: "acme",
        project: "shop",
        component,
        environment: "production",
        rule,
        requestCount,
    }) as unknown as Observed["components"][number];

const catalog: Catalog = {
    components: [
        { namespace: "acme", project: "shop", name: "web", endpoints: [{ name: "http", port: 80 }] },
        { namespace: "acme", project: "shop", name: "ghost" },
    ],
};
const observed = (edges: ReturnType<typeof edge>[], environment = "production") => ({
    environment,
    topology: { nodes: [], edges, summary: { startTime: "", endTime: "", generatedAt: "" } },
});

test("what has traffic and is not declared comes first, what was not seen last", () => {
    const found = differencesOf(catalog, {
        components: [listed("web", "stamped", 9), listed("cart", "stamped", 5), listed("ghost", "none", 0)],
        topologies: [observed([edge("web", "cart", false, 7), edge("cart", "web", true, 3)])],
    });
    expect(found.map((one) => [one.state, one.kind, one.name, one.requests])).toEqual([
        ["undeclared", "dependency", "web → cart http", 7],
        ["undeclared", "component", "cart", 5],
        ["unseen", "component", "ghost", 0],
    ]);
});

test("with everything added nothing is undeclared any more", () => {
    const seen: Observed = {
        components: [listed("web", "stamped"), listed("cart", "stamped")],
        topologies: [observed([edge("web", "cart", false, 7), edge("cart", "web", true, 2, "admin")])],
    };
    const whole = completedCatalog(catalog, differencesOf(catalog, seen));
    expect(whole.components!.find((one) => one.name === "cart")!.endpoints).toEqual([
        { name: "http", port: 0 },
    ]);
    expect(whole.components!.find((one) => one.name === "web")).toMatchObject({
        endpoints: [
            { name: "http", port: 80 },
            { name: "admin", port: 0 },
        ],
        dependencies: [{ component: "cart", endpoint: "http" }],
    });
    const after: Observed = {
        ...seen,
        topologies: [observed([edge("web", "cart", true, 7), edge("cart", "web", true, 2, "admin")])],
    };
    expect(differencesOf(whole, after).filter((one) => one.state === "undeclared")).toEqual([]);
    expect(catalog.components).toHaveLength(2);
});

test("a dependency that is used in one environment is not unseen for another", () => {
    const declared: Catalog = { components: [] };
    const both = [
        observed([edge("web", "cart", true, 0)], "staging"),
        observed([edge("web", "cart", true, 4)], "production"),
    ];
    expect(differencesOf(declared, { components: [], topologies: both })).toEqual([]);
    expect(differencesOf(declared, { components: [], topologies: both.slice(0, 1) })[0]!.state).toBe(
        "unseen",
    );
});
