// What the server tells before anything is asked: GET /api/v1/session. It is
// asked once; a server without it, or a proxy that hides it, has what is usual.
import { useQuery } from "@tanstack/react-query";
import { dataOf, type ApiError, type Schemas } from "./client";
import { DEFAULT_THRESHOLDS, type HealthThresholds } from "./health";
import { useHost } from "./host";

export type Session = Schemas["Session"];

const POLL_SECONDS = 5;

// Undefined until it has been told.
function useSession(): Session | undefined {
    const { client } = useHost();
    const asked = useQuery<Session, ApiError>({
        queryKey: ["session"],
        queryFn: ({ signal }) => dataOf(client.GET("/api/v1/session", { signal })),
        gcTime: Infinity,
        retryOnMount: false,
    });
    return asked.data;
}

export function useHealthThresholds(): HealthThresholds {
    return useSession()?.health ?? DEFAULT_THRESHOLDS;
}

// The shortest time between two questions of what is live.
export function usePollSeconds(): number {
    return useSession()?.pollSeconds ?? POLL_SECONDS;
}
