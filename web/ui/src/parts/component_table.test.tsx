import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { toRows, wasThere, type ComponentEntry, type ComponentList } from "../components";
import { showAt } from "../test_host";
import { ComponentTable, formatShareChange, severity, WORST_FIRST } from "./component_table";
import { sortRows } from "./table";

const figures = (errorRatio: number, p99 = 0.01) => ({
    requestCount: 1000,
    requestRate: 1,
    errorRatio,
    clientErrorRatio: 0,
    latency: { mean: p99 / 2, p50: p99 / 3, p90: p99 / 2, p99 },
});

const entry = (
    component: string,
    errorRatio: number,
    more: Partial<ComponentEntry> = {},
): ComponentEntry => ({
    namespace: "acme",
    project: "shop",
    component,
    environment: "production",
    rule: "stamped",
    declared: true,
    ...figures(errorRatio),
    previous: figures(0),
    ...more,
});

const list = (components: ComponentEntry[]): ComponentList => ({
    components,
    total: components.length,
    unassigned: { resources: 0 },
    window: { startTime: "2026-01-01T01:00:00Z", endTime: "2026-01-01T02:00:00Z" },
    tookMs: 1,
});

const place = { page: "overview", params: { ns: "acme", from: "now-15m" } } as const;
const table = (entries: ComponentEntry[]) => (
    <ComponentTable rows={toRows(list(entries))} label="Components" sort={WORST_FIRST} onSort={() => {}} />
);

test("the worst come first", () => {
    const rows = toRows(
        list([
            entry("a", 0),
            entry("b", 0.06),
            entry("c", 0.02),
            entry("d", 0.9),
            entry("e", 0, { rule: "none", requestCount: 0, previous: { ...figures(0), requestCount: 0 } }),
        ]),
    );
    const columns = [{ id: "health", title: "", width: "", cell: () => null, sortBy: severity }];
    const sorted = sortRows(rows, columns, WORST_FIRST);
    expect(sorted.map((row) => row.component)).toEqual(["d", "b", "c", "e", "a"]);
    expect(sorted.map((row) => row.health)).toEqual(["bad", "bad", "warning", "silent", "ok"]);
});

test("a figure leads to its section, the row to the page", async () => {
    const shown = showAt(table([entry("cart", 0.1), entry("web", 0)]), place, {});
    const errors = screen.getByText("10 %").closest("a")!;
    expect(errors.getAttribute("href")).toBe(
        "component?ns=acme&from=now-15m&project=shop&component=cart&env=production#errors",
    );
    await userEvent.click(errors);
    expect(shown.gone.at(-1)).toMatchObject({ page: "component", section: "errors" });
    screen.getAllByRole("row")[2]!.focus();
    await userEvent.keyboard("k{Enter}");
    expect(shown.gone.at(-1)).toMatchObject({ page: "component", params: { component: "cart" } });
});

test("columns of names are only there where names differ", () => {
    showAt(table([entry("cart", 0), entry("cart", 0, { project: "billing" })]), place, {});
    const heads = screen.getAllByRole("columnheader").map((head) => head.textContent);
    expect(heads).toContain("Project");
    expect(heads).not.toContain("Environment");
    expect(heads).not.toContain("Namespace");
});

test("names are shown as text, controls visible", () => {
    showAt(table([entry("<b>x</b>\u202e" + "y".repeat(300), 0)]), place, {});
    const row = screen.getAllByRole("row")[1]!;
    expect(within(row).getByText(/<b>x<\/b>\\u202ey{300}/)).toBeTruthy();
});

test("a share is told as it was where it differs", () => {
    expect(formatShareChange(0.1, 0)).toBe("was 0 %");
    expect(formatShareChange(0.1, 0.1004)).toBe("");
    expect(formatShareChange(null, 0.1)).toBe("");
});

test("figures of before are shown if it was there then", () => {
    const { window } = list([]);
    expect(wasThere("2025-12-31T23:00:00Z", window)).toBe(true);
    expect(wasThere("2026-01-01T00:30:00Z", window)).toBe(false);
    expect(wasThere("2026-01-01T01:30:00Z", window)).toBe(false);
    expect(wasThere("2026-01-03T00:00:00Z", window)).toBe(true);
});
