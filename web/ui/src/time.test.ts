import { expect, test } from "vitest";
import { nanoseconds, parseTime, resolveRange, shifted, zoomedOut } from "./time";

const now = Date.parse("2026-01-01T12:00:00Z");

test("times are relative or RFC 3339", () => {
    expect(parseTime("now", now)).toBe(now);
    expect(parseTime("now-15m", now)).toBe(now - 900_000);
    expect(parseTime("2026-01-01T11:00:00Z", now)).toBe(now - 3_600_000);
    expect(parseTime("yesterday", now)).toBeUndefined();
    expect(parseTime("now-5y", now)).toBeUndefined();
});

test("a wrong range is the default", () => {
    expect(resolveRange("now-15m", "now", now)).toMatchObject({ from: "now-15m", relative: true });
    expect(resolveRange("now", "now-15m", now)).toMatchObject({ from: "now-1h", to: "now" });
    expect(resolveRange("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z", now).relative).toBe(false);
});

test("nanoseconds of a timestamp are kept", () => {
    expect(nanoseconds("1970-01-01T00:00:01.000000042Z")).toBe(1_000_000_042n);
    expect(nanoseconds("1970-01-01T00:00:01Z")).toBe(1_000_000_000n);
});

test("zoom out doubles; a range that reaches now is relative", () => {
    const fixed = resolveRange("2026-01-01T09:00:00Z", "2026-01-01T10:00:00Z", now);
    expect(zoomedOut(resolveRange("now-15m", "now", now), now)).toEqual({ from: "now-30m", to: "now" });
    expect(zoomedOut(fixed, now)).toEqual({
        from: "2026-01-01T08:30:00.000Z",
        to: "2026-01-01T10:30:00.000Z",
    });
    const late = resolveRange("2026-01-01T11:00:00Z", "2026-01-01T11:50:00Z", now);
    expect(zoomedOut(late, now)).toEqual({ from: "now-100m", to: "now" });
});

test("earlier and later by its length", () => {
    const hour = resolveRange("now-1h", "now", now);
    expect(shifted(hour, -1, now)).toEqual({
        from: "2026-01-01T10:00:00.000Z",
        to: "2026-01-01T11:00:00.000Z",
    });
    const before = resolveRange("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z", now);
    expect(shifted(before, 1, now)).toEqual({ from: "now-1h", to: "now" });
});
