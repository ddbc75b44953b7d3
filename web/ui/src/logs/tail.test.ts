import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RATE_MAX, ROWS_MAX, Tail, WAITING_MAX, type TailAnswer } from "./tail";
import type { LogEntry } from "./filters";

// A server that has numbered lines; a cursor is how many were read.
class Server {
    lines = 0;
    asked = 0;
    away = false;
    ask = async (cursor: string | undefined): Promise<TailAnswer> => {
        this.asked++;
        if (this.away) throw new Error("away");
        const from = Number(cursor ?? this.lines);
        const to = Math.min(this.lines, from + 1000);
        const logs = Array.from(
            { length: to - from },
            (_, i): LogEntry => ({
                timestamp: "2025-01-15T08:00:00Z",
                log: String(from + i),
            }),
        );
        return { logs, nextCursor: String(to), more: to < this.lines };
    };
}

let server: Server;
let tail: Tail;
const shown = () => tail.snapshot().rows.map((row) => Number(row.log.log));
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

beforeEach(async () => {
    vi.useFakeTimers();
    server = new Server();
    tail = new Tail(server.ask);
    tail.start();
    await vi.advanceTimersByTimeAsync(0);
});
afterEach(() => {
    tail.stop();
    vi.useRealTimers();
});

test("lines are shown in order, each once", async () => {
    server.lines = 100;
    await vi.advanceTimersByTimeAsync(1000);
    server.lines = 150;
    await vi.advanceTimersByTimeAsync(1000);
    expect(shown()).toEqual(numbers(0, 150));
    expect(tail.snapshot()).toMatchObject({ everyNth: 1, skipped: 0 });
});

test("while paused lines are counted and not shown; following again shows all of them", async () => {
    server.lines = 10;
    await vi.advanceTimersByTimeAsync(1000);
    tail.pause();
    server.lines = 24;
    await vi.advanceTimersByTimeAsync(1000);
    expect(shown()).toEqual(numbers(0, 10));
    expect(tail.snapshot().waiting).toBe(14);
    tail.follow();
    expect(shown()).toEqual(numbers(0, 24));
    expect(tail.snapshot()).toMatchObject({ waiting: 0, paused: false });
});

test("a long pause leaves what comes to the server, and loses nothing", async () => {
    tail.pause();
    for (let i = 0; i < 100; i++) {
        server.lines += 90;
        await vi.advanceTimersByTimeAsync(1000);
    }
    const asked = server.asked;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.asked).toBe(asked);
    expect(tail.snapshot()).toMatchObject({ waitingMore: true });
    expect(tail.snapshot().waiting).toBeLessThan(WAITING_MAX + 1000);
    tail.follow();
    await vi.advanceTimersByTimeAsync(5000);
    expect(shown()).toEqual(numbers(0, 9000));
    expect(tail.snapshot().skipped).toBe(0);
});

test("a server that is away is asked again with the same cursor", async () => {
    server.lines = 5;
    await vi.advanceTimersByTimeAsync(1000);
    server.away = true;
    server.lines = 4000;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(tail.snapshot().failure).toBeInstanceOf(Error);
    server.away = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(tail.snapshot().failure).toBeUndefined();
    expect(shown()).toEqual(numbers(0, 4000));
});

test("in a hidden tab nothing is asked, and nothing is lost", async () => {
    tail.setHidden(true);
    await vi.advanceTimersByTimeAsync(1000);
    const asked = server.asked;
    server.lines = 700;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.asked).toBe(asked);
    tail.setHidden(false);
    await vi.advanceTimersByTimeAsync(1000);
    expect(shown()).toEqual(numbers(0, 700));
});

test("above 200 lines a second one in n is shown, and that is told", async () => {
    for (let i = 0; i < 20; i++) {
        server.lines += 500;
        await vi.advanceTimersByTimeAsync(500);
    }
    const state = tail.snapshot();
    expect(state.everyNth).toBe(Math.ceil(1000 / RATE_MAX));
    expect(state.skipped + state.rows.length).toBe(10_000);
    expect(state.skipped).toBeGreaterThan(0);
    // Calm again: all are shown.
    await vi.advanceTimersByTimeAsync(6000);
    server.lines += 10;
    await vi.advanceTimersByTimeAsync(1000);
    expect(shown().slice(-10)).toEqual(numbers(10_000, 10_010));
    expect(tail.snapshot().everyNth).toBe(1);
});

test("no more than so many lines are held; the oldest go", async () => {
    for (let i = 0; i < 130; i++) {
        server.lines += 100;
        await vi.advanceTimersByTimeAsync(1000);
    }
    expect(shown()).toEqual(numbers(13_000 - ROWS_MAX, 13_000));
    expect(tail.snapshot().dropped).toBe(3000);
});
