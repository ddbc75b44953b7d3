// Whether Callboard answers, and whether it wants the reader to sign in: seen in
// every answer. While it does not, its health is asked until it does.
import { useSyncExternalStore } from "react";
import { API_BASE } from "./address_bar";

export interface Connection {
    gone: boolean;
    refused: boolean; // 401: without a token, or with one that is not valid
}

const EVERY = 2000;
const GATEWAY = [502, 504]; // of a proxy in front

let state: Connection = { gone: false, refused: false };
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
const onBack = new Set<() => void>();

function set(next: Partial<Connection>): void {
    const wasGone = state.gone;
    const changed = { ...state, ...next };
    if (changed.gone === state.gone && changed.refused === state.refused) return;
    state = changed;
    for (const listener of listeners) listener();
    if (wasGone && !state.gone) for (const listener of onBack) listener();
}

async function look(): Promise<void> {
    try {
        const answer = await window.fetch(`${API_BASE}/health`);
        if (!GATEWAY.includes(answer.status)) {
            timer = undefined;
            set({ gone: false });
            return;
        }
    } catch {
        // Still gone.
    }
    timer = setTimeout(look, EVERY);
}

function lost(): void {
    set({ gone: true });
    timer ??= setTimeout(look, EVERY);
}

// What an answer, or none, says.
export function sawAnswer(status: number): void {
    if (GATEWAY.includes(status)) lost();
    else set({ gone: false, refused: status === 401 ? true : state.refused });
}

export function sawNoAnswer(failure: unknown): void {
    if (!(failure instanceof DOMException && failure.name === "AbortError")) lost();
}

export function signedIn(): void {
    set({ refused: false });
}

// Calls when an answer comes again after there was none.
export function whenBack(listener: () => void): () => void {
    onBack.add(listener);
    return () => onBack.delete(listener);
}

export function useConnection(): Connection {
    return useSyncExternalStore(
        (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        () => state,
    );
}
