import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { showAt, type Replies } from "../test_host";
import Project from "../views/project";

const metrics = (failed = 0) => ({
    requestCount: 1000,
    unsuccessfulRequestCount: failed,
    meanLatency: 0.01,
    latencyP50: 0.01,
    latencyP90: 0.02,
    latencyP99: 0.03,
});
const component = (name: string, project = "shop") => ({
    kind: "component",
    namespace: "acme",
    project,
    component: name,
});
const topology = (names: string[]) => ({
    nodes: names.map((name) => ({ ...component(name), metrics: metrics(name === "inventory" ? 100 : 0) })),
    edges: names.slice(1).map((name) => ({
        id: `web>${name}`,
        source: component("web"),
        target: component(name),
        protocol: "http",
        applicationProtocol: "grpc",
        declared: true,
        observed: true,
        metrics: metrics(name === "inventory" ? 100 : 0),
    })),
    summary: {
        startTime: "2025-01-15T08:00:00Z",
        endTime: "2025-01-15T08:30:00Z",
        generatedAt: "2025-01-15T08:30:00Z",
    },
});
const row = (name: string) => ({
    ...component(name),
    kind: undefined,
    environment: "production",
    rule: "stamped",
    declared: true,
    lastSeen: {},
    requestCount: 1000,
    requestRate: 1,
    errorRatio: name === "inventory" ? 0.1 : 0,
    clientErrorRatio: 0,
    latency: { mean: 0.01, p50: 0.01, p90: 0.02, p99: 0.03 },
    previous: { requestCount: 1000, requestRate: 1, errorRatio: 0, clientErrorRatio: 0 },
});
const list = (names: string[]) => ({
    components: names.map(row),
    total: names.length,
    unassigned: { resources: 0 },
    window: {},
    tookMs: 1,
});
const NAMES = ["web", "inventory", "cart"];
const TOPOLOGY = "/api/v1alpha1/metrics/runtime-topology";
const replies: Replies = {
    "/api/v1/components": list(NAMES),
    [TOPOLOGY]: topology(NAMES),
    "/api/v1/cause": { found: false, suspects: [], confidence: 0, summary: { cause: "" } },
    "/api/v1alpha1/traces/query": {
        traces: [
            {
                traceId: "a".repeat(32),
                traceName: "GET /",
                rootSpanName: "GET /",
                rootSpanId: "b",
                spanCount: 3,
                startTime: "2025-01-15T08:10:00Z",
                endTime: "2025-01-15T08:10:01Z",
                durationNs: 1e9,
                hasErrors: true,
            },
        ],
        total: 1,
        tookMs: 1,
    },
};
const at = (params: Record<string, string> = {}) => ({
    page: "project" as const,
    params: {
        ns: "acme",
        project: "shop",
        from: "2025-01-15T08:00:00Z",
        to: "2025-01-15T08:30:00Z",
        ...params,
    },
});

describe("the project", () => {
    it("takes the first environment where none is chosen, and shows it", async () => {
        showAt(<Project />, at(), {
            ...replies,
            [TOPOLOGY]: (_query, body) => {
                expect(body).toMatchObject({
                    searchScope: { namespace: "acme", project: "shop", environment: "production" },
                    includeDeclared: true,
                });
                return topology(NAMES);
            },
        });
        await screen.findByRole("button", { name: /^inventory, component, bad/ });
        expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("production");
        expect(screen.getByRole("grid", { name: "Components" })).toBeTruthy();
        expect(await screen.findByText(/No likely cause/)).toBeTruthy();
    });
    it("shows an edge with its endpoints and traces, chosen by a click", async () => {
        const shown = showAt(<Project />, at({ view: "table" }), replies);
        const calls = await screen.findByRole("grid", { name: "Calls" });
        fireEvent.click(within(calls).getByText("inventory"));
        const panel = await screen.findByRole("complementary");
        await within(panel).findByText("GET /");
        expect(within(panel).getByText(/1,000 calls, 100 failed, by grpc/)).toBeTruthy();
        expect(shown.gone.at(-1)?.params.at).toBe("component/acme/shop/web>component/acme/shop/inventory");
        fireEvent.click(within(panel).getByRole("button", { name: "Close" }));
        await waitFor(() => expect(screen.queryByRole("complementary")).toBeNull());
    });
    it("keeps the table of components where the topology fails, and a refusal is not empty", async () => {
        showAt(<Project />, at(), {
            ...replies,
            [TOPOLOGY]: [403, { title: "forbidden", message: "not yours" }],
        });
        await screen.findByText("You may not see this");
        expect(screen.getByRole("grid", { name: "Components" })).toBeTruthy();
        expect(screen.queryByText(/Nothing of/)).toBeNull();
    });
    it("says what to do where there is nothing, or no namespace", async () => {
        showAt(<Project />, at(), { ...replies, "/api/v1/components": list([]) });
        expect(await screen.findByText("Nothing of shop in this time.")).toBeTruthy();
    });
    it("shows the table first of very many nodes, and in the graph those in trouble", async () => {
        const many = ["web", "inventory", ...Array.from({ length: 170 }, (_, i) => `service-${i}`)];
        showAt(<Project />, at(), { ...replies, [TOPOLOGY]: topology(many) });
        await screen.findByRole("grid", { name: "Calls" });
        fireEvent.click(screen.getByRole("button", { name: "Show as graph" }));
        await screen.findByText(/172 nodes are too many/);
        expect(document.querySelectorAll("[data-node]").length).toBeLessThanOrEqual(150);
        screen.getByRole("button", { name: /^inventory, component, bad/ });
    });
    it("shows a namespace where no project is chosen", async () => {
        const params = { ns: "acme", from: "2025-01-15T08:00:00Z", to: "2025-01-15T08:30:00Z" };
        const shown = showAt(<Project />, { page: "project", params }, replies);
        await screen.findByRole("button", { name: /^inventory/ });
        expect(shown.asked.some((text) => text.includes("/api/v1/cause"))).toBe(false);
    });
});
