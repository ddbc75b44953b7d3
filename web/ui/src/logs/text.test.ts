import { expect, test } from "vitest";
import { cutAt, jsonBody, jsonLine, plainText, rowText, textParts } from "./text";

test("colours of terminals become styles, other sequences go", () => {
    expect(textParts("\u001b[1;31mred\u001b[0m plain")).toEqual([
        { text: "red", style: "cb-ansi-red cb-ansi-bold" },
        { text: " plain", style: undefined },
    ]);
    expect(plainText("a\u001b[2Kb\u001b]0;title\u0007c\u001b[38;5;9md")).toBe("abcd");
});

test("control bytes and turns of direction are visible, line ends and tabs stay", () => {
    expect(plainText("a\u0000b\tc\nd\r\ne")).toBe("a\\u0000b\tc\nd\ne");
    expect(plainText("\u202eevil")).toBe("\\u202eevil");
    expect(plainText("\u001b")).toBe("\\u001b");
});

test("a JSON body shows its message first", () => {
    const body = jsonBody('{"level":"info","msg":"paid","order":7}')!;
    expect(jsonLine(body)).toEqual({ message: "paid", rest: "order=7" });
    expect(jsonLine({ order: 7 })).toBeUndefined();
    expect(jsonBody("{not json}")).toBeUndefined();
    expect(jsonBody("[1]")).toBeUndefined();
});

test("a row is one line of bounded length; wrapped it keeps its line ends", () => {
    expect(rowText("a\nb\n", false).parts[0]!.text).toBe("a ⏎ b");
    expect(rowText("a\nb", true).parts[0]!.text).toBe("a\nb");
    const long = rowText("x".repeat(1_000_000), false);
    expect(long.cut).toBe(true);
    expect(long.parts[0]!.text.length).toBeLessThan(1000);
});

test("a text is not cut within a character", () => {
    expect(cutAt("a😀b", 2)).toBe("a");
    expect(cutAt("a😀b", 3)).toBe("a😀");
});
