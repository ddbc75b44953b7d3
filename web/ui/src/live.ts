// Live: the page's clock goes on by itself, every max(step, what the server says); never while an
// answer is outstanding, never in a hidden tab, and not while the reader is busy
// with what is shown.
import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useSetParams } from "./address";
import { usePlace } from "./host";
import { usePollSeconds } from "./session";
import { advanceClock, useTimeRange, type TimeRange } from "./time";

const LONGEST = 60_000;
const STEPS = 60; // of a chart, about

export function livePeriod(range: TimeRange, pollSeconds: number): number {
    const step = (range.end.getTime() - range.start.getTime()) / STEPS;
    return Math.max(pollSeconds * 1000, Math.min(LONGEST, Math.round(step / 1000) * 1000));
}

// ---- Reasons to pause, by who gives them. ----

const reasons = new Map<string, string>();
const listeners = new Set<() => void>();
let first: string | undefined;

function changed(): void {
    first = reasons.values().next().value;
    for (const listener of listeners) listener();
}

// Pauses live while "because" is there: "you scrolled".
export function setLivePause(who: string, because: string | undefined): void {
    if (reasons.get(who) === because) return;
    if (because === undefined) reasons.delete(who);
    else reasons.set(who, because);
    changed();
}

export function useLivePause(who: string, because: string | undefined): void {
    useEffect(() => {
        setLivePause(who, because);
        return () => setLivePause(who, undefined);
    }, [who, because]);
}

function usePauseReason(): string | undefined {
    return useSyncExternalStore(
        (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        () => first,
    );
}

const TEXT_FIELDS = "input:not([type=checkbox]):not([type=radio]):not([type=button]), textarea, select";

// What the reader does anywhere on the page: typing, a drag, another tab.
function useReader(active: boolean): void {
    useEffect(() => {
        if (!active) return;
        const look = () => {
            setLivePause("tab", document.hidden ? "this tab is hidden" : undefined);
            const typing = document.activeElement?.matches(TEXT_FIELDS);
            setLivePause("typing", typing ? "you type" : undefined);
        };
        const down = (event: PointerEvent) => {
            if ((event.target as Element).closest?.(".cb-plot")) setLivePause("drag", "you select");
        };
        const up = () => setLivePause("drag", undefined);
        look();
        const events = ["focusin", "focusout", "visibilitychange"] as const;
        for (const name of events) document.addEventListener(name, look);
        document.addEventListener("pointerdown", down);
        document.addEventListener("pointerup", up);
        document.addEventListener("pointercancel", up);
        return () => {
            for (const name of events) document.removeEventListener(name, look);
            document.removeEventListener("pointerdown", down);
            document.removeEventListener("pointerup", up);
            document.removeEventListener("pointercancel", up);
            for (const who of ["tab", "typing", "drag"]) setLivePause(who, undefined);
        };
    }, [active]);
}

// When the last answer came.
function useLastAnswer(): number {
    const cache = useQueryClient().getQueryCache();
    const [at, setAt] = useState(() => Date.now());
    useEffect(
        () =>
            cache.subscribe((event) => {
                if (event.type === "updated" && event.action.type === "success") setAt(Date.now());
            }),
        [cache],
    );
    return at;
}

export interface Live {
    possible: boolean; // the range ends now
    on: boolean;
    paused?: string; // why
    answeredAt: number;
    toggle: () => void;
}

// To be used once, by what stands around the views.
export function useLive(): Live {
    const { params } = usePlace();
    const range = useTimeRange();
    const setParams = useSetParams();
    const on = params.live === "1" && range.relative;
    const paused = usePauseReason();
    const fetching = useIsFetching();
    const answeredAt = useLastAnswer();
    useReader(on);
    const busy = useRef(false);
    busy.current = fetching > 0;
    const period = livePeriod(range, usePollSeconds());
    const running = on && paused === undefined;
    const endsAt = range.end.getTime();

    useEffect(() => {
        if (!running) return;
        // What is due at once after a pause is asked at once.
        let timer = setTimeout(ask, Math.max(0, Math.min(period, endsAt + period - Date.now())));
        function ask() {
            if (busy.current) timer = setTimeout(ask, 250);
            else advanceClock();
        }
        return () => clearTimeout(timer);
    }, [running, period, endsAt]);

    return {
        possible: range.relative,
        on,
        paused: on ? paused : undefined,
        answeredAt,
        toggle: () => setParams({ live: on ? undefined : "1" }, "replace"),
    };
}
