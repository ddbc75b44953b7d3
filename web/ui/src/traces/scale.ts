// Places of traces in the picture: time to the right, duration (logarithmic) upward.
import type { FoundTrace } from "./ask_traces";

export interface Scale {
    from: number; // ms since 1970
    to: number;
    shortest: number; // seconds
    longest: number;
    width: number; // px of the area of dots
    height: number;
}

export const MARGIN = { left: 64, right: 12, top: 10, bottom: 24 };

const decade = (seconds: number, up: boolean) => 10 ** (up ? Math.ceil : Math.floor)(Math.log10(seconds));

// From a power of ten to a power of ten around all durations.
export function durationRange(traces: readonly FoundTrace[]): { shortest: number; longest: number } {
    let shortest = Infinity;
    let longest = 0;
    for (const { duration } of traces) {
        const seconds = Math.max(duration, 1e-6);
        shortest = Math.min(shortest, seconds);
        longest = Math.max(longest, seconds);
    }
    if (longest === 0) return { shortest: 1e-3, longest: 1 };
    const low = decade(shortest, false);
    return { shortest: low, longest: Math.max(decade(longest, true), low * 10) };
}

export function placeX(scale: Scale, at: number): number {
    return MARGIN.left + ((at - scale.from) / (scale.to - scale.from)) * scale.width;
}

export function placeY(scale: Scale, duration: number): number {
    const range = Math.log(scale.longest / scale.shortest);
    const share = Math.log(Math.max(duration, 1e-6) / scale.shortest) / range;
    return MARGIN.top + (1 - share) * scale.height;
}

export function timeAt(scale: Scale, x: number): number {
    const share = Math.max(0, Math.min(1, (x - MARGIN.left) / scale.width));
    return scale.from + share * (scale.to - scale.from);
}

export function durationAt(scale: Scale, y: number): number {
    const share = 1 - Math.max(0, Math.min(1, (y - MARGIN.top) / scale.height));
    return scale.shortest * (scale.longest / scale.shortest) ** share;
}

// Area by number of spans.
export function radiusOf(spans: number): number {
    return Math.min(9, 2 + Math.sqrt(spans) / 2);
}

// The trace whose mark is nearest to a place, within reach.
export function nearest(
    scale: Scale,
    traces: readonly FoundTrace[],
    x: number,
    y: number,
    reach = 10,
): FoundTrace | undefined {
    let found: FoundTrace | undefined;
    let best = reach * reach;
    for (const trace of traces) {
        const dx = placeX(scale, trace.at) - x;
        const dy = placeY(scale, trace.duration) - y;
        const distance = dx * dx + dy * dy;
        // Failed ones are drawn above the others.
        if (distance < best || (distance === best && trace.failed)) {
            best = distance;
            found = trace;
        }
    }
    return found;
}
