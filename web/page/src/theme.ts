// Light or dark: as the system says, unless the reader has chosen.
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";

const KEY = "callboard-theme";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function chosen(): Theme | undefined {
    try {
        const value = window.localStorage.getItem(KEY);
        return value === "light" || value === "dark" ? value : undefined;
    } catch {
        return undefined; // storage may be forbidden
    }
}

let theme: Theme = "light";

export function applyTheme(): void {
    const own = chosen();
    theme = own ?? (dark.matches ? "dark" : "light");
    if (own) document.documentElement.dataset.theme = own;
    else delete document.documentElement.dataset.theme;
    for (const listener of listeners) listener();
}

dark.addEventListener("change", applyTheme);

// The other one. What the system says is not stored, so that it is followed again.
export function switchTheme(): void {
    const next: Theme = theme === "dark" ? "light" : "dark";
    try {
        if (next === (dark.matches ? "dark" : "light")) window.localStorage.removeItem(KEY);
        else window.localStorage.setItem(KEY, next);
    } catch {
        document.documentElement.dataset.theme = next;
    }
    applyTheme();
}

export function useTheme(): Theme {
    return useSyncExternalStore(
        (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        () => theme,
    );
}
