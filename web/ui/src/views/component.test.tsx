import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { ComponentPage } from "../component/page_data";
import type { TimeChartProps } from "../charts/types";
import { showAt, type Replies } from "../test_host";
import Component from "./component";

// Charts have tests of their own: here, what they are given and what they do.
vi.mock("../charts/time_chart", () => ({
    TimeChart: (props: TimeChartProps) => (
        <figure aria-label={props.title}>
            <span>{props.lines.map((line) => line.name).join(", ") || props.empty}</span>
            <span>{props.bands?.map((band) => band.text)}</span>
            {props.dots?.map((dot) => (
                <button key={dot.traceId} onClick={() => props.onDot?.(dot)}>
                    dot {dot.traceId}
                </button>
            ))}
            {props.markers?.map((marker) => (
                <button key={marker.text} onClick={() => props.onMarker?.([marker])}>
                    marker {marker.text}
                </button>
            ))}
            <button onClick={() => props.onBrush?.(Date.parse(at(1)), Date.parse(at(3)))}>brush</button>
            <button onClick={() => props.onMinute?.(Date.parse(at(2)) + 5000)}>minute</button>
        </figure>
    ),
}));

// happy-dom never tells that something is in view.
beforeEach(() => void vi.stubGlobal("IntersectionObserver", undefined));

