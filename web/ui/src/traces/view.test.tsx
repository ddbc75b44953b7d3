import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { showAt, type Reply } from "../test_host";
import Traces from "../views/traces";

const trace = (n: number, ms: number, hasErrors = false) => ({
    traceId: `${n}`.padStart(32, "0"),
    traceName: "GET /",
    rootSpanName: "GET /",
    rootSpanId: "1",
    rootComponent: "web",
    rootProject: "shop",
    spanCount: 3,
    startTime: `2026-01-01T10:00:0${n}.000000001Z`,
    endTime: `2026-01-01T10:00:0${n}.5Z`,
    durationNs: ms * 1e6,
    hasErrors,
});
const summary = {
    total: 3,
    examined: 3,
    failed: 1,
    failedExamined: 1,
    groupCount: 1,
    groups: [
        {
            rootSpanName: "GET /",
            rootComponent: "web",
            status: "ok",
            count: 2,
            percent: 66,
            p50Ns: 1e6,
            p99Ns: 1e6,
            maxNs: 1e6,
            firstSeen: "2026-01-01T10:00:01Z",
            lastSeen: "2026-01-01T10:00:02Z",
            exampleTraceId: "1",
            slowestTraceId: "2",
        },
    ],
    outliers: [],
};
const found: Reply = {
    traces: [trace(1, 5), trace(2, 50, true), trace(3, 7)],
    total: 3,
    failed: 1,
    tookMs: 1,
};
const range = { from: "2026-01-01T09:00:00Z", to: "2026-01-01T11:00:00Z" };
const show = (params: Record<string, string>, reply: Reply = found) =>
    showAt(
        <Traces />,
        { page: "traces", params: { ns: "acme", ...range, ...params } },
        { "/api/v1alpha1/traces/query": reply, "/api/v1/traces": { summary, traces: [] } },
    );
const rowIds = () =>
    [...document.querySelectorAll("[aria-label=Traces] [role=row] a")].map(
        (link) => /id=0*(\d)/.exec(link.getAttribute("href")!)![1],
    );

test("all traces are asked for once; the newest come first, or the slowest", async () => {
    const shown = show({});
    await screen.findByText("3 traces, 1 failed");
    expect(shown.asked.filter((asked) => asked.includes("traces/query")).length).toBe(1);
    expect(rowIds()).toEqual(["3", "2", "1"]);
    fireEvent.click(screen.getByRole("button", { name: /Duration/ }));
    await waitFor(() => expect(rowIds()).toEqual(["2", "3", "1"]));
    expect(shown.gone.at(-1)).toMatchObject({ params: { sort: "duration" } });
});

test("a box of the address filters the list", async () => {
    show({ box: "2026-01-01T10:00:00.000Z,2026-01-01T10:00:02.500Z,0.001,0.01" });
    await screen.findByText("3 traces, 1 failed");
    expect(rowIds()).toEqual(["1"]);
});

test("a sample says of how many; the list asks for itself", async () => {
    const shown = show({}, { ...(found as object), total: 4200, failed: 90 });
    await screen.findByText(/4,200 traces, 90 failed; the picture has a sample of 3/);
    await screen.findByText(/The 3 newest of/);
    expect(shown.asked.filter((asked) => asked.includes("traces/query")).length).toBe(2);
});

test("two marked traces are in the address", async () => {
    const shown = show({});
    await screen.findByText("3 traces, 1 failed");
    fireEvent.click(screen.getAllByRole("checkbox", { name: /^Mark the trace/ })[0]!);
    expect(shown.gone.at(-1)).toMatchObject({ params: { marked: "3".padStart(32, "0") }, how: "replace" });
});

test("empty says why, with filters how to drop them; 403 is not empty", async () => {
    show({ errors: "1" }, { traces: [], total: 0, failed: 0, tookMs: 1 });
    await screen.findByText("No trace matches.");
    expect(screen.getByRole("button", { name: "Drop the filters" })).toBeTruthy();
});

test("403 is not empty", async () => {
    show({}, [403, { title: "forbidden", message: "not yours" }]);
    await screen.findByText("You may not see this");
    expect(screen.queryByText("No trace matches.")).toBeNull();
});

test("without a namespace", () => {
    showAt(<Traces />, { page: "traces", params: {} }, {});
    expect(screen.getByText("No namespace is chosen.")).toBeTruthy();
});
