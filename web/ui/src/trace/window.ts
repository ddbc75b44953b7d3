// The part of the trace's time that is shown; in the address as milliseconds after its start.
export interface TimeWindow {
    from: number; // ns
    to: number;
}

export function windowOfText(text: string | undefined, end: number): TimeWindow {
    const whole = { from: 0, to: Math.max(end, 1) };
    const [from, to] = (text ?? "").split(",").map((part) => Math.round(Number(part) * 1e6));
    if (!text || from === undefined || to === undefined) return whole;
    if (!(from < to) || from >= whole.to || to <= 0) return whole;
    return { from: Math.max(0, from), to: Math.min(whole.to, to) };
}

export function windowText(window: TimeWindow, end: number): string | undefined {
    if (window.from <= 0 && window.to >= end) return undefined;
    const text = (ns: number) => String(Number((ns / 1e6).toFixed(6)));
    return `${text(Math.max(0, window.from))},${text(Math.min(end, window.to))}`;
}

// Where a time is in the window, as a share of its width.
export function shareOf(window: TimeWindow, at: number): number {
    return (at - window.from) / (window.to - window.from);
}

// Round steps, at most `count` of them in the window.
export function ticks(window: TimeWindow, count: number): number[] {
    const rough = (window.to - window.from) / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
    const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
    const found: number[] = [];
    for (let at = Math.ceil(window.from / step) * step; at <= window.to; at += step) found.push(at);
    return found;
}
