import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { livePeriod, setLivePause, useLive } from "./live";
import { showAt } from "./test_host";
import { resolveRange, useTimeRange } from "./time";

beforeEach(() => {
    vi.useFakeTimers();
});
afterEach(() => {
    setLivePause("test", undefined);
    vi.useRealTimers();
});

function View() {
    const live = useLive();
    const range = useTimeRange();
    return (
        <>
            <p>{range.end.toISOString()}</p>
            <p>{live.on ? (live.paused ?? "follows") : "off"}</p>
            <input aria-label="field" />
        </>
    );
}

const show = (params: Record<string, string>) => showAt(<View />, { page: "overview", params }, {});
const shownEnd = () => screen.getByText(/Z$/).textContent;
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

test("asks every max(step, 5 s), at most every minute", () => {
    const now = Date.now();
    expect(livePeriod(resolveRange("now-2m", "now", now), 5)).toBe(5000);
    expect(livePeriod(resolveRange("now-30m", "now", now), 5)).toBe(30_000);
    expect(livePeriod(resolveRange("now-2m", "now", now), 20)).toBe(20_000);
    expect(livePeriod(resolveRange("now-7d", "now", now), 5)).toBe(60_000);
});

test("goes on by itself, and pauses with a reason while the reader types", async () => {
    show({ from: "now-5m", to: "now", live: "1" });
    screen.getByText("follows");
    await pass(5000);
    const first = shownEnd();
    await pass(5000);
    expect(shownEnd()).not.toBe(first);
    const field = screen.getByLabelText("field");
    act(() => field.focus());
    fireEvent.focusIn(field);
    screen.getByText("you type");
    const paused = shownEnd();
    await pass(30_000);
    expect(shownEnd()).toBe(paused);
    act(() => field.blur());
    fireEvent.focusOut(field);
    await pass(250);
    expect(shownEnd()).not.toBe(paused);
});

test("a fixed range is not live", async () => {
    show({ from: "2026-01-01T10:00:00Z", to: "2026-01-01T11:00:00Z", live: "1" });
    screen.getByText("off");
});
