// The reader's token, of this browser tab's session only.
import { useSyncExternalStore } from "react";

const KEY = "callboard-token";
const listeners = new Set<() => void>();

export function readToken(): string | undefined {
    return window.sessionStorage.getItem(KEY) ?? undefined;
}

export function storeToken(token: string | undefined): void {
    if (token) window.sessionStorage.setItem(KEY, token);
    else window.sessionStorage.removeItem(KEY);
    for (const listener of listeners) listener();
}

export function useToken(): string | undefined {
    return useSyncExternalStore((listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
    }, readToken);
}
