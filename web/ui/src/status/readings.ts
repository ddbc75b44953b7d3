// Readings of /metrics, one every five seconds, while the page is looked at.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Asked } from "../ask";
import { ApiError, dataOf, type Schemas } from "../client";
import { useHost } from "../host";
import { Reading } from "./metrics";

const EVERY_MS = 5000;
const KEPT = 60;

const polled = { refetchInterval: EVERY_MS, staleTime: 0, retry: false } as const;

export interface Readings {
    asked: Asked<Reading>;
    history: readonly Reading[]; // the oldest first; the last is the newest
}

export function useReadings(): Readings {
    const { client } = useHost();
    const asked = useQuery<Reading, ApiError>({
        queryKey: ["metrics"],
        queryFn: async ({ signal }) =>
            new Reading(
                Date.now(),
                String(await dataOf(client.GET("/metrics", { parseAs: "text", signal }))),
            ),
        structuralSharing: false,
        ...polled,
    });
    const [history, setHistory] = useState<readonly Reading[]>([]);
    const newest = asked.data;
    useEffect(() => {
        if (newest) setHistory((old) => [...old.filter((one) => one.at < newest.at), newest].slice(-KEPT));
    }, [newest]);
    return { asked: asked as Asked<Reading>, history };
}

export type Health = Schemas["Health"];

// 503 is an answer, too: it says why.
export function useHealth(): Asked<Health> {
    const { client } = useHost();
    return useQuery<Health, ApiError>({
        queryKey: ["health"],
        queryFn: async ({ signal }) => {
            const answer = client.GET("/health", { signal });
            const { error, response } = await answer.catch(() => ({ error: undefined, response: undefined }));
            if (response?.status === 503 && error && "status" in error) return error as Health;
            return dataOf(answer);
        },
        ...polled,
    }) as Asked<Health>;
}
