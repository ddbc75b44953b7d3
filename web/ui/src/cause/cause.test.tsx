import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Cause } from "../cause";
import type { Topology } from "../charts/graph_model";
import { graphOf } from "../charts/graph_model";
import { showAt, type Replies } from "../test_host";
import CausePage from "../views/cause";
import ReportPage from "../views/report";
import ReportsPage from "../views/reports";
import { causeMarkdown, escapeMarkdown } from "./markdown";
import { graphOfAnswer, markGraph } from "./path";
import { timelineOf } from "./timeline";
import { clipBaseline, defaultBaseline, parseBaseline } from "./windows";

vi.mock("../charts/time_chart", () => ({
    TimeChart: (props: { title: string }) => <figure>{props.title}</figure>,
}));

const scope = { namespace: "acme", project: "shop", environment: "production" };
const HOSTILE = "<img src=x onerror=alert(1)>\u202eevil";

const cause: Cause = {
    window: { startTime: "2025-01-15T08:10:00Z", endTime: "2025-01-15T08:20:00Z" },
    baseline: { startTime: "2025-01-15T07:39:00Z", endTime: "2025-01-15T08:09:00Z" },
    found: true,
    confidence: 0.98,
    summary: { cause: "inventory: CPU at its limit" },
    suspects: [
        {
            rank: 1,
            component: "inventory",
            kind: "component",
            score: 50,
            onset: "2025-01-15T08:14:00Z",
            affected: ["web"],
            evidence: [
                {
                    kind: "resource",
                    class: "cpu",
                    score: 30,
                    text: "CPU at 99% of its limit (counted from 08:12:01 on)",
                    traceIds: ["a".repeat(32)],
                    numbers: { before: 3, after: 99, unit: "%" },
                },
            ],
        },
        {
            rank: 2,
            component: "web",
            kind: "component",
            score: 5,
            onset: "2025-01-15T08:14:00Z",
            explainedBy: "inventory",
            affected: [],
            evidence: [
                { kind: "errors", class: "errors", score: 5, text: `GET ${HOSTILE} fails`, traceIds: [] },
            ],
        },
        { rank: 3, component: "cart", kind: "component", score: 0, affected: [], evidence: [] },
    ],
    path: [
        { component: "inventory", symptom: "CPU" },
        { component: "web", symptom: "fails" },
    ],
    impact: [
        {
            component: "web",
            operation: "GET /product/{id}",
            requests: 100,
            failed: 10,
            requestsBefore: 90,
            failedBefore: 0,
            slow: 0,
            isSample: false,
        },
    ],
    changes: [
        { timestamp: "2025-01-15T08:08:00Z", component: "checkout", kind: "version", text: "1.4 to 1.5" },
    ],
    logs: [
        {
            timestamp: "2025-01-15T08:15:00Z",
            level: "ERROR",
            log: "stock unknown",
            count: 60,
            countBefore: 0,
        },
    ],
    remarks: [],
    otherIncidents: [],
    excluded: [
        { component: "web", reason: "fails; explained by inventory, which it calls" },
        { component: "cart", reason: "slow; before the onset" },
    ],
    attributeCorrelation: { of: "failed", attributes: [] },
    read: { spans: 1000, logs: 50, tracesBefore: 3, tracesDuring: 200 },
};

const metrics = {
    requestCount: 100,
    unsuccessfulRequestCount: 10,
    meanLatency: 0.01,
    latencyP50: 0.01,
    latencyP90: 0.02,
    latencyP99: 0.03,
};
const component = (name: string) => ({
    kind: "component" as const,
    namespace: "acme",
    project: "shop",
    component: name,
});
const gateway = { kind: "gateway" as const, name: "internet" };
const edge = (source: object, target: object, more = {}) => ({
    id: JSON.stringify([source, target]),
    source,
    target,
    protocol: "http",
    metrics,
    ...more,
});
const topology = {
    nodes: [gateway, component("web"), component("inventory"), component("cart"), component("orders")].map(
        (end) => ({
            ...end,
            metrics,
        }),
    ),
    edges: [
        edge(gateway, component("web")),
        edge(component("web"), component("inventory"), { declared: true, observed: true }),
        edge(component("web"), component("cart"), { declared: false, observed: true }),
    ],
    summary: {
        startTime: "2025-01-15T08:10:00Z",
        endTime: "2025-01-15T08:20:00Z",
        generatedAt: "2025-01-15T08:20:00Z",
    },
} as unknown as Topology;

const TOPOLOGY = "/api/v1alpha1/metrics/runtime-topology";
const replies: Replies = {
    "/api/v1/cause": cause,
    [TOPOLOGY]: topology,
    "/api/v1/metrics/query": { requestCount: [], unsuccessfulRequestCount: [] },
};
const at = (params: Record<string, string> = {}) => ({
    page: "cause" as const,
    params: {
        ns: "acme",
        project: "shop",
        env: "production",
        from: "2025-01-15T08:10:00Z",
        to: "2025-01-15T08:20:00Z",
        ...params,
    },
});

