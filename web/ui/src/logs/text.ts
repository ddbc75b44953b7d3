// Text of a log record as it is shown: colours of terminals are kept as styles,
// other control characters become visible, JSON is taken apart. Nothing is executed.
import { shownName } from "../format";

export interface TextPart {
    text: string;
    // Of an ANSI colour or weight: "cb-ansi-red cb-ansi-bold".
    style?: string;
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// CSI sequences, OSC sequences (titles, links) and the short ones.
/* eslint-disable no-control-regex */
const SEQUENCE =
    /\u001b\[([0-9;:?]*)[ -/]*([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-Z\\-_]/g;
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
const UNSEEN_ALL = new RegExp(UNSEEN.source, "g");
/* eslint-enable no-control-regex */

// Line ends and tabs stay; what has no glyph or turns text around becomes visible.
function visible(text: string): string {
    const unix = text.includes("\r") ? text.replaceAll("\r\n", "\n") : text;
    return UNSEEN.test(unix) ? unix.replace(UNSEEN_ALL, (c) => shownName(c)) : unix;
}

interface Style {
    colour?: string;
    bold: boolean;
    faint: boolean;
}

function applied(style: Style, codes: string): Style {
    let next = { ...style };
    for (const code of codes.split(/[;:]/).map(Number)) {
        if (code === 0) next = { bold: false, faint: false };
        else if (code === 1) next.bold = true;
        else if (code === 2) next.faint = true;
        else if (code === 22) next.bold = next.faint = false;
        else if (code >= 30 && code <= 37) next.colour = COLOURS[code - 30];
        else if (code >= 90 && code <= 97) next.colour = COLOURS[code - 90];
        else if (code === 39) next.colour = undefined;
        else if (code === 38 || code === 48) break; // colours by number: not followed
    }
    return next;
}

function classOf(style: Style): string | undefined {
    const names = [
        style.colour && style.colour !== "white" && style.colour !== "black" ? `cb-ansi-${style.colour}` : "",
        style.bold ? "cb-ansi-bold" : "",
        style.faint ? "cb-ansi-faint" : "",
    ].filter((name) => name !== "");
    return names.length > 0 ? names.join(" ") : undefined;
}

export function textParts(text: string): TextPart[] {
    if (!text.includes("\u001b")) return [{ text: visible(text) }];
    const parts: TextPart[] = [];
    let style: Style = { bold: false, faint: false };
    let at = 0;
    const add = (end: number) => {
        if (end > at) parts.push({ text: visible(text.slice(at, end)), style: classOf(style) });
    };
    for (const found of text.matchAll(SEQUENCE)) {
        add(found.index);
        at = found.index + found[0].length;
        if (found[2] === "m") style = applied(style, found[1] || "0");
    }
    add(text.length);
    return parts;
}

export function plainText(text: string): string {
    return textParts(text)
        .map((part) => part.text)
        .join("");
}

export type JsonObject = Record<string, unknown>;

// A body that is one JSON object; long ones are not looked into.
const JSON_MAX = 200_000;

export function jsonBody(text: string): JsonObject | undefined {
    if (text.length > JSON_MAX || !/^\s*\{[^]*\}\s*$/.test(text)) return undefined;
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === "object" && value !== null && !Array.isArray(value)
            ? (value as JsonObject)
            : undefined;
    } catch {
        return undefined;
    }
}

const MESSAGE = ["message", "msg", "@message", "log", "event", "text", "error"];
// What the row shows already.
const KNOWN = ["level", "severity", "lvl", "time", "timestamp", "ts", "@timestamp"];

// The line of a JSON body: its message, then what else it says.
export function jsonLine(body: JsonObject): { message: string; rest: string } | undefined {
    const key = MESSAGE.find((name) => typeof body[name] === "string" && body[name] !== "");
    if (key === undefined) return undefined;
    const rest = Object.entries(body)
        .filter(([name]) => name !== key && !KNOWN.includes(name.toLowerCase()))
        .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
        .join(" ");
    return { message: body[key] as string, rest };
}

// Of a line that stays one line, no more than fits on any screen.
const LINE_MAX = 600;
const WRAPPED_MAX = 4000;

export interface RowText {
    parts: TextPart[];
    rest?: string;
    cut: boolean;
}

// Where a text may be cut without halving a character.
export function cutAt(text: string, length: number): string {
    if (text.length <= length) return text;
    const last = text.charCodeAt(length - 1);
    return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

export function rowText(log: string, wrap: boolean): RowText {
    const max = wrap ? WRAPPED_MAX : LINE_MAX;
    const line = jsonBody(log);
    const json = line && jsonLine(line);
    const text = json ? json.message : log;
    const whole = cutAt(text, max);
    const parts = textParts(whole);
    if (!wrap) for (const part of parts) part.text = part.text.trimEnd().replaceAll("\n", " ⏎ ");
    return {
        parts,
        rest: json?.rest ? visible(cutAt(json.rest, max)) : undefined,
        cut: whole.length < text.length,
    };
}
