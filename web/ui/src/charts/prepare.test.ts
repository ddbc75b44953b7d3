import { expect, test } from "vitest";
import { isUnfinished, nearest, onOneGrid, prepare } from "./prepare";
import type { Line } from "./types";

const line = (values: (number | null)[], more: Partial<Line> = {}): Line => ({
    name: "requests",
    role: "primary",
    values,
    ...more,
});

test("a value that is missing once makes no gap, a longer time without values does", () => {
    const { values } = prepare([0, 10, 20, 30, 40, 50], [line([1, null, 2, null, null, 3])], 10, 60);
    expect(values).toEqual([[1, undefined, 2, null, null, 3]]);
    const sparse = prepare([0, 10, 50], [line([1, 2, 3])], 10, 60);
    expect(sparse.times).toEqual([0, 10, 20, 50]);
    expect(sparse.values).toEqual([[1, 2, null, 3]]);
});

test("the unfinished last step is a column of its own; limits and what was before are not cut", () => {
    expect(isUnfinished([0, 10, 20], 10, 25)).toBe(true);
    expect(isUnfinished([0, 10, 20], 10, 30)).toBe(false);
    const { columns, values } = prepare(
        [0, 10, 20],
        [line([1, 2, 3]), line([9, 9, 9], { role: "limit" })],
        10,
        25,
    );
    expect(columns.map((column) => column.part)).toEqual(["whole", "unfinished", "whole"]);
    expect(values).toEqual([
        [1, 2, null],
        [null, 2, 3],
        [9, 9, 9],
    ]);
});

test("stacked bars: sums, the highest first, the first line at the foot", () => {
    const { columns, values } = prepare(
        [0, 10],
        [line([1, 0], { stacked: true }), line([5, 7], { stacked: true })],
        10,
        20,
    );
    expect(columns.map((column) => column.line)).toEqual([1, 0]);
    expect(values).toEqual([
        [6, 7],
        [1, 0],
    ]);
});

test("the nearest time", () => {
    expect(nearest([], 5)).toBe(-1);
    expect(nearest([0, 10, 20], 4)).toBe(0);
    expect(nearest([0, 10, 20], 6)).toBe(1);
    expect(nearest([0, 10, 20], 99)).toBe(2);
});

test("series of an answer on one grid", () => {
    const a = [
        { timestamp: "1970-01-01T00:00:00Z", value: 1 },
        { timestamp: "1970-01-01T00:00:10Z", value: 2 },
    ];
    const b = [{ timestamp: "1970-01-01T00:00:10Z", value: 3 }];
    expect(onOneGrid([a, b, undefined], 0)).toEqual({
        times: [0, 10_000],
        values: [
            [1, 2],
            [0, 3],
            [0, 0],
        ],
    });
});
