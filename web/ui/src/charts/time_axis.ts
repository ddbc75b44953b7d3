// The x axis of the charts of a page: its time range, and what a brush does to it.
import { useMemo } from "react";
import { useSetParams } from "../address";
import { rfc3339, useClock, useTimeRange, zoomedOut } from "../time";

const SHORTEST = 1000;

// To be spread into charts: {...useTimeAxis()}.
export function useTimeAxis() {
    const range = useTimeRange();
    const now = useClock();
    const setParams = useSetParams();
    return useMemo(
        () => ({
            from: range.start.getTime(),
            to: range.end.getTime(),
            onBrush: (from: number, to: number) =>
                setParams({
                    from: rfc3339(from),
                    to: rfc3339(Math.max(to, from + SHORTEST)),
                    live: undefined,
                }),
            onZoomOut: () => setParams({ ...zoomedOut(range, now) }),
        }),
        [range, now, setParams],
    );
}
