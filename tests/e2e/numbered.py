"""Export requests with numbered records, and the question whether they are there.

Every record can be told from those of all other requests, so each can be
looked for, on one instance or on several:
  logs     by text, and the total of the request's own range of time
  spans    by span id, in a trace of the request's own
  points   each has a power of two as value, so that their sum says which are
           there; twice the same shows in the number of stored points
"""
from callboard import (NS, around, attributes, log, logs_request, metrics_request, otlp_json,
                       otlp_proto, rfc3339, scope, spans_request, stamped)

SPANS, LOGS, POINTS = 20, 30, 25  # of one request


class Numbered:
    def __init__(self, kind, number, component, time_ns, encoding="proto"):
        self.kind, self.number, self.encoding = kind, number, encoding
        self.component, self.time_ns = component, time_ns

    @property
    def trace_id(self):
        return f"{self.number + 1:032x}"

    @property
    def span_ids(self):
        return [f"{self.number * SPANS + i + 1:016x}" for i in range(SPANS)]

    @property
    def texts(self):
        return [f"request {self.number} record {i}" for i in range(LOGS)]

    def _spans(self, padding):
        return spans_request(stamped(self.component), [
            {"traceId": self.trace_id, "spanId": span_id, "name": "GET /items", "kind": 2,
             "startTimeUnixNano": str(self.time_ns + i), "endTimeUnixNano": str(self.time_ns + i + 500),
             "attributes": attributes({"http.request.method": "GET", "http.route": "/items/{id}",
                                       "pad": padding()})}
            for i, span_id in enumerate(self.span_ids)])

    def _logs(self, padding):
        return logs_request(stamped(self.component), [
            log(self.time_ns + i, text, attributes=attributes({"pad": padding()}))
            for i, text in enumerate(self.texts)])

    def _points(self, _padding):
        return metrics_request(stamped(self.component), [
            {"name": "container.memory.usage", "gauge": {"dataPoints": [
                {"timeUnixNano": str(self.time_ns), "asDouble": float(1 << i),
                 "attributes": attributes({"i": str(i)})} for i in range(POINTS)]}}])

    def body(self, padding):
        """The request as it is sent; padding() is the text that fills a record."""
        tree = {"traces": self._spans, "logs": self._logs, "metrics": self._points}[self.kind](padding)
        return (otlp_json if self.encoding == "json" else otlp_proto)(self.kind, tree)

    def found(self, server):
        """1: there, 0: not there, else what is wrong, as text."""
        return {"logs": self._found_logs, "traces": self._found_spans,
                "metrics": self._found_points}[self.kind](server)

    def _found_logs(self, server):
        answer = server.ask("/api/v1/logs/query", {
            "startTime": rfc3339(self.time_ns), "endTime": rfc3339(self.time_ns + LOGS),
            "limit": 1000, "searchScope": scope(self.component), "sortOrder": "asc"})
        texts = [entry["log"] for entry in answer["logs"]]
        if answer["total"] == len(texts) and texts in ([], self.texts):
            return int(bool(texts))
        return f"logs of request {self.number}: total {answer['total']}, {texts}"

    def _found_spans(self, server):
        answer = server.ask(f"/api/v1alpha1/traces/{self.trace_id}/spans/query", {
            **around(self.time_ns), "limit": 1000, "searchScope": scope(self.component)})
        ids = sorted(span["spanId"] for span in answer["spans"])
        if ids in ([], self.span_ids):
            return int(bool(ids))
        return f"spans of request {self.number}: {ids}"

    def _found_points(self, server):
        answer = server.ask("/api/v1/metrics/query", {
            "startTime": rfc3339(self.time_ns - 600 * NS),
            "endTime": rfc3339(self.time_ns + 60 * NS), "step": "1m", "metric": "resource",
            "searchScope": scope(self.component)})["memoryUsage"]
        if not answer:
            return 0
        # Exact, but for the arithmetic of averaging a sample over its minute.
        total, wanted = answer[-1]["value"], float((1 << POINTS) - 1)
        if abs(total - wanted) < 0.01:
            return 1
        return f"points of request {self.number}: {int(total):b}"
