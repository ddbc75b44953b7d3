// Where changes are drawn: lanes by component, marks by time, ticks of the axis.
import { isMain, type Change } from "./kinds";

const APART_PX = 28; // a mark with its number
const TICK_PX = 90;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS_MS = [
    ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
    ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
    ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
    ...[1, 2, 7].map((n) => n * DAY),
];

export interface Mark {
    left: number; // px
    changes: Change[];
}

export interface Lane {
    component: string;
    changes: Change[];
}

// Those with the newest main change first: what changed last is what is looked for.
export function lanesOf(changes: readonly Change[]): Lane[] {
    const lanes = new Map<string, Lane & { newest: number }>();
    for (const change of changes) {
        const { component } = change;
        const lane = lanes.get(component) ?? { component, changes: [], newest: 0 };
        lane.changes.push(change);
        if (isMain(change)) lane.newest = Math.max(lane.newest, Date.parse(change.timestamp));
        lanes.set(component, lane);
    }
    return [...lanes.values()].sort((a, b) => b.newest - a.newest || a.component.localeCompare(b.component));
}

// Several that are close to each other are one mark.
export function marksOf(changes: readonly Change[], from: number, to: number, width: number): Mark[] {
    const marks: Mark[] = [];
    const inOrder = [...changes].sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
    for (const change of inOrder) {
        const share = (Date.parse(change.timestamp) - from) / (to - from);
        const left = Math.max(0, Math.min(1, share)) * width;
        const last = marks[marks.length - 1];
        if (last && left - last.left < APART_PX) last.changes.push(change);
        else marks.push({ left, changes: [change] });
    }
    return marks;
}

export function ticksOf(from: number, to: number, width: number): number[] {
    const step = STEPS_MS.find((one) => ((to - from) / one) * TICK_PX <= width) ?? 7 * DAY;
    const zone = new Date(from).getTimezoneOffset() * MINUTE;
    const ticks: number[] = [];
    for (let at = Math.ceil((from - zone) / step) * step + zone; at < to && ticks.length < 100; at += step)
        ticks.push(at);
    return ticks;
}
