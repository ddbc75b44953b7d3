import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bytesOf, hexDump } from "./dead_letters";
import { parseMetrics, quantileOf, rateOf, Reading } from "./metrics";
import { findingsOf, HEALTH_ADVICE, LAG_QUOTE, RULES } from "./rules";

const reading = (at: number, ...lines: string[]) =>
    new Reading(at, lines.map((line) => "callboard_" + line).join("\n"));

test("a line has a name, labels with escapes, and a value", () => {
    expect(parseMetrics('# HELP a b\na{x="q\\"\\n",y="2"} 1.5\nb +Inf\n')).toEqual([
        { name: "a", labels: { x: 'q"\n', y: "2" }, value: 1.5 },
        { name: "b", labels: {}, value: Infinity },
    ]);
});

test("a rate is the growth between two readings; a restart begins anew", () => {
    const [a, b] = [reading(0, "c_total 10"), reading(5000, "c_total 60")];
    expect(rateOf(a, b, "c_total")).toBe(10);
    expect(rateOf(b, reading(10_000, "c_total 5"), "c_total")).toBe(1);
    expect(rateOf(undefined, b, "c_total")).toBeUndefined();
    expect(rateOf(a, b, "absent")).toBeUndefined();
});

test("a quantile lies within its bucket", () => {
    const now = reading(0, 'd_bucket{le="1"} 50', 'd_bucket{le="2"} 100', 'd_bucket{le="+Inf"} 100');
    expect(quantileOf(undefined, now, "d", 0.75)).toBe(1.5);
    expect(quantileOf(undefined, reading(0), "d", 0.5)).toBeUndefined();
});

test("nothing is found where all is well, and what is bad comes first", () => {
    expect(findingsOf({ now: reading(0, "journal_errors_total 0") })).toEqual([]);
    const found = findingsOf({
        now: reading(
            5000,
            "resources_unassigned 3",
            'requests_refused_total{reason="busy"} 7',
            'ingest_lag_seconds{signal="logs"} 120',
            'records_accepted_total{signal="logs"} 20',
            "journal_bytes 600",
        ),
        before: reading(
            0,
            'requests_refused_total{reason="busy"} 2',
            'records_accepted_total{signal="logs"} 10',
        ),
        journalMax: 1000,
    });
    expect(found.map((one) => one.counter)).toEqual([
        "requests_refused_total busy",
        "ingest_lag_seconds",
        "journal_bytes",
        "resources_unassigned",
    ]);
    expect(found[0]!.says).toContain("1.00 /s now");
});

// The sentences are those of docs/operations.md; tests run in web/.
const operations = readFileSync("../docs/operations.md", "utf8")
    .replace(/`/g, "")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");

test.each(RULES.map((rule) => [rule.counter, rule.quote] as const))(
    "%s is quoted rightly",
    (counter, quote) => {
        const row = operations.split("\n").find((line) => line.startsWith(`| callboard_${counter} |`));
        expect(row).toContain(quote);
    },
);

test("the other quotes, too", () => {
    expect(operations).toContain(LAG_QUOTE);
    for (const [, advice] of HEALTH_ADVICE) expect(operations).toContain(advice);
});

test("bytes as hex and text", () => {
    expect(hexDump(bytesOf(btoa("AB\u0000<b>0123456789ABCDEF")))).toBe(
        "000000  41 42 00 3c 62 3e 30 31 32 33 34 35 36 37 38 39  AB.<b>0123456789\n" +
            "000010  41 42 43 44 45 46                                ABCDEF",
    );
});
