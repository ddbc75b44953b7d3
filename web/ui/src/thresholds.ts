// The thresholds of health that this server has; the usual ones until it has told.
import { DEFAULT_THRESHOLDS, type HealthThresholds } from "./health";

export function useHealthThresholds(): HealthThresholds {
    return DEFAULT_THRESHOLDS;
}
