// Colours of charts: read from the custom properties of the style, and again
// when the theme changes. A canvas knows no custom properties.
import { useSyncExternalStore } from "react";
import type { Line } from "./types";

const PROPERTIES: Record<Line["role"], string> = {
    primary: "--cb-primary",
    error: "--cb-bad-mark",
    warning: "--cb-warning-mark",
    p50: "--cb-p50",
    p90: "--cb-p90",
    p99: "--cb-p99",
    limit: "--cb-limit",
    before: "--cb-before",
    debug: "--cb-debug",
    info: "--cb-info",
};

export function roleProperty(role: Line["role"]): string {
    return PROPERTIES[role];
}

export type Colors = (property: string) => string;

// Reads properties where an element stands; each once.
export function colorsOf(element: Element): Colors {
    const style = getComputedStyle(element);
    const known = new Map<string, string>();
    return (property) => {
        let value = known.get(property);
        if (value === undefined) {
            value = style.getPropertyValue(property).trim() || "#888888";
            known.set(property, value);
        }
        return value;
    };
}

// "#rrggbb" or "rgb(...)" with an opacity.
export function withAlpha(color: string, alpha: number): string {
    if (/^#[0-9a-f]{6}$/i.test(color)) {
        const byte = Math.round(alpha * 255);
        return color + byte.toString(16).padStart(2, "0");
    }
    return color.replace(/^rgb\(([^/)]+)\)$/, `rgb($1 / ${alpha})`);
}

let version = 0;
const listeners = new Set<() => void>();
let watching = false;

function changed(): void {
    version++;
    for (const listener of listeners) listener();
}

function watch(): void {
    if (watching) return;
    watching = true;
    window.matchMedia?.("(prefers-color-scheme: dark)").addEventListener("change", changed);
    const observer = new MutationObserver(changed);
    const attributes = { attributes: true, attributeFilter: ["class", "data-theme", "data-theme-mode"] };
    observer.observe(document.documentElement, attributes);
    observer.observe(document.body, attributes);
}

// Another number after each change of the theme.
export function useThemeVersion(): number {
    return useSyncExternalStore(
        (listener) => {
            watch();
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        () => version,
    );
}
