// The keys of the page, one table: what the list of "?" shows is what is done.
import { useEffect, useRef } from "react";

export interface Key {
    keys: string; // "/", "g o"
    text: string;
    run?: () => void; // absent: done by what has the focus
}

const TYPING = "input, textarea, select, [contenteditable=true], [role=combobox]";
const PREFIX_MS = 1500;

// Runs what belongs to a key, or to two in a row ("g o"). Not while typing, and
// not if what has the focus has used the key itself.
export function useKeys(keys: readonly Key[], enabled: boolean): void {
    const latest = useRef(keys);
    latest.current = keys;
    useEffect(() => {
        if (!enabled) return;
        let prefix = "";
        let timer: ReturnType<typeof setTimeout> | undefined;
        const down = (event: KeyboardEvent) => {
            const target = event.target as Element;
            if (event.defaultPrevented || event.isComposing) return;
            const command =
                (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k";
            if (!command && (event.ctrlKey || event.metaKey || event.altKey || target.matches?.(TYPING)))
                return;
            const pressed = command ? "Ctrl-K" : prefix ? `${prefix} ${event.key}` : event.key;
            clearTimeout(timer);
            prefix = "";
            const found = latest.current.find((key) => key.keys.split(", ").includes(pressed));
            if (found?.run) {
                event.preventDefault();
                found.run();
            } else if (latest.current.some((key) => key.keys.startsWith(`${pressed} `))) {
                prefix = pressed;
                timer = setTimeout(() => (prefix = ""), PREFIX_MS);
            }
        };
        document.addEventListener("keydown", down);
        return () => {
            clearTimeout(timer);
            document.removeEventListener("keydown", down);
        };
    }, [enabled]);
}
