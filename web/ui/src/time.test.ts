import { expect, test } from "vitest";
import { nanoseconds, parseTime, resolveRange } from "./time";

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
