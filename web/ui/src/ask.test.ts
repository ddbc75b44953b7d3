import { expect, test } from "vitest";
import { freshFor } from "./ask";

const end = Date.parse("2025-01-15T08:20:00Z");
const asked = ["components", { namespace: "acme", endTime: "2025-01-15T08:20:00.000Z" }];

test("an answer of a window that is long over stays", () => {
    expect(freshFor(asked, end + 61_000)).toBe(Infinity);
});
test("an answer of a window that was not over, or had just ended, does not", () => {
    expect(freshFor(asked, end - 30_000)).toBe(10_000);
    expect(freshFor(asked, end + 5_000)).toBe(10_000);
    expect(freshFor(["topology", { body: { endTime: "2025-01-15T08:20:00Z" } }], end)).toBe(10_000);
});
test("what has no window stays", () => {
    expect(freshFor(["catalog", "acme", null], end)).toBe(Infinity);
});
