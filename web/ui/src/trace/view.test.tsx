import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { showAt, type Reply } from "../test_host";
import Trace from "../views/trace";
import recorded from "./recorded.json";

const tree = { ...recorded.shop, components: [], criticalPath: [], repeated: [], clockSkew: [], tookMs: 1 };
const id = tree.traceId;
const route = `/api/v1/traces/${id}`;

const show = (params: Record<string, string>, reply: Reply) =>
    showAt(<Trace />, { page: "trace", params: { ns: "acme", id, ...params } }, { [route]: reply });

test("all spans are rows of a tree, with log records among them", async () => {
    show({}, tree);
    const grid = await screen.findByRole("treegrid");
    expect(grid.getAttribute("aria-rowcount")).toBe(String(1 + 12 + tree.summary.logCount));
});

test("keys fold, move and open; what is chosen is in the address", async () => {
    const shown = show({ logs: "0" }, tree);
    const grid = await screen.findByRole("treegrid");
    fireEvent.keyDown(grid, { key: "ArrowLeft" });
    await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("2"));
    expect(shown.gone.at(-1)).toMatchObject({ params: { closed: tree.spans[0]!.spanId }, how: "replace" });
    fireEvent.keyDown(grid, { key: "ArrowRight" });
    await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("13"));
    fireEvent.keyDown(grid, { key: "ArrowDown" });
    fireEvent.keyDown(grid, { key: "Enter" });
    expect(shown.gone.at(-1)).toMatchObject({ params: { span: tree.spans[1]!.spanId }, how: "step" });
    await screen.findByRole("complementary");
    fireEvent.keyDown(grid, { key: "Escape" });
    await waitFor(() => expect(screen.queryByRole("complementary")).toBeNull());
});

test("not found says where was searched, and what next", async () => {
    show({}, [404, { title: "notFound", message: "no span" }]);
    await screen.findByText(/There is no trace/);
    expect(screen.getByText("acme")).toBeTruthy();
    expect(screen.getByText("Log records with this id")).toBeTruthy();
});

test("403 is not empty", async () => {
    show({}, [403, { title: "forbidden", message: "not yours" }]);
    await screen.findByText("You may not see this");
    expect(screen.queryByText(/There is no trace/)).toBeNull();
});

test("without an id", () => {
    showAt(<Trace />, { page: "trace", params: {} }, {});
    expect(screen.getByText("No trace is chosen.")).toBeTruthy();
});

const spansRoute = `/api/v1alpha1/traces/${id}/spans/query`;
const tooLarge: Reply = [413, { title: "tooLarge", message: "narrow the time range" }];

// As pages have them.
const pageSpans = tree.spans.map(
    ({ spanId, parentSpanId, spanName, spanKind, component, project, startTime, durationNs, status }) => ({
        spanId,
        parentSpanId,
        spanName,
        spanKind,
        component,
        project,
        startTime,
        durationNs,
        status,
    }),
);

test("a trace that is too large for the server is shown by its spans, in smaller pages", async () => {
    const limits: number[] = [];
    showAt(
        <Trace />,
        { page: "trace", params: { ns: "acme", id } },
        {
            [route]: tooLarge,
            [spansRoute]: (_, body) => {
                const { limit, cursor } = body as { limit: number; cursor?: string };
                limits.push(limit);
                if (limit > 1000) return tooLarge;
                const half = pageSpans.length / 2;
                return cursor
                    ? { spans: pageSpans.slice(half), total: 12, tookMs: 1 }
                    : { spans: pageSpans.slice(0, half), total: 12, tookMs: 1, nextCursor: "next" };
            },
        },
    );
    const grid = await screen.findByRole("treegrid");
    expect(grid.getAttribute("aria-rowcount")).toBe("13");
    expect(limits.slice(0, 3)).toEqual([10_000, 1000, 1000]);
    expect(screen.getByText(/without log records/)).toBeTruthy();
});

test("what is too large in any way does not ask for a shorter time range", async () => {
    showAt(
        <Trace />,
        { page: "trace", params: { ns: "acme", id } },
        { [route]: tooLarge, [spansRoute]: tooLarge },
    );
    await screen.findByText(/not enough memory/);
    expect(document.body.textContent).not.toMatch(/time range/);
});

test("keys of the view work from the whole page, and not while typing", async () => {
    const shown = show({ logs: "0" }, tree);
    const grid = await screen.findByRole("treegrid");
    const focused = () => grid.getAttribute("aria-activedescendant")!.split("-").at(-1);
    fireEvent.keyDown(document.body, { key: "!" });
    const failed = tree.spans.findIndex((span, row) => row > 0 && span.status.code === "error");
    await waitFor(() => expect(focused()).toBe(String(failed)));
    fireEvent.keyDown(document.body, { key: "c" });
    expect(shown.gone.at(-1)).toMatchObject({ params: { critical: "0" } });
    fireEvent.keyDown(document.body, { key: "f" });
    const find = screen.getByRole("searchbox");
    expect(document.activeElement).toBe(find);
    const before = shown.gone.length;
    fireEvent.keyDown(find, { key: "c" });
    fireEvent.keyDown(document.body, { key: "c", ctrlKey: true });
    expect(shown.gone.length).toBe(before);
});
