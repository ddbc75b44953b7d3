// The crosshair that all charts of a page share: one time, or none. Charts tell
// each other only this, so that a brush in one is no brush in the others.
import { useSyncExternalStore } from "react";

let at: number | undefined;
const listeners = new Set<() => void>();

export function setCrosshair(time: number | undefined): void {
    if (time === at) return;
    at = time;
    for (const listener of listeners) listener();
}

export function crosshair(): number | undefined {
    return at;
}

export function onCrosshair(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

export function useCrosshair(): number | undefined {
    return useSyncExternalStore(onCrosshair, crosshair);
}
