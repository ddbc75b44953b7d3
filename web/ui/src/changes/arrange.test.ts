import { expect, test } from "vitest";
import { lanesOf, marksOf, ticksOf } from "./arrange";
import { isWanted, shapeOf, type Change } from "./kinds";

const change = (minute: number, component: string, more: Partial<Change> = {}): Change => ({
    timestamp: `2025-01-15T08:${String(minute).padStart(2, "0")}:00Z`,
    count: 1,
    kind: "pod",
    type: "Normal",
    title: "a pod",
    namespace: "acme",
    project: "shop",
    component,
    source: "events",
    ...more,
});
const from = Date.parse("2025-01-15T08:00:00Z");
const to = from + 3600e3;

test("the lane with the newest version or warning comes first", () => {
    const lanes = lanesOf([
        change(50, "quiet"),
        change(10, "old", { kind: "version" }),
        change(20, "new", { type: "Warning" }),
    ]);
    expect(lanes.map((lane) => lane.component)).toEqual(["new", "old", "quiet"]);
});

test("changes that are close to each other are one mark, others are not", () => {
    const marks = marksOf([change(30, "a"), change(31, "a"), change(0, "a")], from, to, 600);
    expect(marks.map((mark) => [mark.left, mark.changes.length])).toEqual([
        [0, 1],
        [300, 2],
    ]);
});

test("ticks lie on whole steps, with room between them", () => {
    const ticks = ticksOf(from + 60e3, to, 600);
    expect(ticks.length).toBeLessThanOrEqual(7);
    expect(ticks.every((at) => at % 600e3 === 0)).toBe(true);
});

test("filters and marks", () => {
    const warning = change(1, "cart", { type: "Warning", kind: "oom", message: "killed 913c990" });
    expect(shapeOf(warning)).toBe("▲");
    expect(isWanted(warning, { kinds: ["oom"], warnings: true, text: "913C" })).toBe(true);
    expect(isWanted(warning, { kinds: ["pod"], warnings: false, text: "" })).toBe(false);
    expect(isWanted(change(1, "cart"), { kinds: [], warnings: true, text: "" })).toBe(false);
});
