// Keys of a view that work from the whole page, where the page is ours.
import { useEffect, useRef } from "react";
import { useHost } from "../host";

const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable=true], [role=combobox]";

// The handler tells whether the key is one of its own. What has the focus comes first, then
// the keys of the page ("g c"): they listen at the document.
export function usePageKeys(handle: (key: string) => boolean): void {
    const { wholePage } = useHost();
    const latest = useRef(handle);
    latest.current = handle;
    useEffect(() => {
        if (!wholePage) return;
        const down = (event: KeyboardEvent) => {
            if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey)
                return;
            if ((event.target as Element).matches?.(TYPING)) return;
            if (document.querySelector("dialog[open], [role=dialog]")) return;
            if (latest.current(event.key)) event.preventDefault();
        };
        window.addEventListener("keydown", down);
        return () => window.removeEventListener("keydown", down);
    }, [wholePage]);
}
