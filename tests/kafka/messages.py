"""Messages with numbered records, and the question whether they are there.

A message holds the records of one export request. Its records can be told from
those of all others, so each can be looked for, on one instance or on several:
  logs     by text, and the total of the message's own range of time
  spans    by span id, in a trace of the message's own
  points   each has a power of two as value, so that the sum of them says which
           are there; twice the same shows in the number of stored points
"""
from callboard import (NS, attributes, around, log, logs_request, metrics_request, otlp_json,
                       otlp_proto, rfc3339, scope, spans_request, stamped)

SPANS, LOGS, POINTS = 20, 30, 25  # of one message
APART = 100_000  # nanoseconds between two messages


class Message:
    def __init__(self, kind, number, component, first_ns, encoding="proto"):
        self.kind, self.number, self.encoding = kind, number, encoding
        # Points are looked at through their sum: a component for each message.
        self.component = f"m{number}" if kind == "metrics" else component
        self.time_ns = first_ns + number * APART

    @property
    def trace_id(self):
        return f"{self.number + 1:032x}"

    @property
    def span_ids(self):
        return [f"{self.number * SPANS + i + 1:016x}" for i in range(SPANS)]

    @property
    def texts(self):
        return [f"message {self.number} record {i}" for i in range(LOGS)]

    def request(self, padding):
        resource = stamped(self.component)
        if self.kind == "traces":
            return spans_request(resource, [
                {"traceId": self.trace_id, "spanId": span_id, "name": "GET /items", "kind": 2,
                 "startTimeUnixNano": str(self.time_ns + i), "endTimeUnixNano": str(self.time_ns + i + 500),
                 "attributes": attributes({"http.request.method": "GET", "http.route": "/items/{id}",
                                           "pad": padding()})}
                for i, span_id in enumerate(self.span_ids)])
        if self.kind == "logs":
            return logs_request(resource, [
                log(self.time_ns + i, text, attributes=attributes({"pad": padding()}))
                for i, text in enumerate(self.texts)])
        return metrics_request(resource, [
            {"name": "container.memory.usage", "gauge": {"dataPoints": [
                {"timeUnixNano": str(self.time_ns), "asDouble": float(1 << i),
                 "attributes": attributes({"i": str(i)})} for i in range(POINTS)]}}])

    def value(self, padding):
        encode = otlp_json if self.encoding == "json" else otlp_proto
        return encode(self.kind, self.request(padding))

    def found(self, server):
        """1: there, 0: not there, else what is wrong, as text."""
        return {"logs": _logs, "traces": _traces, "metrics": _metrics}[self.kind](server, self)


def _logs(server, message):
    answer = server.ask("/api/v1/logs/query", {
        "startTime": rfc3339(message.time_ns), "endTime": rfc3339(message.time_ns + LOGS),
        "limit": 1000, "searchScope": scope(message.component), "sortOrder": "asc"})
    texts = [e["log"] for e in answer["logs"]]
    if answer["total"] == len(texts) and texts in ([], message.texts):
        return int(bool(texts))
    return f"logs of message {message.number}: total {answer['total']}, {texts}"


def _traces(server, message):
    answer = server.ask(f"/api/v1alpha1/traces/{message.trace_id}/spans/query", {
        **around(message.time_ns), "limit": 1000, "searchScope": scope(message.component)})
    ids = sorted(s["spanId"] for s in answer["spans"])
    if ids in ([], message.span_ids):
        return int(bool(ids))
    return f"spans of message {message.number}: {ids}"


def _metrics(server, message):
    answer = server.ask("/api/v1/metrics/query", {
        "startTime": rfc3339(message.time_ns - 600 * NS),
        "endTime": rfc3339(message.time_ns + 60 * NS), "step": "1m", "metric": "resource",
        "searchScope": scope(message.component)})["memoryUsage"]
    if not answer:
        return 0
    # Exact, but for the arithmetic of averaging a sample over its minute.
    total, wanted = answer[-1]["value"], float((1 << POINTS) - 1)
    if abs(total - wanted) < 0.01:
        return 1
    return f"points of message {message.number}: {int(total):b}"


def compare(servers, messages):
    """(those that are nowhere, what is wrong with others as texts)."""
    missing, wrong = [], []
    for message in messages:
        seen = [message.found(server) for server in servers]
        texts = [one for one in seen if isinstance(one, str)]
        if texts:
            wrong += texts
        elif sum(seen) > 1:
            wrong.append(f"{message.kind} {message.number}: on {sum(seen)} instances")
        elif sum(seen) == 0:
            missing.append(message)
    return missing, wrong


def stored(servers):
    """Stream -> records stored, on all of them."""
    counters = [server.counters() for server in servers]
    return {stream: int(sum(c.get(f'stored_records{{stream="{stream}"}}', 0) for c in counters))
            for stream in ("traces", "logs", "metrics")}
