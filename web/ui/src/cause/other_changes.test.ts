import { expect, test } from "vitest";
import type { Cause } from "../cause";
import { changeOfSuspect, otherChanges } from "./other_changes";

const change = (component: string, kind: string, time: string) => ({
    component,
    kind,
    timestamp: `2025-01-15T08:${time}Z`,
    text: `${kind} of ${component}`,
});
const cause = (changes: object[], found = true) =>
    ({
        found,
        suspects: [{ component: "inventory", onset: "2025-01-15T08:28:00Z" }],
        changes,
    }) as unknown as Cause;

test("of each other component, what was deployed before and after the failure began", () => {
    const others = otherChanges(
        cause([
            change("checkout", "release", "23:00"),
            change("checkout", "version", "23:01"),
            change("checkout", "scaling", "23:02"),
            change("inventory", "version", "27:00"),
            change("cart", "image", "29:00"),
        ]),
    );
    expect(others).toMatchObject([
        { component: "checkout", text: "version of checkout", afterOnset: false },
        { component: "cart", text: "image of cart", afterOnset: true },
    ]);
});
test("without a cause nothing is cleared", () => {
    expect(otherChanges(cause([change("checkout", "version", "23:00")], false))).toEqual([]);
});

test("of the suspect, the version that it got before it failed", () => {
    const found = changeOfSuspect(
        cause([
            change("inventory", "release", "27:00"),
            change("inventory", "version", "27:01"),
            change("inventory", "version", "29:30"),
            change("checkout", "version", "23:01"),
        ]),
    );
    expect(found).toMatchObject({ kind: "version", timestamp: "2025-01-15T08:27:01Z" });
    expect(changeOfSuspect(cause([change("checkout", "version", "23:01")]))).toBeUndefined();
});
