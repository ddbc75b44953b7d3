import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { ComponentEntry, ComponentList } from "../components";
import { DEFAULT_THRESHOLDS } from "../health";
import { showAt, type Replies } from "../test_host";
import Overview from "./overview";

const figures = (requestCount: number, errorRatio: number) => ({
    requestCount,
    requestRate: requestCount / 900,
    errorRatio: requestCount ? errorRatio : null,
    clientErrorRatio: 0,
    latency: requestCount ? { mean: 0.01, p50: 0.01, p90: 0.01, p99: 0.01 } : null,
});

const entry = (
    project: string,
    component: string,
    errorRatio: number,
    more: Partial<ComponentEntry> = {},
): ComponentEntry => ({
    namespace: "acme",
    project,
    component,
    environment: "production",
    rule: "stamped",
    declared: true,
    ...figures(1000, errorRatio),
    previous: figures(1000, 0),
    ...more,
});

const list = (components: ComponentEntry[], more: Partial<ComponentList> = {}): ComponentList => ({
    components,
    total: components.length,
    unassigned: { resources: 0 },
    window: { startTime: "2026-01-01T00:00:00Z", endTime: "2026-01-01T01:00:00Z" },
    tookMs: 1,
    ...more,
});

const cause = {
    found: true,
    changes: [],
    confidence: 0.99,
    summary: { cause: "inventory: CPU at its limit" },
    suspects: [
        {
            rank: 1,
            component: "inventory",
            kind: "component",
            environment: "production",
            score: 20,
            onset: "2026-01-01T00:14:00Z",
            affected: [],
            evidence: [
                {
                    kind: "resource",
                    class: "cpu",
                    score: 20,
                    text: "CPU at its limit (counted from 0 on)",
                    traceIds: [],
                },
            ],
        },
    ],
};

const shop = [entry("shop", "cart", 0), entry("shop", "inventory", 0.1), entry("billing", "invoices", 0.02)];
const place = { page: "overview", params: { ns: "acme" } } as const;
const at = (params: Record<string, string>) => ({ page: "overview" as const, params });
const replies = (components: ComponentEntry[], more?: Partial<ComponentList>): Replies => ({
    "/api/v1/components": list(components, more),
    "/api/v1/cause": cause,
});
const shownComponents = () =>
    within(screen.getByRole("grid", { name: "Components" }))
        .getAllByRole("row")
        .slice(1)
        .map((row) => row.querySelector('a[href*="component="]')?.textContent);

test("counts, projects with the cause, and components are shown, the worst first", async () => {
    const shown = showAt(<Overview />, place, replies(shop, { unassigned: { resources: 4 } }));
    expect(await screen.findByRole("button", { name: "1 bad" })).toBeTruthy();
    expect(screen.getByText(/senders without a component/).getAttribute("href")).toBe(
        "catalog?ns=acme#senders",
    );
    expect(shownComponents()).toEqual(["inventory", "invoices", "cart"]);
    const projects = within(screen.getByRole("list", { name: "Projects" })).getAllByRole("listitem");
    expect(projects.map((row) => within(row).getAllByRole("link")[0]!.textContent)).toEqual([
        "shop",
        "billing",
    ]);
    expect(await within(projects[0]!).findByText(/CPU at its limit/)).toBeTruthy();
    expect(projects[0]!.textContent).not.toContain("counted from");
    expect(shown.asked.filter((asked) => asked.includes("/cause"))).toHaveLength(2);
});

test("at most five causes are asked, after the table is drawn", async () => {
    const many = Array.from({ length: 9 }, (_, i) => entry(`p${i}`, `c${i}`, 0.1));
    const shown = showAt(<Overview />, place, replies(many));
    await waitFor(() => expect(shown.asked.filter((one) => one.includes("/cause"))).toHaveLength(5));
    expect(shown.asked.findIndex((one) => one.includes("/cause"))).toBeGreaterThan(0);
    await userEvent.click(screen.getByRole("button", { name: "Show all 9 projects" }));
    expect(screen.getAllByRole("listitem")).toHaveLength(9);
    expect(shown.asked.filter((one) => one.includes("/cause"))).toHaveLength(5);
});

test("counters, words and the order are in the address", async () => {
    const shown = showAt(<Overview />, place, replies(shop));
    await userEvent.click(await screen.findByRole("button", { name: "1 bad" }));
    expect(shown.gone.at(-1)!.params).toEqual({ ns: "acme", health: "bad" });
    expect(shownComponents()).toEqual(["inventory"]);
    await userEvent.type(screen.getByRole("searchbox"), "cart");
    expect(shown.gone.at(-1)).toMatchObject({ params: { health: "bad", q: "cart" }, how: "replace" });
    expect(screen.getByText("No component matches the filter")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Drop the filter" }));
    await userEvent.click(screen.getByRole("button", { name: "Requests" }));
    expect(shown.gone.at(-1)!.params).toEqual({ ns: "acme", sort: "-rate" });
});

test("the address is shown as it says", async () => {
    showAt(
        <Overview />,
        at({ ns: "acme", health: "warning,ok", sort: "component", group: "none" }),
        replies(shop),
    );
    await screen.findByRole("grid");
    expect(shownComponents()).toEqual(["cart", "invoices"]);
    expect(screen.queryByRole("list", { name: "Projects" })).toBeNull();
});

test("all pages of a long list are read", async () => {
    const shown = showAt(<Overview />, place, {
        "/api/v1/components": (query: URLSearchParams) =>
            query.get("cursor")
                ? list([entry("shop", "second", 0)])
                : list([entry("shop", "first", 0)], { nextCursor: "00" }),
    });
    expect(await screen.findByText("Components (2)")).toBeTruthy();
    expect(shown.asked.filter((one) => one.includes("cursor=00")).length).toBeGreaterThan(0);
});

test("without any component it says how to send", async () => {
    showAt(<Overview />, place, replies([]));
    expect(await screen.findByText("Nothing has arrived yet")).toBeTruthy();
    expect(screen.getByText(/OTEL_EXPORTER_OTLP_ENDPOINT/)).toBeTruthy();
});

test("a refusal is not empty, an error can be asked again", async () => {
    showAt(<Overview />, place, { "/api/v1/components": [403, { title: "forbidden", message: "no grant" }] });
    expect(await screen.findByText("You may not see this")).toBeTruthy();
    expect(screen.queryByText("Nothing has arrived yet")).toBeNull();
});

test("an error says which, and is asked again", async () => {
    let fails = true;
    showAt(<Overview />, place, {
        "/api/v1/components": () =>
            fails ? [400, { title: "badRequest", message: "startTime" }] : list(shop),
        "/api/v1/cause": cause,
    });
    await screen.findByText("startTime");
    fails = false;
    await userEvent.click(screen.getByRole("button", { name: "Ask again" }));
    expect(await screen.findByRole("grid")).toBeTruthy();
});

test("health is judged by the thresholds of the server, which are asked once", async () => {
    const shown = showAt(<Overview />, place, {
        ...replies(shop),
        "/api/v1/session": {
            accessControl: false,
            signedIn: true,
            credentials: [],
            health: { ...DEFAULT_THRESHOLDS, errorRatioBad: 0.5, errorRatioWarning: 0.05 },
            pollSeconds: 5,
            tailPollSeconds: 2,
        },
    });
    expect(await screen.findByRole("button", { name: "1 warning" })).toBeTruthy(); // inventory: 10 %
    expect(screen.getByRole("button", { name: "2 ok" })).toBeTruthy(); // invoices: 2 %
    expect(shown.asked.filter((one) => one.includes("/session"))).toHaveLength(1);
});