describe("markGraph", () => {
    const graph = graphOf(topology, new Map());
    const { marks, graph: marked, culprit } = markGraph(graph, cause, scope);
    const id = (name: string) => `component/acme/shop/${name}`;

    it("numbers the path from the cause to users, and dims the others", () => {
        expect(culprit).toBe(id("inventory"));
        expect(marks.get(id("inventory"))?.step).toBe(1);
        expect(marks.get(id("web"))?.step).toBe(2);
        expect(marks.get("gateway//internet")?.step).toBe(3);
        expect(marks.get(`${id("web")}>${id("inventory")}`)?.step).toBe(1);
        expect(marks.get(id("orders"))).toEqual({ dimmed: true });
    });
    it("says why what is excluded is not the cause", () => {
        expect(marks.get(id("cart"))).toEqual({ excluded: true });
        expect(marked.nodes.find((node) => node.id === id("cart"))?.caption).toBe("before the onset");
        expect(marked.nodes.find((node) => node.id === id("web"))?.caption).toBe("suffers from inventory");
    });
    it("dims nothing where nothing was found", () => {
        const none = markGraph(graph, { ...cause, found: false, path: [], excluded: [] }, scope);
        expect([...none.marks.values()].some((mark) => mark.dimmed)).toBe(false);
    });
    it("draws the path of the answer where the topology is not kept any more", () => {
        const drawn = graphOfAnswer(cause, scope);
        expect(drawn.edges.map((item) => item.id)).toEqual([`${id("web")}>${id("inventory")}`]);
        expect(markGraph({ nodes: [], edges: [] }, cause, scope).graph.nodes).toHaveLength(2);
    });
});

describe("texts", () => {
    it("tells what happened in the order of time", () => {
        expect(timelineOf(cause).map((entry) => entry.kind)).toEqual(["change", "cause", "effect", "log"]);
    });
    it("writes Markdown that names from outside cannot break", () => {
        const text = causeMarkdown(cause, "acme / shop", "http://callboard.example/ui/cause");
        expect(text).toContain(
            "**inventory** is likely to blame since 2025-01-15 08:14 UTC: CPU at 99% of its limit (98 % sure)",
        );
        expect(text).toContain("Spread: inventory → web");
        expect(text).toContain("10 of 100 requests failed (0 of 90 before)");
        expect(text).toContain("2025-01-15 08:08 UTC checkout: 1.4 to 1.5");
        expect(escapeMarkdown("a`b*c\n<x>\u202e")).toBe("a\\`b\\*c \\<x\\>\\\\u202e");
    });
    it("takes only a baseline that lies before the window", () => {
        const window = { start: new Date("2025-01-15T08:10:00Z"), end: new Date("2025-01-15T08:20:00Z") };
        expect(defaultBaseline(window).start.toISOString()).toBe("2025-01-15T07:39:00.000Z");
        expect(parseBaseline("x,y")).toBeUndefined();
        expect(parseBaseline(undefined)).toBeUndefined();
        const over = parseBaseline("2025-01-15T08:00:00Z,2025-01-15T08:15:00Z")!;
        expect(clipBaseline(over, window)?.end).toEqual(window.start);
        expect(clipBaseline(window, window)).toBeUndefined();
    });
});