const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, "0")}:00.000Z`;
const place = {
    page: "component",
    params: {
        ns: "acme",
        project: "shop",
        component: "inventory",
        env: "production",
        from: at(0),
        to: at(20),
    },
} as const;
const PATH = "/api/v1/components/acme/shop/inventory";

const figures = (errorRatio: number | null, p99 = 0.01, requestCount = 1000) => ({
    requestCount,
    requestRate: requestCount / 1200,
    errorRatio,
    clientErrorRatio: 0,
    latency: requestCount ? { mean: p99 / 2, p50: p99 / 3, p90: p99 / 2, p99 } : null,
});
const points = (...values: number[]) => values.map((value, i) => ({ timestamp: at(i), value }));

const series = {
    requestRate: points(1, 1),
    errorRate: points(0, 0.1),
    clientErrorRate: [],
    meanLatency: [],
    latencyP50: points(0.1, 0.1),
    latencyP90: points(0.1, 0.1),
    latencyP99: points(0.1, 0.1),
    cpuUsage: points(0.5, 0.98),
    cpuRequests: [],
    cpuLimits: points(1, 1),
    memoryUsage: [],
    memoryRequests: [],
    memoryLimits: [],
};

const operation = (name: string, requestCount: number, mean: number) => ({
    ...figures(0.1, mean * 2, requestCount),
    operation: name,
    kind: "server" as const,
    previous: figures(0),
});

const trace = {
    traceId: "ab".repeat(16),
    spanId: "cd".repeat(8),
    endpoint: "grpc",
    operation: "Stock",
    duration: 0.05,
    timestamp: at(2),
};

const page = (more: Partial<ComponentPage> = {}): ComponentPage => ({
    component: {
        namespace: "acme",
        project: "shop",
        component: "inventory",
        environment: "production",
        rule: "stamped",
        declared: true,
        lastSeen: { traces: at(19) },
        dependencies: [],
    },
    window: { startTime: at(0), endTime: at(20), stepSeconds: 60 },
    summary: { ...figures(0.1, 0.033), previous: figures(0, 0.008) },
    series,
    endpoints: [
        {
            ...figures(0.1),
            endpoint: "grpc",
            declared: true,
            previous: figures(0),
            operations: [operation("Often", 900, 0.001), operation("Slow", 100, 0.05)],
        },
    ],
    callers: [
        {
            ...figures(0.1),
            kind: "component",
            namespace: "acme",
            project: "shop",
            component: "web",
            environment: "production",
            previous: figures(0),
            endpoints: [],
        },
    ],
    callees: [
        {
            ...figures(0),
            kind: "database",
            name: "stock",
            system: "redis",
            previous: figures(0),
            endpoints: [],
        },
    ],
    logTemplates: [
        {
            template: "stock of <*> unknown",
            templateId: "1",
            level: "ERROR",
            count: 60,
            new: true,
            firstSeen: at(1),
            lastSeen: at(9),
        },
    ],
    traces: { slowest: [trace], failed: [], exemplars: [{ ...trace, failed: true }] },
    changes: [
        { timestamp: at(4), type: "Normal", kind: "version", from: "1.1.6", to: "1.1.7", message: "" },
        { timestamp: at(4), type: "Normal", kind: "kubernetes", message: "Pulled image" },
    ],
    pods: [{ name: "inventory-1", version: "1.1.7", cpuUsage: 0.5, memoryUsage: 1024, lastSeen: at(19) }],
    tookMs: 1,
    ...more,
});

const incident = {
    namespace: "acme",
    project: "shop",
    component: "inventory",
    environment: "production",
    symptom: "errors",
    startTime: at(8),
    during: { requests: 100, failed: 20, errorRatio: 0.2, meanLatency: 0.01 },
    usual: { requests: 100, failed: 1, errorRatio: 0.01, meanLatency: 0.01 },
    text: "fails in 20% of 100 requests",
    componentCount: 1,
    components: [],
};
const incidents = (list: object[]) => ({
    incidents: list,
    total: list.length,
    judged: { components: 1, startTime: at(0), endTime: at(20) },
    window: { startTime: at(0), endTime: at(20) },
    tookMs: 1,
});
const cause = {
    found: true,
    changes: [],
    confidence: 0.99,
    summary: { cause: "inventory: CPU" },
    suspects: [
        {
            rank: 1,
            component: "inventory",
            environment: "production",
            kind: "component",
            score: 20,
            onset: at(8),
            affected: ["web"],
            evidence: [{ kind: "resource", class: "cpu", score: 20, text: "CPU at its limit", traceIds: [] }],
        },
    ],
};
const line = { timestamp: at(9), log: "stock of 7 <b>unknown</b>", level: "ERROR", traceId: trace.traceId };

const replies = (shown: ComponentPage = page(), more: Replies = {}): Replies => ({
    [PATH]: shown,
    "/api/v1/incidents": incidents([incident]),
    "/api/v1/cause": cause,
    "/api/v1/logs/query": { logs: [line], total: 1, tookMs: 1 },
    "/api/v1/logs/histogram": {
        buckets: [{ timestamp: at(1), ERROR: 1, WARN: 0, INFO: 5, DEBUG: 0 }],
        total: { ERROR: 1, WARN: 0, INFO: 5, DEBUG: 0 },
        stepSeconds: 60,
        tookMs: 1,
    },
    ...more,
});

const verdict = () => document.querySelector(".cb-verdict")?.textContent ?? "";

test("the answer comes first: how it is, since when, why", async () => {
    const shown = showAt(<Component />, place, replies());
    await screen.findByText(/CPU at its limit/);
    expect(verdict()).toContain(
        "20 % of requests fail (1.0 % before), p99 is 33.0 ms (8.00 ms before) since 1 Jan 00:08.",
    );
    expect(verdict()).toContain("Likely cause: inventory, CPU at its limit, since 1 Jan 00:08. 99 % sure.");
    expect(verdict()).toContain("Suffers from it: web");
    // The cause is asked for the time of the incident, and its page shows the same.
    const evidence = screen.getByRole("link", { name: "Evidence" }).getAttribute("href")!;
    expect(evidence).toContain(`from=${at(8)}&to=${at(20)}`);
    expect(shown.asked.findIndex((one) => one.includes("/cause"))).toBeGreaterThan(
        shown.asked.findIndex((one) => one.includes("/incidents")),
    );
    expect(
        screen.getByText("declared · identified by labels · version 1.1.7 · 1 pod · last seen 1 min ago"),
    ).toBeTruthy();
});

test("at most three questions stand before the page can be read", async () => {
    const shown = showAt(<Component />, place, replies());
    await screen.findByText(/CPU at its limit/);
    const first = shown.asked.filter(
        (one) => !one.includes("/session") && !one.includes("/logs/") && !one.includes("startTime=2025"),
    );
    expect(first.map((one) => one.split("?")[0])).toEqual([
        `GET ${PATH}`,
        "GET /api/v1/incidents",
        "POST /api/v1/cause",
    ]);
});

test("a component that is well is told so, and its cause is not asked", async () => {
    const well = page({ summary: { ...figures(0.001), previous: figures(0.001) }, changes: [] });
    const shown = showAt(<Component />, place, replies(well, { "/api/v1/incidents": incidents([]) }));
    await screen.findByText(/Nothing stands out: 0.1 % of requests fail/);
    expect(shown.asked.some((one) => one.includes("/cause"))).toBe(false);
});

test("a silent component is told when it was seen last", async () => {
    const silent = page({ summary: { ...figures(null, 0, 0), previous: figures(0) } });
    showAt(<Component />, place, replies(silent, { "/api/v1/incidents": incidents([]) }));
    expect(
        await screen.findByText(/No requests in this time, 0.83 \/s before; last seen 1 min ago/),
    ).toBeTruthy();
});

test("figures have what was before; operations are ordered by their share of time", async () => {
    showAt(<Component />, place, replies());
    const shown = await screen.findByLabelText("Figures");
    expect(shown.textContent).toContain("Errors10 %was 0 %");
    expect(shown.textContent).toContain("p9933.0 ms×4.13");
    expect(shown.textContent).toContain("98 %of 1.00");
    const rows = within(screen.getByRole("grid", { name: "Operations" })).getAllByRole("row");
    expect(rows.slice(1).map((row) => row.textContent)).toEqual([
        expect.stringContaining("Slow"),
        expect.stringContaining("Often"),
    ]);
    expect(rows[1]!.textContent).toContain("85 %");
});

test("without figures of before nothing is compared", async () => {
    showAt(<Component />, { ...place, params: { ...place.params, cmp: "off" } }, replies());
    const shown = await screen.findByLabelText("Figures");
    expect(shown.textContent).not.toContain("was");
});

test("an operation filters the charts, and is dropped again", async () => {
    const shown = showAt(<Component />, place, replies());
    await userEvent.click(await screen.findByText("Slow"));
    expect(shown.gone.at(-1)!.params).toMatchObject({ endpoint: "grpc", operation: "Slow" });
    await waitFor(() => expect(shown.asked.some((one) => one.includes("operation=Slow"))).toBe(true));
    await userEvent.click(screen.getByRole("button", { name: "Show all requests" }));
    expect(shown.gone.at(-1)!.params).not.toHaveProperty("operation");
});

test("a brush sets the time, a dot opens its trace, a band tells the incident", async () => {
    const shown = showAt(<Component />, place, replies());
    const latency = within(await screen.findByRole("figure", { name: "Latency" }));
    await waitFor(() => expect(latency.getByText(/fails in 20%/)).toBeTruthy());
    await userEvent.click(latency.getByText(/^dot/));
    expect(shown.gone.at(-1)).toMatchObject({ page: "trace", params: { id: trace.traceId, ns: "acme" } });
    await userEvent.click(latency.getByText("brush"));
    expect(shown.gone.at(-1)!.params).toMatchObject({ from: at(1), to: at(3) });
});

test("a marker shows the change with the figures around it", async () => {
    const shown = showAt(<Component />, place, replies());
    const requests = within(await screen.findByRole("figure", { name: "Requests" }));
    await userEvent.click(requests.getByText(/^marker version 1.1.6 → 1.1.7/));
    const panel = within(await screen.findByRole("complementary", { name: "Change" }));
    expect(await panel.findByText("5 min before")).toBeTruthy();
    expect(panel.getByText("version 1.1.6 → 1.1.7")).toBeTruthy();
    expect(shown.asked.at(-1)).toContain(
        `startTime=${encodeURIComponent(at(4))}&endTime=${encodeURIComponent(at(9))}`,
    );
    await userEvent.click(panel.getByRole("button", { name: "Close" }));
    expect(screen.queryByRole("complementary", { name: "Change" })).toBeNull();
});

test("the minute at the crosshair shows its error lines and traces", async () => {
    const found = {
        traceId: "ef".repeat(16),
        traceName: "GET /",
        startTime: at(2),
        durationNs: 5e6,
        hasErrors: true,
    };
    showAt(
        <Component />,
        place,
        replies(page(), { "/api/v1alpha1/traces/query": { traces: [found], total: 1, tookMs: 1 } }),
    );
    const errors = within(await screen.findByRole("figure", { name: "Errors" }));
    await userEvent.click(errors.getByText("minute"));
    const panel = within(await screen.findByRole("complementary", { name: "Minute" }));
    expect(await panel.findByText("GET /")).toBeTruthy();
    expect(await panel.findByText(line.log)).toBeTruthy();
    expect(panel.getByText("1 Jan 00:02 to 1 Jan 00:03")).toBeTruthy();
});

test("ordinary events are folded, error lines lead to their trace", async () => {
    showAt(<Component />, place, replies());
    await userEvent.click(await screen.findByRole("button", { name: "Also show 1 ordinary event" }));
    expect(screen.getByText("Pulled image")).toBeTruthy();
    const lines = within(await screen.findByRole("list", { name: "Newest error lines" }));
    expect(lines.getByText(line.log)).toBeTruthy();
    expect(lines.getByRole("link", { name: "trace" }).getAttribute("href")).toContain(`id=${trace.traceId}`);
});

test("what is only declared, what is unknown, and where else it is", async () => {
    const never = (declared: boolean) =>
        page({ component: { ...page().component, rule: "none", declared, lastSeen: undefined } });
    const list = { "/api/v1/components": { components: [{ ...page().component, environment: "staging" }] } };
    showAt(<Component />, place, replies(never(true), list));
    expect(await screen.findByText("Nothing was received from it yet in production")).toBeTruthy();
    expect((await screen.findByRole("link", { name: "staging" })).getAttribute("href")).toContain(
        "env=staging",
    );
    showAt(<Component />, place, replies(never(false), list));
    expect(await screen.findByText("This component is not known in production")).toBeTruthy();
});

test("a refusal is not empty; what is withheld is told", async () => {
    showAt(<Component />, place, { [PATH]: [403, { title: "forbidden", message: "no grant on shop" }] });
    expect(await screen.findByText("You may not see this")).toBeTruthy();
    const withheld = page({
        withheld: ["logTemplates", "traces", "changes"],
        changes: undefined,
        traces: undefined,
    });
    showAt(<Component />, place, replies(withheld));
    expect(await screen.findByText("You may not see the traces of this component.")).toBeTruthy();
    expect(screen.getByText("You may not see the changes of this component.")).toBeTruthy();
});

test("other parts stay when one fails", async () => {
    showAt(
        <Component />,
        place,
        replies(page(), { "/api/v1/logs/query": [400, { title: "badRequest", message: "limit" }] }),
    );
    expect(await screen.findByText("limit")).toBeTruthy();
    expect(screen.getByRole("grid", { name: "Operations" })).toBeTruthy();
});

test("without a component in the address one is chosen", async () => {
    showAt(
        <Component />,
        { page: "component", params: { ns: "acme" } },
        {
            "/api/v1/components": {
                components: [{ ...page().component, ...figures(0), previous: figures(0) }],
                total: 1,
                unassigned: { resources: 0 },
                window: { startTime: at(0), endTime: at(20) },
                tookMs: 1,
            },
        },
    );
    expect(await screen.findByText("Choose a component")).toBeTruthy();
    expect(await screen.findByRole("grid", { name: "Components" })).toBeTruthy();
});

test("the latency is shown as a heatmap if the address says so", async () => {
    const shown = showAt(<Component />, place, replies());
    await userEvent.click(await screen.findByRole("button", { name: "heatmap" }));
    expect(shown.gone.at(-1)!.params).toMatchObject({ latency: "heat" });
    await waitFor(() => expect(shown.asked.some((one) => one.includes("heat=true"))).toBe(true));
});
