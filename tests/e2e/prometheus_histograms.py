"""Exponential histograms over OTLP as Prometheus' native ones: quantiles against
values computed here from the counts that were sent; exemplars with the ids of
their traces.
"""
import http.client
import json
import math
import os
import time
import urllib.parse

from callboard import NS, Server, Tap, attributes, metrics_request, new_folder, seeded, wait_until

tap = Tap()
NOW = time.time_ns() // NS * NS
MINUTES = 6
QUANTILES = [0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1]
RNG = seeded()


# ---- histograms, as sent and as counted by hand ----


def random_histogram(scale, offset, count, negative, zeros):
    """What one minute brings. Buckets by index: index i holds base**i < |v| <= base**(i + 1)."""
    return {"scale": scale, "zeros": zeros,
            "positive": {offset + i: RNG.randrange(0, 9) + (i in (0, count - 1)) for i in range(count)},
            "negative": {offset + i: 1 + RNG.randrange(0, 5) for i in range(3)} if negative else {}}


def count_of(histogram):
    return histogram["zeros"] + sum(histogram["positive"].values()) + sum(histogram["negative"].values())


def added(histograms):
    """Their sum, at the lowest scale of them."""
    scale = min(one["scale"] for one in histograms)
    total = {"scale": scale, "zeros": 0, "positive": {}, "negative": {}}
    for one in histograms:
        total["zeros"] += one["zeros"]
        for side in ("positive", "negative"):
            for index, count in one[side].items():
                at = index >> (one["scale"] - scale)
                total[side][at] = total[side].get(at, 0) + count
    return total


def buckets_of(histogram):
    """Lower bound, upper bound, count, by bound."""
    def bound(index):
        return 2.0 ** (index * 2.0 ** -histogram["scale"])

    below = sorted(histogram["negative"].items(), reverse=True)
    yield from ((-bound(i + 1), -bound(i), count) for i, count in below)
    if histogram["zeros"]:
        yield (-0.0 if histogram["negative"] else 0.0), 0.0, histogram["zeros"]
    yield from ((bound(i), bound(i + 1), count) for i, count in sorted(histogram["positive"].items()))


def quantile_of(histogram, q):
    """Within a bucket values are evenly spread over the logarithm."""
    rank = q * count_of(histogram)
    filled = [bucket for bucket in buckets_of(histogram) if bucket[2] > 0]
    for lower, upper, count in filled:
        if rank <= count or upper == filled[-1][1]:
            part = rank / count
            if lower == 0 or upper == 0:
                return lower + (upper - lower) * part
            sign = math.copysign(1, lower)
            return sign * 2 ** (math.log2(abs(lower)) * (1 - part) + math.log2(abs(upper)) * part)
        rank -= count
    return math.nan


def buckets_sent(side, times):
    if not side:
        return {"offset": 0, "bucketCounts": []}
    first, last = min(side), max(side)
    return {"offset": first, "bucketCounts": [str(times * side.get(i, 0)) for i in range(first, last + 1)]}


def metric(name, histogram, cumulative, **attrs):
    """A point each minute, the last one now; each minute brings the same."""
    points = []
    for minute in range(MINUTES):
        times = minute + 1 if cumulative else 1
        at = NOW - (MINUTES - 1 - minute) * 60 * NS
        points.append({
            "startTimeUnixNano": str(NOW - MINUTES * 60 * NS if cumulative else at - 60 * NS), "timeUnixNano": str(at),
            "count": str(times * count_of(histogram)), "sum": 2.5 * times, "scale": histogram["scale"],
            "zeroCount": str(times * histogram["zeros"]), "positive": buckets_sent(histogram["positive"], times),
            "negative": buckets_sent(histogram["negative"], times), "attributes": attributes(attrs)})
    return {"name": name, "unit": "s", "exponentialHistogram": {
        "aggregationTemporality": 2 if cumulative else 1, "dataPoints": points}}


# ---- asking ----


def feed(server, metrics):
    client = http.client.HTTPConnection("127.0.0.1", server.otlp_port, timeout=30)
    client.request("POST", "/v1/metrics", json.dumps(metrics_request({}, metrics)),
                   {"Content-Type": "application/json"})
    answer = client.getresponse()
    assert answer.status == 200 and b"rejected" not in answer.read()
    client.close()


def query(server, path, **params):
    answer = server.query(f"/prometheus/api/v1/{path}?{urllib.parse.urlencode(params)}")
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["data"]


