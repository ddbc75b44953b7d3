// Health of a component: the same function everywhere.
export type Health = "bad" | "warning" | "ok" | "silent" | "unknown";

export interface HealthThresholds {
    errorRatioBad: number;
    errorRatioWarning: number;
    latencyFactorBad: number;
    latencyFactorWarning: number;
    latencyExcessBadSeconds: number;
    latencyExcessWarningSeconds: number;
    minimumRequests: number;
}

// Until GET /api/v1/session has told those of the server.
export const DEFAULT_THRESHOLDS: HealthThresholds = {
    errorRatioBad: 0.05,
    errorRatioWarning: 0.01,
    latencyFactorBad: 3,
    latencyFactorWarning: 2,
    latencyExcessBadSeconds: 0.05,
    latencyExcessWarningSeconds: 0.02,
    minimumRequests: 20,
};

// What health is judged by. Figures that are not known are absent.
export interface HealthInput {
    requests: number;
    errorRatio?: number | null;
    p99?: number | null; // seconds
    previousRequests: number;
    previousP99?: number | null;
    warningEvents?: number;
    declared?: boolean;
    everSeen?: boolean;
}

function slower(input: HealthInput, factor: number, excess: number): boolean {
    const { p99, previousP99 } = input;
    if (p99 == null || previousP99 == null) return false;
    return p99 >= factor * previousP99 && p99 - previousP99 >= excess;
}

export function healthOf(input: HealthInput, limits: HealthThresholds = DEFAULT_THRESHOLDS): Health {
    if (input.requests === 0) {
        const missing = input.previousRequests > 0 || (input.declared === true && input.everSeen === false);
        return missing ? "silent" : input.warningEvents ? "warning" : "ok";
    }
    const errors = input.errorRatio ?? 0;
    const judged = input.requests >= limits.minimumRequests;
    if (judged && errors >= limits.errorRatioBad) return "bad";
    if (judged && slower(input, limits.latencyFactorBad, limits.latencyExcessBadSeconds)) return "bad";
    if (judged && errors >= limits.errorRatioWarning) return "warning";
    if (judged && slower(input, limits.latencyFactorWarning, limits.latencyExcessWarningSeconds))
        return "warning";
    return input.warningEvents ? "warning" : "ok";
}

// The worst first.
export const HEALTH_ORDER: readonly Health[] = ["bad", "warning", "silent", "ok", "unknown"];
