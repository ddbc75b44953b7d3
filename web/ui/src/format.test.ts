import { expect, test } from "vitest";
import { formatBytes, formatChange, formatRate, formatSeconds, formatShare, shownName } from "./format";

test("figures have a unit and about three digits", () => {
    expect(formatSeconds(0.0208)).toBe("20.8 ms");
    expect(formatSeconds(0.000722)).toBe("722 µs");
    expect(formatSeconds(null)).toBe("–");
    expect(formatShare(0.108)).toBe("11 %");
    expect(formatShare(0.0001)).toBe("< 0.1 %");
    expect(formatShare(0)).toBe("0 %");
    expect(formatRate(1.8)).toBe("1.80 /s");
    expect(formatBytes(536870912)).toBe("512 MiB");
});

test("a change is told against what was before", () => {
    expect(formatChange(0.108, 0)).toBe("was 0");
    expect(formatChange(112, 100)).toBe("+12 %");
    expect(formatChange(88, 100)).toBe("−12 %");
    expect(formatChange(400, 100)).toBe("×4.00");
    expect(formatChange(100.4, 100)).toBe("");
});

test("control characters and marks of direction are shown", () => {
    expect(shownName("cart")).toBe("cart");
    expect(shownName("a\u202eb\u0000")).toBe("a\\u202eb\\u0000");
});
