import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { boxOf, Heatmap, type HeatmapProps } from "./heatmap";
import { timeMarks } from "./time_marks";

const minute = 60_000;
const heat: HeatmapProps = {
    title: "Latency",
    times: [0, minute],
    bounds: [0.001, 0.002, 0.004],
    counts: [
        [5, 1],
        [0, 7],
    ],
    failed: [0, 2],
    from: 0,
    to: 2 * minute,
    stepMs: minute,
};

test("the figures are in the name and in a table", () => {
    render(<Heatmap {...heat} />);
    screen.getByRole("figure", { name: "Latency 13 requests, 2 failed" });
    fireEvent.click(screen.getByRole("button", { name: "Latency: show as table" }));
    screen.getByRole("row", { name: /00:01:00 2 0 7/ });
});

test("a box of whole cells; the row of failed requests; open at both ends of the axis", () => {
    // 58 px left, 10 right, 8 top, 12 + 4 failed, 24 foot: 100 x 100 px for the buckets.
    const at = (x0: number, y0: number, x1: number, y1: number) => boxOf({ x0, y0, x1, y1 }, heat, 168, 148);
    expect(at(58, 30, 108, 60)).toEqual({ from: 0, to: minute, min: 0.002, max: undefined, failed: false });
    expect(at(108, 90, 158, 120)).toEqual({
        from: minute,
        to: 2 * minute,
        min: undefined,
        max: 0.002,
        failed: false,
    });
    expect(at(58, 9, 158, 15)).toEqual({ from: 0, to: 2 * minute, failed: true });
});

test("arrows and Enter choose a step", () => {
    const onBox = vi.fn();
    render(<Heatmap {...heat} onBox={onBox} />);
    const plot = screen.getByRole("slider");
    fireEvent.keyDown(plot, { key: "ArrowLeft" });
    expect(plot.getAttribute("aria-valuetext")).toContain("7 requests, most 2.00 ms to 4.00 ms, 2 failed");
    fireEvent.keyDown(plot, { key: "Enter" });
    expect(onBox).toHaveBeenCalledWith({ from: minute, to: 2 * minute, failed: false });
});

test("marks of time are round", () => {
    expect(timeMarks(30_000, 10 * minute, 5)).toEqual([2, 4, 6, 8, 10].map((n) => n * minute));
});
