import { expect, test } from "vitest";
import {
    filterParams,
    filtersOf,
    isShown,
    nanosecondWindow,
    requestBody,
    requestQuery,
    type LogEntry,
} from "./filters";

const params = {
    ns: "acme",
    level: "error,WARN",
    words: "stock unknown",
    "attr.thread": "a=b",
    "not.logger": "x",
    pod: "p1",
    trace: "t",
};

test("the filters of the address are those of the request", () => {
    const filters = filtersOf(params);
    const scope = { namespace: "acme", component: "web" };
    const body = requestBody(scope, { startTime: "s", endTime: "e" }, filters);
    expect(body).toMatchObject({
        searchScope: { namespace: "acme", component: undefined },
        logLevels: ["ERROR", "WARN"],
        searchWords: ["stock", "unknown"],
        attributes: { thread: "a=b" },
        traceId: "t",
    });
    expect(requestQuery(scope, filters)).toMatchObject({
        logLevels: "ERROR,WARN",
        searchWords: "stock,unknown",
        attr: ["thread=a=b"],
    });
    expect(filterParams(params)).toEqual(["level", "words", "trace", "pod", "attr.thread", "not.logger"]);
});

test("no filter in the address is none in the request", () => {
    const body = requestBody({ namespace: "acme" }, { startTime: "s", endTime: "e" }, filtersOf({}));
    expect(JSON.parse(JSON.stringify(body))).toEqual({
        startTime: "s",
        endTime: "e",
        searchScope: { namespace: "acme" },
    });
});

test("what the API cannot leave out is left out here", () => {
    const log = (attributes: object, podName = "p1"): LogEntry => ({
        timestamp: "",
        log: "",
        metadata: { podName },
        attributes: attributes as LogEntry["attributes"],
    });
    const filters = filtersOf(params);
    expect(isShown(log({ logger: "y" }), filters)).toBe(true);
    expect(isShown(log({}), filters)).toBe(true);
    expect(isShown(log({ logger: "x" }), filters)).toBe(false);
    expect(isShown(log({}, "p2"), filters)).toBe(false);
});

test("the window of one record, over the end of a second, without extra digits", () => {
    expect(nanosecondWindow("2025-01-15T08:00:00.9999999990004Z")).toEqual({
        startTime: "2025-01-15T08:00:00.999999999Z",
        endTime: "2025-01-15T08:00:01Z",
    });
    expect(nanosecondWindow("2025-01-15T08:00:00Z")).toEqual({
        startTime: "2025-01-15T08:00:00.000000000Z",
        endTime: "2025-01-15T08:00:00.000000001Z",
    });
});
