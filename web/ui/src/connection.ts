// Whether Callboard answers, and whether it wants the reader to sign in: seen in
// every answer. While it does not, its health is asked until it does.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { advanceClock } from "./time";

export interface Connection {
    gone: boolean;
    refused: boolean; // 401: without a token, or with one that is not valid
}

const EVERY = 2000;
const GATEWAY = [502, 504]; // of a proxy in front

// askHealth: the status of a question that needs no right.
export function makeConnection(askHealth: () => Promise<number>) {
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
            if (!GATEWAY.includes(await askHealth())) {
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

    function subscribe(listener: () => void): () => void {
        listeners.add(listener);
        return () => listeners.delete(listener);
    }

    // Calls when an answer comes again after there was none.
    function whenBack(listener: () => void): () => void {
        onBack.add(listener);
        return () => onBack.delete(listener);
    }

    return {
        // What an answer, or none, says.
        sawAnswer(status: number): void {
            if (GATEWAY.includes(status)) lost();
            else set({ gone: false, refused: status === 401 ? true : state.refused });
        },
        sawNoAnswer(failure: unknown): void {
            if (!(failure instanceof DOMException && failure.name === "AbortError")) lost();
        },
        signedIn: () => set({ refused: false }),
        useConnection: () => useSyncExternalStore(subscribe, () => state),
        // What could not be asked meanwhile is asked when it answers again.
        useAskWhenBack(): void {
            const queries = useQueryClient();
            useEffect(
                () =>
                    whenBack(() => {
                        advanceClock();
                        void queries.invalidateQueries({
                            predicate: (query) => query.state.status === "error",
                        });
                    }),
                [queries],
            );
        },
    };
}
