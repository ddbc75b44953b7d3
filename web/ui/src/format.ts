// Figures as people read them. Three significant digits, units with a space.
const nothing = "–";

function digits(value: number): string {
    const size = Math.abs(value);
    if (size >= 100) return value.toFixed(0);
    if (size >= 10) return value.toFixed(1);
    return value.toFixed(2);
}

export function formatCount(value: number | null | undefined): string {
    if (value == null) return nothing;
    if (Math.abs(value) < 10_000) return Math.round(value).toLocaleString("en");
    if (Math.abs(value) < 1e6) return digits(value / 1e3) + " k";
    if (Math.abs(value) < 1e9) return digits(value / 1e6) + " M";
    return digits(value / 1e9) + " G";
}

export function formatRate(perSecond: number | null | undefined): string {
    if (perSecond == null) return nothing;
    if (perSecond === 0) return "0 /s";
    if (perSecond < 0.01) return digits(perSecond * 60) + " /min";
    return (perSecond >= 10_000 ? formatCount(perSecond) : digits(perSecond)) + " /s";
}

export function formatShare(ratio: number | null | undefined): string {
    if (ratio == null) return nothing;
    const percent = ratio * 100;
    if (percent === 0) return "0 %";
    if (percent < 0.1) return "< 0.1 %";
    return (percent >= 99.95 ? "100" : percent >= 10 ? percent.toFixed(0) : percent.toFixed(1)) + " %";
}

export function formatSeconds(seconds: number | null | undefined): string {
    if (seconds == null) return nothing;
    if (seconds === 0) return "0 ms";
    const size = Math.abs(seconds);
    if (size < 1e-6) return digits(seconds * 1e9) + " ns";
    if (size < 1e-3) return digits(seconds * 1e6) + " µs";
    if (size < 1) return digits(seconds * 1e3) + " ms";
    if (size < 120) return digits(seconds) + " s";
    if (size < 7200) return digits(seconds / 60) + " min";
    if (size < 172_800) return digits(seconds / 3600) + " h";
    return digits(seconds / 86_400) + " d";
}

export function formatBytes(bytes: number | null | undefined): string {
    if (bytes == null) return nothing;
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let value = bytes;
    let unit = 0;
    while (Math.abs(value) >= 1024 && unit < units.length - 1) {
        value /= 1024;
        unit++;
    }
    return (unit === 0 ? String(Math.round(value)) : digits(value)) + " " + units[unit];
}

export function formatCores(cores: number | null | undefined): string {
    if (cores == null) return nothing;
    return Math.abs(cores) < 1 ? Math.round(cores * 1000) + " m" : digits(cores);
}

// "+12 %", "×3.4", "was 0"; nothing where it did not change by a percent.
export function formatChange(now: number | null | undefined, before: number | null | undefined): string {
    if (now == null || before == null) return "";
    if (before === 0) return now === 0 ? "" : "was 0";
    const ratio = now / before;
    if (ratio >= 3) return "×" + digits(ratio);
    const percent = (ratio - 1) * 100;
    if (Math.abs(percent) < 1) return "";
    return (percent > 0 ? "+" : "−") + Math.abs(percent).toFixed(0) + " %";
}

const clockTime = (date: Date, seconds: boolean, ms: boolean) => {
    const two = (n: number) => String(n).padStart(2, "0");
    const text = `${two(date.getHours())}:${two(date.getMinutes())}`;
    if (!seconds) return text;
    return (
        `${text}:${two(date.getSeconds())}` +
        (ms ? "." + String(date.getMilliseconds()).padStart(3, "0") : "")
    );
};

export function formatDay(date: Date): string {
    return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

// Local time; with the day where it is not today's.
export function formatTime(
    time: string | number | Date,
    options: { seconds?: boolean; ms?: boolean; now?: number } = {},
): string {
    const date = new Date(time);
    const text = clockTime(date, options.seconds ?? options.ms ?? false, options.ms ?? false);
    const today = new Date(options.now ?? Date.now()).toDateString() === date.toDateString();
    return today ? text : `${formatDay(date)} ${text}`;
}

// "3 min ago"
export function formatAgo(time: string | number | Date, now: number): string {
    const seconds = Math.max(0, (now - new Date(time).getTime()) / 1000);
    if (seconds < 2) return "now";
    if (seconds < 60) return `${Math.round(seconds)} s ago`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
    if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
    return `${Math.round(seconds / 86_400)} d ago`;
}

// A name from outside as it is shown: control characters and those that change
// the direction of text become visible, so that they cannot pose as others.
export function shownName(name: string): string {
    return name.replace(
        // eslint-disable-next-line no-control-regex
        /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
        (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
    );
}
