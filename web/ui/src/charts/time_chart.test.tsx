import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { TimeChart } from "./time_chart";
import { hit, placeDots, placeMarkers } from "./overlay";
import type { TimeChartProps } from "./types";

// uPlot draws on a canvas that the tests do not have: what it is given is what counts.
vi.mock("uplot", () => ({
    default: class {
        static pxRatio = 1;
        over = document.createElement("div");
        bbox = { left: 0, top: 0, width: 100, height: 100 };
        scales = { y: { max: 10 } };
        valToPos() {
            return 0;
        }
        setData() {}
        setCursor() {}
        setSize() {}
        redraw() {}
        destroy() {}
    },
}));

const minute = 60_000;
const chart: TimeChartProps = {
    title: "Requests",
    unit: "rate",
    times: [0, minute, 2 * minute],
    lines: [{ name: "requests", values: [1, 2, 4], role: "primary" }],
    from: 0,
    to: 3 * minute,
    stepMs: minute,
};

test("the figures are in the accessible name, and there is a table", () => {
    render(<TimeChart {...chart} />);
    screen.getByRole("figure", { name: /Requests requests 4.00 \/s, at most 4.00 \/s/ });
    fireEvent.click(screen.getByRole("button", { name: "Requests: show as table" }));
    expect(screen.getAllByRole("row")).toHaveLength(4);
    expect(screen.getByRole("row", { name: /00:01:00 2.00 \/s/ })).toBeTruthy();
});

test("the legend shows the newest step that is over; one that is not only if it is alone", () => {
    const { rerender } = render(<TimeChart {...chart} to={2.5 * minute} />);
    const legend = () => document.querySelector(".cb-legend")!.textContent;
    expect(legend()).toBe("requests 2.00 /s");
    rerender(<TimeChart {...chart} />);
    expect(legend()).toBe("requests 4.00 /s");
    const alone = [{ ...chart.lines[0]!, values: [null, null, 4] }];
    rerender(<TimeChart {...chart} to={2.5 * minute} lines={alone} />);
    expect(legend()).toBe("requests 4.00 /s");
});

test("stacked counts are those of the whole picture", () => {
    const lines = [{ name: "ERROR", values: [3, 286, 0], role: "error" as const, stacked: true }];
    render(<TimeChart {...chart} unit="count" lines={lines} />);
    screen.getByRole("figure", { name: /ERROR 289, at most 286/ });
});

test("without values it says why", () => {
    render(<TimeChart {...chart} times={[]} empty="Never seen." />);
    screen.getByText("Never seen.");
    screen.getByRole("figure", { name: "Requests no data" });
});

test("arrows move the crosshair, with Shift they brush, v asks for the minute, z zooms out", () => {
    const onBrush = vi.fn();
    const onMinute = vi.fn();
    const onZoomOut = vi.fn();
    render(<TimeChart {...chart} onBrush={onBrush} onMinute={onMinute} onZoomOut={onZoomOut} />);
    const plot = screen.getByRole("slider");
    fireEvent.keyDown(plot, { key: "ArrowRight" });
    fireEvent.keyDown(plot, { key: "ArrowRight" });
    expect(plot.getAttribute("aria-valuetext")).toContain("00:01:00: requests 2.00 /s");
    fireEvent.keyDown(plot, { key: "v" });
    expect(onMinute).toHaveBeenCalledWith(minute);
    fireEvent.keyDown(plot, { key: "ArrowRight", shiftKey: true });
    fireEvent.keyDown(plot, { key: "Enter" });
    expect(onBrush).toHaveBeenCalledWith(minute, 2 * minute);
    fireEvent.keyDown(plot, { key: "z" });
    expect(onZoomOut).toHaveBeenCalled();
});

test("dots and changes can be opened from a list", () => {
    const onDot = vi.fn();
    const onMarker = vi.fn();
    const dot = { at: minute, value: 3, failed: true, traceId: "t", text: "GET / 3 s" };
    const marker = { at: minute, kind: "version" as const, text: "1.0 → 1.1" };
    render(<TimeChart {...chart} dots={[dot]} markers={[marker]} onDot={onDot} onMarker={onMarker} />);
    fireEvent.click(screen.getByRole("button", { name: /GET \/ 3 s/ }));
    expect(onDot).toHaveBeenCalledWith(dot);
    fireEvent.click(screen.getByRole("button", { name: /1.0 → 1.1/ }));
    expect(onMarker).toHaveBeenCalledWith([marker]);
});

test("dots are hit within 8 px; changes within 12 px are one", () => {
    const box = { left: 0, top: 0, width: 300, height: 100, yMax: 10 };
    const dots = placeDots([{ at: 50, value: 99, failed: false, traceId: "a", text: "" }], 0, 100, box);
    expect(dots[0]).toMatchObject({ x: 150, y: 0 });
    expect(hit(dots, 155, 5)).toBe(dots[0]);
    expect(hit(dots, 160, 0)).toBeUndefined();
    const markers = [10, 12, 30, 200].map((at) => ({ at, kind: "version" as const, text: "" }));
    expect(placeMarkers(markers, 0, 100, box).map((place) => place.item.length)).toEqual([2, 1]);
});
