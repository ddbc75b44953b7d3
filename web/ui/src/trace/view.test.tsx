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
