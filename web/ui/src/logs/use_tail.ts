// The tail of the filters of the address, while it is shown.
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { dataOf } from "../client";
import { useHost } from "../host";
import type { Scope } from "../scope";
import { requestQuery, type LogFilters } from "./filters";
import { Tail, type TailAnswer } from "./tail";

const FIRST_LINES = 200;
const WAIT_SECONDS = 10;

export function useTail(scope: Scope, filters: LogFilters, attributes: boolean): Tail {
    const { client } = useHost();
    // The same question keeps its tail, whatever objects it is made of.
    const key = JSON.stringify([requestQuery(scope, filters), attributes]);
    const tail = useMemo(() => {
        const [query, includeAttributes] = JSON.parse(key) as [ReturnType<typeof requestQuery>, boolean];
        return new Tail(async (cursor, signal): Promise<TailAnswer> => {
            const place = cursor === undefined ? { lines: FIRST_LINES } : { cursor, wait: WAIT_SECONDS };
            return dataOf(
                client.GET("/api/v1/logs/tail", {
                    params: { query: { ...query, ...place, includeAttributes } },
                    signal,
                }),
            );
        });
    }, [client, key]);
    useEffect(() => {
        const visibility = () => tail.setHidden(document.hidden);
        visibility();
        document.addEventListener("visibilitychange", visibility);
        tail.start();
        return () => {
            document.removeEventListener("visibilitychange", visibility);
            tail.stop();
        };
    }, [tail]);
    return tail;
}

export function useTailState(tail: Tail) {
    return useSyncExternalStore(tail.subscribe, tail.snapshot);
}
