// @vitest-environment-options { "url": "http://callboard.test/prefix/ui/" }
import { act, fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Boundary, chosenParams, pageFor } from "@callboard/ui";
import { addressOf, API_BASE, goTo } from "./address_bar";
import { useKeys } from "./keys";
import { typedTargets } from "./search";

const names = [
    { namespace: "acme", project: "shop", component: "cart", environment: "production" },
    { namespace: "acme", project: "billing", component: "invoice" },
    { namespace: "other", project: "web", component: "front" },
];

test("addresses hold behind a prefix; the API is beside the page", () => {
    expect(API_BASE).toBe("http://callboard.test/prefix");
    expect(addressOf("logs", { ns: "acme", project: "a b" }, "errors")).toBe(
        "/prefix/ui/logs?ns=acme&project=a+b#errors",
    );
    expect(addressOf("overview", {})).toBe("/prefix/ui/");
});

test("the same address is no second step", () => {
    const push = vi.spyOn(window.history, "pushState");
    goTo("logs", { ns: "acme" });
    goTo("logs", { ns: "acme" });
    expect(push).toHaveBeenCalledTimes(1);
    goTo("logs", { ns: "acme", q: "x" }, "replace");
    expect(push).toHaveBeenCalledTimes(1);
});

test("what lies below a choice is chosen anew, what lies above it follows", () => {
    const at = { ns: "acme", project: "shop", component: "cart", env: "production", from: "now-1h" };
    expect(chosenParams("ns", "other", names, at)).toEqual({ ns: "other", from: "now-1h" });
    expect(chosenParams("project", "billing", names, at)).toEqual({
        ns: "acme",
        project: "billing",
        env: "production",
        from: "now-1h",
    });
    expect(chosenParams("component", "front", names, {})).toEqual({
        ns: "other",
        project: "web",
        component: "front",
    });
    expect(chosenParams("env", undefined, names, at).env).toBeUndefined();
});

test("the page of what was chosen; lists of records stay", () => {
    expect(pageFor("overview", { project: "shop" })).toBe("project");
    expect(pageFor("project", { project: "shop", component: "cart" })).toBe("component");
    expect(pageFor("component", {})).toBe("overview");
    expect(pageFor("logs", { project: "shop" })).toBe("logs");
});

test("a trace id that is typed leads to its trace", () => {
    const id = "0AF7651916CD43DD8448EB211C80319C";
    expect(typedTargets(id, { ns: "acme" })).toMatchObject([
        { page: "trace", params: { ns: "acme", id: id.toLowerCase() } },
    ]);
    expect(typedTargets("cart", {})).toEqual([]);
});

test("keys: one, two in a row, not while typing, not what is used already", () => {
    const one = vi.fn();
    const two = vi.fn();
    function View() {
        useKeys(
            [
                { keys: "/, Ctrl-K", text: "", run: one },
                { keys: "g l", text: "", run: two },
            ],
            true,
        );
        return (
            <>
                <input aria-label="field" />
                <button type="button" onKeyDown={(event) => event.preventDefault()}>
                    own keys
                </button>
            </>
        );
    }
    render(<View />);
    fireEvent.keyDown(document.body, { key: "/" });
    fireEvent.keyDown(screen.getByLabelText("field"), { key: "/" });
    fireEvent.keyDown(screen.getByText("own keys"), { key: "/" });
    expect(one).toHaveBeenCalledTimes(1);
    fireEvent.keyDown(screen.getByLabelText("field"), { key: "k", ctrlKey: true });
    expect(one).toHaveBeenCalledTimes(2);
    fireEvent.keyDown(document.body, { key: "l" });
    expect(two).not.toHaveBeenCalled();
    fireEvent.keyDown(document.body, { key: "g" });
    fireEvent.keyDown(document.body, { key: "l" });
    expect(two).toHaveBeenCalledTimes(1);
});

test("a view that fails says so, another address is tried anew", () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    function Fails({ now }: { now: boolean }) {
        if (now) throw new Error("of the view");
        return <p>drawn</p>;
    }
    const { rerender } = render(
        <Boundary of="a">
            <Fails now />
        </Boundary>,
    );
    expect(screen.getByRole("alert").textContent).toContain("of the view");
    act(() =>
        rerender(
            <Boundary of="b">
                <Fails now={false} />
            </Boundary>,
        ),
    );
    screen.getByText("drawn");
});