describe("the page of the cause", () => {
    it("says who is to blame, how it spread, and why others are not", async () => {
        showAt(<CausePage />, at(), replies);
        expect(await screen.findByText(/is likely to blame/)).toBeTruthy();
        expect(screen.getByText("98 % sure")).toBeTruthy();
        const steps = within(screen.getByRole("list", { name: /How it spread/ })).getAllByRole("listitem");
        expect(steps.map((step) => step.textContent)).toEqual([
            expect.stringContaining("1 inventory"),
            expect.stringContaining("2 web"),
            expect.stringContaining("3 users"),
        ]);
        await screen.findByRole("button", { name: /^inventory, component.*step 1 of the failure/ });
        expect(screen.getByText("Nothing unusual in:").parentElement?.textContent).toContain("cart");
        expect(document.querySelector("img")).toBeNull();
    });
    it("asks with the baseline of the address", async () => {
        const shown = showAt(<CausePage />, at({ base: "2025-01-15T08:00:00Z,2025-01-15T08:09:00Z" }), {
            ...replies,
            "/api/v1/cause": (_query, body) => {
                expect(body).toMatchObject({
                    baseline: { startTime: "2025-01-15T08:00:00.000Z", endTime: "2025-01-15T08:09:00.000Z" },
                    searchScope: scope,
                });
                return cause;
            },
        });
        await screen.findByText(/is likely to blame/);
        expect(shown.asked.filter((text) => text.endsWith("/api/v1/cause"))).toHaveLength(1);
    });
    it("says that nothing stands out and what was read, and folds suspects", async () => {
        showAt(<CausePage />, at(), {
            ...replies,
            "/api/v1/cause": { ...cause, found: false, confidence: 0, path: [], impact: [] },
        });
        expect(await screen.findByText(/No component stands out/)).toBeTruthy();
        expect(screen.getByText(/1,000 spans and 50 log records were read/)).toBeTruthy();
        expect(screen.queryByText(/CPU at 99%/)).toBeNull();
        fireEvent.click(screen.getByRole("button", { name: "Show 3" }));
        await waitFor(() => expect(screen.getAllByText(/CPU at 99%/).length).toBeGreaterThan(0));
    });
    it("is no empty answer when refused", async () => {
        showAt(<CausePage />, at(), {
            ...replies,
            "/api/v1/cause": [403, { title: "forbidden", message: "not yours" }],
        });
        expect(await screen.findByText("You may not see this")).toBeTruthy();
        expect(screen.queryByText(/No component stands out/)).toBeNull();
    });
    it("keeps the answer as a report and opens it", async () => {
        const shown = showAt(<CausePage />, at(), {
            ...replies,
            "/api/v1/rca-agent/reports": { reportId: "r1", created: true, status: "completed" },
        });
        fireEvent.click(await screen.findByRole("button", { name: "Keep as report" }));
        await waitFor(() =>
            expect(shown.gone.at(-1)).toMatchObject({ page: "report", params: { id: "r1" } }),
        );
    });
    it("asks for a project first", () => {
        showAt(<CausePage />, { page: "cause", params: { ns: "acme" } }, {});
        expect(screen.getByText("No project is chosen.")).toBeTruthy();
    });
});

describe("a long question", () => {
    beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }));
    afterEach(() => {
        cleanup();
        vi.useRealTimers();
    });
    it("shows its progress and can be cancelled", async () => {
        showAt(<CausePage />, at(), {
            ...replies,
            "/api/v1/cause": () => new Promise(() => undefined),
        });
        await vi.advanceTimersByTimeAsync(2100);
        expect(screen.getByRole("progressbar")).toBeTruthy();
        fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
        expect(await screen.findByText("Cancelled.")).toBeTruthy();
    });
});

describe("reports", () => {
    const report = {
        alertId: "a1",
        reportId: "r1",
        timestamp: "2025-01-15T08:20:00Z",
        status: "completed",
        report: {
            alert_context: {
                alert_id: "a1",
                alert_name: "errors",
                triggered_at: "2025-01-15T08:20:00Z",
                trigger_value: 1,
                condition: { window: "5m", interval: "1m", operator: "gt", threshold: 1 },
                component: "",
                project: "shop",
                environment: "production",
            },
            summary: "inventory runs at its CPU limit",
            cause,
            result: {
                type: "root_cause_identified",
                recommendations: {
                    recommended_actions: [
                        {
                            description: "Raise the limit of <comp:inventory>",
                            rationale: "99 %",
                            status: "suggested",
                        },
                    ],
                    observability_recommendations: [],
                },
            },
            investigation_path: [{ action: "read", outcome: "found" }],
        },
    };
    const path = "/api/v1/rca-agent/reports/r1";
    it("shows the kept answer without asking again, and marks an action as done", async () => {
        let marked: unknown;
        const shown = showAt(
            <ReportPage />,
            { ...at({ id: "r1" }), page: "report" },
            {
                ...replies,
                [path]: (_query, body) => {
                    if (body) marked = body;
                    return body ? { status: "ok" } : report;
                },
            },
        );
        expect(await screen.findByText(/is likely to blame/)).toBeTruthy();
        expect(shown.asked.some((text) => text.includes("/api/v1/cause"))).toBe(false);
        expect(screen.getByText("Raise the limit of inventory")).toBeTruthy();
        fireEvent.click(screen.getByRole("button", { name: "Done" }));
        await waitFor(() => expect(marked).toEqual({ appliedIndices: [0] }));
    });
    it("shows what older reports have, which kept no answer", async () => {
        showAt(
            <ReportPage />,
            { ...at({ id: "r1" }), page: "report" },
            {
                [path]: { ...report, report: { ...report.report, cause: undefined } },
            },
        );
        expect(await screen.findByText("read: found")).toBeTruthy();
    });
    it("lists reports, and says why there are none", async () => {
        const list = "/api/v1/rca-agent/reports";
        showAt(
            <ReportsPage />,
            { ...at(), page: "reports" },
            {
                [list]: { totalCount: 1, reports: [{ ...report, report: undefined, summary: HOSTILE }] },
            },
        );
        expect(await screen.findByText(/<img src=x/)).toBeTruthy();
        cleanup();
        showAt(<ReportsPage />, { ...at(), page: "reports" }, { [list]: { totalCount: 0, reports: [] } });
        expect(await screen.findByText("No reports in this time.")).toBeTruthy();
    });
});
