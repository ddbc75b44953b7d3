import { expect, test } from "vitest";
import { healthOf } from "./health";

const quiet = { requests: 1000, errorRatio: 0, p99: 0.01, previousRequests: 1000, previousP99: 0.01 };

test("errors and latency are judged by the thresholds", () => {
    expect(healthOf(quiet)).toBe("ok");
    expect(healthOf({ ...quiet, errorRatio: 0.05 })).toBe("bad");
    expect(healthOf({ ...quiet, errorRatio: 0.01 })).toBe("warning");
    expect(healthOf({ ...quiet, errorRatio: 0.0099 })).toBe("ok");
    expect(healthOf({ ...quiet, p99: 0.061, previousP99: 0.01 })).toBe("bad");
    expect(healthOf({ ...quiet, p99: 0.031, previousP99: 0.01 })).toBe("warning");
    expect(healthOf({ ...quiet, p99: 0.0299, previousP99: 0.01 })).toBe("ok");
    expect(healthOf({ ...quiet, warningEvents: 1 })).toBe("warning");
});

test("under 20 requests nothing is judged", () => {
    expect(healthOf({ ...quiet, requests: 19, errorRatio: 1 })).toBe("ok");
    expect(healthOf({ ...quiet, requests: 20, errorRatio: 1 })).toBe("bad");
});

test("silent: requests before and none now, or declared and never seen", () => {
    expect(healthOf({ requests: 0, previousRequests: 5 })).toBe("silent");
    expect(healthOf({ requests: 0, previousRequests: 0, declared: true, everSeen: false })).toBe("silent");
    expect(healthOf({ requests: 0, previousRequests: 0, declared: true, everSeen: true })).toBe("ok");
});
