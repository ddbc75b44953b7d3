import { fireEvent, screen, waitFor } from "@testing-library/react";
import { beforeAll, expect, test, vi } from "vitest";
import type { Params } from "../address";
import { showAt, type Replies } from "../test_host";
import Logs from "./logs";

vi.mock("../charts/time_chart", () => ({ TimeChart: () => <figure aria-label="Lines over time" /> }));

// Virtual rows need a window of some height.
beforeAll(() => {
    Object.defineProperty(HTMLElement.prototype, "offsetHeight", { value: 600, configurable: true });
    Object.defineProperty(HTMLElement.prototype, "offsetWidth", { value: 900, configurable: true });
});

const line = (n: number, more: object = {}) => ({
    timestamp: `2025-01-15T08:00:00.00000000${n}Z`,
    log: `line ${n}`,
    level: n % 2 ? "INFO" : "ERROR",
    metadata: { componentName: "web", namespaceName: "acme", projectName: "shop", podName: "p" },
    ...more,
});
const counts = { ERROR: 1, WARN: 0, INFO: 1, DEBUG: 0 };
const replies: Replies = {
    "/api/v1/logs/query": { logs: [line(1), line(2)], total: 2, tookMs: 1 },
    "/api/v1/logs/histogram": { buckets: [], total: counts, stepSeconds: 60, tookMs: 1 },
    "/api/v1/changes": { window: {}, changes: [], kinds: [], total: 0, tookMs: 1 },
};
const show = (more: Replies = {}, params: Params = {}) =>
    showAt(<Logs />, { page: "logs", params: { ns: "acme", ...params } }, { ...replies, ...more });

test("lines come first, then their volume and how many there are", async () => {
    const shown = show();
    expect(await screen.findByText("2 of 2 lines loaded")).toBeTruthy();
    const order = shown.asked.map((one) => one.split("?")[0]);
    expect(order.indexOf("POST /api/v1/logs/query")).toBeLessThan(
        order.indexOf("POST /api/v1/logs/histogram"),
    );
});

test("the filters of the address are asked for", async () => {
    let asked: unknown;
    show(
        {
            "/api/v1/logs/query": (_query, body) => {
                asked = body;
                return { logs: [], total: 0, tookMs: 1 };
            },
        },
        { level: "ERROR", q: "stock", "attr.thread": "a", order: "asc" },
    );
    await waitFor(() => expect(asked).toBeTruthy());
    expect(asked).toMatchObject({
        logLevels: ["ERROR"],
        searchPhrase: "stock",
        attributes: { thread: "a" },
        sortOrder: "asc",
    });
});

test("nothing found says why, and drops the filters", async () => {
    const shown = show(
        {
            "/api/v1/logs/query": { logs: [], total: 0, tookMs: 1 },
            "/api/v1/logs/patterns": {
                patterns: [],
                empty: { reason: "filter", message: "the filters match nothing" },
            },
        },
        { level: "DEBUG" },
    );
    expect(await screen.findByText("the filters match nothing")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Drop the filters" }));
    expect(shown.gone[0]!.params).toEqual({ ns: "acme" });
});

test("what may not be seen, and what is too large, is told and not called empty", async () => {
    show({ "/api/v1/logs/query": [403, { title: "forbidden", message: "no grant on shop" }] });
    expect(await screen.findByText("no grant on shop")).toBeTruthy();
    expect(screen.queryByText(/No log lines/)).toBeNull();
});

test("an error can be asked again", async () => {
    show({ "/api/v1/logs/query": [413, { title: "badRequest", message: "the answer is too large" }] });
    expect(await screen.findByRole("button", { name: "Ask again" })).toBeTruthy();
    expect(screen.getByText(/Choose a shorter time range/)).toBeTruthy();
});

test("without a namespace one is to be chosen", () => {
    const shown = showAt(<Logs />, { page: "logs", params: {} }, replies);
    expect(screen.getByText("Choose a namespace")).toBeTruthy();
    expect(shown.asked.filter((text) => text.includes("/logs"))).toEqual([]);
});

test("live, the tail is asked by arrival and not the search", async () => {
    const shown = show(
        { "/api/v1/logs/tail": { logs: [], nextCursor: "c", more: false, tookMs: 0 } },
        { live: "1", level: "ERROR" },
    );
    await waitFor(() => expect(shown.asked.some((one) => one.includes("/logs/tail"))).toBe(true));
    expect(shown.asked.find((one) => one.includes("/logs/tail"))).toContain("logLevels=ERROR");
    expect(shown.asked.some((one) => one.includes("/logs/query"))).toBe(false);
    expect(await screen.findByText("Following")).toBeTruthy();
    expect(screen.getByRole("log").getAttribute("aria-live")).toBe("off");
    fireEvent.click(screen.getByRole("button", { name: "Pause" }));
    expect(screen.getByText("0 new")).toBeTruthy();
});
