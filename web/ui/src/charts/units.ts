// Units of charts: how a value and the marks of an axis are written.
import { formatBytes, formatCores, formatCount, formatRate, formatSeconds, formatShare } from "../format";
import type { Unit } from "./types";

const FORMATS: Record<Unit, (value: number | null | undefined) => string> = {
    rate: formatRate,
    share: formatShare,
    seconds: formatSeconds,
    bytes: formatBytes,
    cores: formatCores,
    count: formatCount,
};

export function formatUnit(unit: Unit, value: number | null | undefined): string {
    return FORMATS[unit](value);
}

// The top of the axis where all values are 0 or there are none.
const SMALLEST_TOP: Record<Unit, number> = {
    rate: 1,
    share: 0.01,
    seconds: 0.001,
    bytes: 1024 * 1024,
    cores: 0.01,
    count: 4,
};

export function axisTop(unit: Unit, largest: number | null): number {
    if (!largest || !Number.isFinite(largest) || largest <= 0) return SMALLEST_TOP[unit];
    return largest * 1.08;
}

interface Scale {
    factor: number;
    suffix: string;
}

function scaleOf(unit: Unit, top: number): Scale {
    switch (unit) {
        case "rate":
            return top < 0.01
                ? { factor: 60, suffix: " /min" }
                : top >= 10_000
                  ? { factor: 1e-3, suffix: " k/s" }
                  : { factor: 1, suffix: " /s" };
        case "share":
            return { factor: 100, suffix: " %" };
        case "seconds":
            if (top < 1e-3) return { factor: 1e6, suffix: " µs" };
            if (top < 1) return { factor: 1e3, suffix: " ms" };
            return top < 120 ? { factor: 1, suffix: " s" } : { factor: 1 / 60, suffix: " min" };
        case "bytes": {
            const power = Math.min(4, Math.max(0, Math.floor(Math.log2(top) / 10)));
            return { factor: 1024 ** -power, suffix: " " + ["B", "KiB", "MiB", "GiB", "TiB"][power] };
        }
        case "cores":
            return top < 1 ? { factor: 1000, suffix: " m" } : { factor: 1, suffix: "" };
        case "count":
            if (top >= 1e6) return { factor: 1e-6, suffix: " M" };
            return top >= 10_000 ? { factor: 1e-3, suffix: " k" } : { factor: 1, suffix: "" };
    }
}

// The marks of an axis, all in one unit, with as many digits as their distance asks for.
export function axisLabels(unit: Unit, marks: readonly number[]): string[] {
    const top = marks[marks.length - 1] ?? 0;
    const { factor, suffix } = scaleOf(unit, top);
    const distance = Math.abs((marks[1] ?? top) - (marks[0] ?? 0)) * factor;
    let places = 0;
    while (places < 6 && Math.abs(Number(distance.toFixed(places)) - distance) > distance / 1000) places++;
    return marks.map((mark) => {
        if (mark === 0) return "0";
        const value = mark * factor;
        return (Number.isInteger(value) ? String(value) : value.toFixed(places)) + suffix;
    });
}

// Distances of marks: powers of two for bytes, counts have no fractions.
export function axisSteps(unit: Unit): number[] | undefined {
    if (unit === "bytes") return Array.from({ length: 50 }, (_, i) => 2 ** i);
    if (unit === "count")
        return Array.from({ length: 36 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3));
    return undefined;
}

const two = (n: number) => String(n).padStart(2, "0");

// Local times for the marks of the x axis; the day where it begins, or alone if the marks are days apart.
export function timeLabels(marks: readonly number[]): string[] {
    const distance = (marks[1] ?? 0) - (marks[0] ?? 0);
    let shownDay = "";
    return marks.map((mark, i) => {
        const date = new Date(mark);
        const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
        const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
        if (distance >= 86_400_000) return day;
        const time =
            `${two(date.getHours())}:${two(date.getMinutes())}` +
            (distance < 60_000 ? `:${two(date.getSeconds())}` : "") +
            (distance > 0 && distance < 1000 ? `.${String(date.getMilliseconds()).padStart(3, "0")}` : "");
        const newDay = i > 0 && shownDay !== day && midnight;
        shownDay = day;
        return newDay ? day : time;
    });
}
