import { expect, test } from "vitest";
import type { Schemas } from "../client";
import { arrange } from "./arrange";
import { componentShares, TONES, toneOf } from "./colours";
import { flameFrames, operationTimes } from "./flame_frames";
import recorded from "./recorded.json";
import {
    closedAbove,
    closedOf,
    closedText,
    findSpans,
    isClosed,
    isLog,
    logsBySpan,
    nextOf,
    toggleClosed,
    visibleRows,
} from "./rows";
import { readLogs, readTreeSpans } from "./spans";
import { ticks, windowOfText, windowText } from "./window";

const tree = (recorded as unknown as Record<string, Schemas["TraceTree"]>).shop!;
const arranged = arrange(readTreeSpans(tree.spans));
const logs = readLogs(tree);
const bySpan = logsBySpan(logs);
const open = closedOf(undefined);
const rowsOf = (closed = open, only: "all" | "failed" | "critical" = "all") =>
    visibleRows(arranged, { closed, only, logs: undefined });

test("folded spans hide what is below them", () => {
    expect(rowsOf().length).toBe(12);
    expect(rowsOf(closedOf("d0"))).toEqual([0]);
    const second = arranged.nodes[1]!;
    const closed = toggleClosed(open, [second]);
    expect(rowsOf(closed)).toEqual([0, 1, ...rowsOf().filter((row) => row > second.last)]);
    expect(closedOf(closedText(closed))).toEqual(closed);
    expect(toggleClosed(closed, [second])).toEqual(open);
});

test("a depth folds all from there on; an id turns it over for one span", () => {
    const closed = closedOf(`d1,${arranged.nodes[1]!.key}`);
    expect(isClosed(closed, arranged.nodes[1]!)).toBe(false);
    const leaf = arranged.nodes.findIndex((node) => node.name === "inventory-db");
    const above = closedAbove(arranged, closed, leaf);
    expect(above.map((node) => node.depth)).toEqual([1, 2, 3, 4]);
    expect(rowsOf(toggleClosed(closed, above))).toContain(leaf);
});

test("only failed spans, or the critical path, with what is above them", () => {
    const failed = rowsOf(open, "failed");
    expect(failed.every((row) => arranged.nodes[row]!.failed)).toBe(true);
    expect(failed.length).toBe(tree.summary.errorCount);
    expect(rowsOf(open, "critical").length).toBe(tree.spans.filter((span) => span.onCriticalPath).length);
});

test("log records follow their spans", () => {
    const rows = visibleRows(arranged, { closed: open, only: "all", logs: bySpan });
    expect(rows.filter(isLog).length).toBe(logs.length);
    expect(rows.slice(0, 2)).toEqual([0, -1 - bySpan.get(arranged.nodes[0]!.id)![0]!]);
});

test("find looks in names, ids, messages, attributes and log records", () => {
    const find = (text: string) => {
        const extras = new Map([[arranged.nodes[3]!.id, { events: [], text: "db.query.text=SELECT 1\n" }]]);
        return findSpans(arranged, text, { logs, bySpan, extras });
    };
    expect(find("")).toEqual([]);
    expect(find(" HGETALL ").map((row) => arranged.nodes[row]!.name)).toEqual(["HGETALL"]);
    expect(find("select 1")).toEqual([3]);
    expect(find("reservation of product").map((row) => arranged.nodes[row]!.component)).toEqual([
        "inventory",
    ]);
    expect(find(arranged.nodes[5]!.id)).toEqual([5]);
});

test("next and previous go around the ends", () => {
    expect([nextOf([2, 5], 2, false), nextOf([2, 5], 5, false), nextOf([2, 5], 0, false)]).toEqual([5, 2, 2]);
    expect([nextOf([2, 5], 5, true), nextOf([2, 5], 2, true), nextOf([2, 5], 9, true)]).toEqual([2, 5, 5]);
    expect(nextOf([], 1, false)).toBeUndefined();
});

test("zoom of the address", () => {
    expect(windowOfText("1.5,8", 10e6)).toEqual({ from: 1.5e6, to: 8e6 });
    expect(windowText({ from: 1.5e6, to: 8e6 }, 10e6)).toBe("1.5,8");
    expect(windowText({ from: 0, to: 10e6 }, 10e6)).toBeUndefined();
    for (const wrong of ["", "a,b", "8,2", "3", "20,30", "-9,-2"])
        expect(windowOfText(wrong, 10e6)).toEqual({ from: 0, to: 10e6 });
    expect(ticks({ from: 0, to: 10e6 }, 5)).toEqual([0, 2e6, 4e6, 6e6, 8e6, 10e6]);
    expect(ticks({ from: 0, to: 1 }, 5)).toEqual([0, 1]);
});

test("components have a tone by self time", () => {
    const shares = componentShares(arranged);
    expect(shares[0]).toMatchObject({ component: "inventory", tone: 0 });
    expect(shares.reduce((sum, share) => sum + share.spans, 0)).toBe(12);
    expect(toneOf(shares)({ project: "shop", component: "nobody" })).toBe(TONES);
});

test("frames of the flame: widths are self times, below within above", () => {
    const frames = flameFrames(arranged);
    expect(frames[0]!.total).toBe(arranged.nodes.reduce((sum, node) => sum + node.self, 0));
    for (const frame of frames) {
        const parent = frames[frame.parent];
        if (!parent) continue;
        expect(frame.left).toBeGreaterThanOrEqual(parent.left);
        expect(frame.left + frame.total).toBeLessThanOrEqual(parent.left + parent.total);
    }
    expect(operationTimes(frames)[0]!.name).toBe("shop.Inventory/Reserve");
});