def value(server, expression):
    result = query(server, "query", query=expression, time=NOW // NS)["result"]
    return float(result[0]["value"][1]) if len(result) == 1 else result


def check_quantiles(server, title, expression, histogram):
    wrong = []
    for q in QUANTILES:
        seen, wanted = value(server, f"histogram_quantile({q}, {expression})"), quantile_of(histogram, q)
        if not isinstance(seen, float) or not math.isclose(seen, wanted, rel_tol=1e-9, abs_tol=1e-12):
            wrong.append((q, seen, wanted))
    tap.check(not wrong, f"{title}: quantiles as computed by hand", wrong)


def histograms(server):
    fine, coarse = random_histogram(3, -9, 40, False, 4), random_histogram(1, -5, 12, False, 0)
    signed = random_histogram(2, -4, 20, True, 7)
    feed(server, [metric("e2e.cumulative", fine, True, k="a"), metric("e2e.cumulative", coarse, True, k="b"),
                  metric("e2e.delta", fine, False, k="a"), metric("e2e.delta", coarse, False, k="b"),
                  metric("e2e.signed", signed, True)])
    assert wait_until(lambda: value(server, "count(e2e_cumulative_seconds)") == 2.0, 10)
    check_quantiles(server, "one", 'e2e_cumulative_seconds{k="a"}', fine)
    check_quantiles(server, "the rate of one", 'rate(e2e_cumulative_seconds{k="a"}[4m])', fine)
    check_quantiles(server, "below zero, too", "e2e_signed_seconds", signed)
    both = added([fine, coarse])
    for name in ("cumulative", "delta"):
        check_quantiles(server, f"{name}, of two scales", f"sum(rate(e2e_{name}_seconds[4m]))", both)
    seen = value(server, 'histogram_count(e2e_cumulative_seconds{k="a"})')
    tap.same(seen, float(MINUTES * count_of(fine)), "histogram_count")
    tap.same(value(server, 'histogram_sum(e2e_cumulative_seconds{k="a"})'), 2.5 * MINUTES, "histogram_sum")
    seen = value(server, "histogram_count(sum(increase(e2e_delta_seconds[4m])))")
    tap.check(math.isclose(seen, 4 * count_of(both), rel_tol=1e-9), "increase of what was sent as deltas",
              (seen, 4 * count_of(both)))


# ---- exemplars ----


def exemplar(trace, span, at, number, **attrs):
    one = {"timeUnixNano": str(at), "filteredAttributes": attributes(attrs), **number}
    return {**one, "traceId": trace, "spanId": span} if trace else one


def exemplars(server):
    at = NOW - 60 * NS
    traces = ["0af7651916cd43dd8448eb211c80319c", "00000000000000000000000000000abc"]
    sent = [exemplar(traces[0], "b7ad6b7169203331", at + NS // 2, {"asDouble": 0.75}, user="x"),
            exemplar(traces[1], "00000000000000ff", at + NS, {"asInt": "3"}),
            exemplar(None, None, at + 2 * NS, {"asDouble": 5.5})]
    point = {"startTimeUnixNano": str(at - 60 * NS), "timeUnixNano": str(at + 3 * NS), "attributes": attributes({"k": "a"})}
    bounds = {**point, "count": "3", "sum": 9.25, "explicitBounds": [1, 4], "bucketCounts": ["1", "1", "1"],
              "exemplars": sent}
    native = {**point, "count": "3", "sum": 9.25, "scale": 0, "zeroCount": "0", "exemplars": sent,
              "positive": {"offset": 0, "bucketCounts": ["1", "1", "1"]}}
    feed(server, [{"name": "e2e.classic", "histogram": {"aggregationTemporality": 2, "dataPoints": [bounds]}},
                  {"name": "e2e.native", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [native]}},
                  {"name": "e2e.sum", "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [
                      {**point, "asInt": "3", "exemplars": sent}]}}])
    wanted = [({"trace_id": traces[0], "span_id": "b7ad6b7169203331", "user": "x"}, "0.75", at / NS + 0.5),
              ({"trace_id": traces[1], "span_id": "00000000000000ff"}, "3", at / NS + 1), ({}, "5.5", at / NS + 2)]
    range_ = {"start": at // NS - 60, "end": NOW // NS + 60}
    for asked in ("e2e_classic_bucket", "e2e_native", "e2e_sum_total",
                  'sum by (k) (rate(e2e_sum_total{k="a"}[5m])) / 2',
                  "histogram_quantile(0.9, sum by (le) (rate(e2e_classic_bucket[5m])))"):
        found = wait_until(lambda: query(server, "query_exemplars", query=asked, **range_), 10)  # noqa: B023
        seen = [(one["labels"], one["value"], one["timestamp"])
                for series in found for one in series["exemplars"]]
        labels = [series["seriesLabels"].get("k") for series in found]
        tap.check(sorted(seen, key=str) == sorted(wanted, key=str) and set(labels) == {"a"},
                  f"exemplars of {asked}, with the ids of their traces", found)
    tap.same(query(server, "query_exemplars", query='e2e_sum_total{k="b"}', **range_), [], "none of another series")
    tap.same(query(server, "query_exemplars", query="e2e_sum_total", start=at // NS - 60, end=at // NS), [],
             "none of another time")
    seen = query(server, "query_exemplars", query="e2e_sum_total", start=at // NS, end=at / NS + 0.5)
    tap.same([one["value"] for series in seen for one in series["exemplars"]], ["0.75"], "those of the range")


def main():
    folder = os.path.join(new_folder(), "data")
    server = Server(folder)
    histograms(server)
    exemplars(server)
    tap.same(server.stop(), 0, "the server ends well")
    tap.end()


main()
