// The live tail: records in the order of arrival, each once. The cursor of the
// last answer says what comes next, so nothing is lost while the tail is paused,
// the tab is hidden or the server is away.
import type { LogEntry } from "./filters";

export interface TailAnswer {
    logs: LogEntry[];
    nextCursor: string;
    more: boolean;
}

// Asks once. Without cursor: begins with the newest records.
export type AskTail = (cursor: string | undefined, signal: AbortSignal) => Promise<TailAnswer>;

export interface TailRow {
    key: number; // place in the order of arrival; never changes
    log: LogEntry;
}

export interface TailState {
    rows: readonly TailRow[]; // shown
    waiting: number; // arrived while paused
    waitingMore: boolean; // and more that was not read yet
    paused: boolean;
    everyNth: number; // 1: all are shown
    perSecond: number; // arrived per second, lately
    skipped: number; // not shown because there were too many
    dropped: number; // the oldest, to hold no more than ROWS_MAX
    failure?: unknown; // of the last question; asked again by itself
    begun: boolean;
}

export const RATE_MAX = 200; // lines a second that are all shown
export const ROWS_MAX = 10_000;
export const WAITING_MAX = 5_000; // paused: what comes after is left to the server
const WINDOW_MS = 5_000;
const PAUSE_MS = 500; // between two questions
const RETRY_MS = [1_000, 2_000, 4_000, 8_000];

export class Tail {
    private state: TailState = {
        rows: [],
        waiting: 0,
        waitingMore: false,
        paused: false,
        everyNth: 1,
        perSecond: 0,
        skipped: 0,
        dropped: 0,
        begun: false,
    };
    private pending: TailRow[] = [];
    private cursor: string | undefined;
    private arrived: { at: number; lines: number }[] = [];
    private allReadAt: number;
    private count = 0;
    private failures = 0;
    private hidden = false;
    private stopped = true;
    private asking: AbortController | undefined;
    private timer: ReturnType<typeof setTimeout> | undefined;
    private listeners = new Set<() => void>();

    constructor(
        private readonly ask: AskTail,
        private readonly clock: () => number = Date.now,
    ) {
        this.allReadAt = clock();
    }

    snapshot = (): TailState => this.state;

    subscribe = (listener: () => void): (() => void) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    };

    start(): void {
        this.stopped = false;
        this.schedule(0);
    }

    stop(): void {
        this.stopped = true;
        clearTimeout(this.timer);
        this.timer = undefined;
        this.asking?.abort();
        this.asking = undefined;
    }

    pause(): void {
        if (!this.state.paused) this.change({ paused: true });
    }

    // Shows what waits, and goes on.
    follow(): void {
        if (!this.state.paused) return;
        const rows = this.pending;
        this.pending = [];
        this.change({ paused: false, waiting: 0, waitingMore: false });
        this.show(rows);
        this.schedule(0);
    }

    // In a hidden tab nothing is asked.
    setHidden(hidden: boolean): void {
        this.hidden = hidden;
        if (!hidden) this.schedule(0);
    }

    private change(changes: Partial<TailState>): void {
        this.state = { ...this.state, ...changes };
        for (const listener of this.listeners) listener();
    }

    private schedule(ms: number): void {
        if (this.stopped || this.asking || this.hidden || this.full()) return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.once(), ms);
    }

    private full(): boolean {
        return this.state.paused && this.pending.length >= WAITING_MAX;
    }

    private async once(): Promise<void> {
        const asking = new AbortController();
        this.asking = asking;
        let pause = PAUSE_MS;
        try {
            const answer = await this.ask(this.cursor, asking.signal);
            if (asking.signal.aborted) return;
            this.failures = 0;
            this.take(answer);
            if (answer.more) pause = 0;
        } catch (failure) {
            if (asking.signal.aborted) return;
            pause = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)]!;
            this.change({ failure });
        } finally {
            if (this.asking === asking) this.asking = undefined;
        }
        this.schedule(pause);
    }

    // Lines a second over five seconds, or since the last time that all was read:
    // neither a short burst nor what is made up for is a flood.
    private rate(answer: TailAnswer): number {
        const now = this.clock();
        const from = Math.min(now - WINDOW_MS, this.allReadAt);
        if (!answer.more) this.allReadAt = now;
        this.arrived.push({ at: now, lines: answer.logs.length });
        this.arrived = this.arrived.filter((entry) => entry.at > from);
        const lines = this.arrived.reduce((sum, entry) => sum + entry.lines, 0);
        return (lines * 1000) / (now - from);
    }

    private take(answer: TailAnswer): void {
        const first = this.cursor === undefined;
        this.cursor = answer.nextCursor;
        const perSecond = first ? 0 : this.rate(answer);
        const everyNth = perSecond > RATE_MAX ? Math.ceil(perSecond / RATE_MAX) : 1;
        const rows = answer.logs
            .map((log) => ({ key: this.count++, log }))
            .filter((row) => everyNth === 1 || row.key % everyNth === 0);
        const skipped = this.state.skipped + answer.logs.length - rows.length;
        const changes = { begun: true, failure: undefined, perSecond, everyNth, skipped };
        if (!this.state.paused) return this.show(rows, changes);
        this.pending = this.pending.concat(rows);
        this.change({ ...changes, waiting: this.pending.length, waitingMore: this.full() });
    }

    private show(rows: TailRow[], changes: Partial<TailState> = {}): void {
        const all = rows.length > 0 ? this.state.rows.concat(rows) : this.state.rows;
        const excess = Math.max(0, all.length - ROWS_MAX);
        this.change({
            ...changes,
            rows: excess > 0 ? all.slice(excess) : all,
            dropped: this.state.dropped + excess,
        });
    }
}
