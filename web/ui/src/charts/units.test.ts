import { expect, test } from "vitest";
import { axisLabels, axisSteps, axisTop, timeLabels } from "./units";

test("an axis has one unit and as many digits as it needs", () => {
    expect(axisLabels("seconds", [0, 0.01, 0.02])).toEqual(["0", "10 ms", "20 ms"]);
    expect(axisLabels("seconds", [0, 0.5, 1])).toEqual(["0", "0.5 s", "1 s"]);
    expect(axisLabels("share", [0, 0.005, 0.01])).toEqual(["0", "0.5 %", "1 %"]);
    expect(axisLabels("rate", [0, 2.5, 5])).toEqual(["0", "2.5 /s", "5 /s"]);
    expect(axisLabels("bytes", [0, 2 ** 28, 2 ** 29])).toEqual(["0", "256 MiB", "512 MiB"]);
    expect(axisLabels("cores", [0, 0.25, 0.5])).toEqual(["0", "250 m", "500 m"]);
});

test("bytes go in powers of two, counts in whole numbers", () => {
    expect(axisSteps("bytes")).toContain(2 ** 29);
    expect(axisSteps("bytes")).not.toContain(3);
    expect(axisSteps("count")!.every(Number.isInteger)).toBe(true);
});

test("an axis without values has a top", () => {
    expect(axisTop("rate", null)).toBe(1);
    expect(axisTop("rate", 0)).toBe(1);
    expect(axisTop("rate", 10)).toBeGreaterThan(10);
});

test("marks of time are local; the day stands where it begins", () => {
    const at = (text: string) => Date.parse(text);
    expect(timeLabels([at("2026-01-01T23:30:00Z"), at("2026-01-02T00:00:00Z")])).toEqual(["23:30", "2 Jan"]);
    expect(timeLabels([at("2026-01-01T10:00:00Z"), at("2026-01-01T10:00:30Z")])).toEqual([
        "10:00:00",
        "10:00:30",
    ]);
});
