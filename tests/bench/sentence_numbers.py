"""Numbers, shares and periods of a sentence, and whether they agree with what was
counted: each *_problem says what the data have instead, or None.
"""
import math
import re
from datetime import datetime, timezone

MIN = 60 * 10**9
SCALES = {"ns": 1e-9, "\xb5s": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600,
          "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "%": .01,
          "core": 1, "cores": 1, "million": 1e6, "billion": 1e9,
          "trillion": 1e12, "B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9}
NUMBER = r"[\d.]+(?:%|(?: [^\W\d_]+(?:/s)?)?)"


def ns_of(text):
    head, _, rest = text.rstrip("Z").partition(".")
    t = datetime.strptime(head, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(t.timestamp()) * 10**9 + int((rest + "000000000")[:9])


class Periods:
    def __init__(self, answer):
        w, b = answer["window"], answer["baseline"]
        self.window = ns_of(w["startTime"]), ns_of(w["endTime"])
        self.baseline = ns_of(b["startTime"]), ns_of(b["endTime"])
        self.sampled = 0

    def judged(self, text):
        """The window, or from where the sentence says."""
        m = re.search(r" \(counted from (\d\d):(\d\d):(\d\d) on\)", text)
        if not m:
            return self.window
        day = self.window[1] // (86400 * 10**9) * 86400 * 10**9
        at = day + sum(int(m[i]) * f for i, f in ((1, 3600), (2, 60), (3, 1))) * 10**9
        return max(self.window[0], at), self.window[1]


def inside(period, ns):
    return period[0] <= ns < period[1]


def minutes(period, outer):
    a, b = period
    if outer:
        return a // MIN * MIN, -(-b // MIN) * MIN
    return -(-a // MIN) * MIN, b // MIN * MIN


def quantile(values, q):
    values = sorted(values)
    at = q * (len(values) - 1)
    low = int(at)
    return values[low] + (at - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def seconds(text):
    number, unit = re.match(r"([\d.]+) ?(.*)", text).groups()
    return float(number) * SCALES[unit]


def share_problem(text, count, period):
    """text: "3 of 6", "about 3 of 6", "7.2% of 13240", "0.04%", "none"."""
    about = text.startswith("about ")  # of what was looked at
    text = text.replace("about ", "")
    inner, outer = count(minutes(period, False)), count(minutes(period, True))
    exact = count(period)
    aligned = inner == outer
    if text == "none":
        return None if exact[1] == 0 else f"{exact} in the data"
    m = re.match(r"([\d.]+)%(?: of (\d+))?$", text)
    if m:
        low, high = shares(inner, outer, exact)
        told = float(m[1]) / 100
        if not low - 5e-3 * low - 1e-9 <= told <= high + 5e-3 * high + 1e-9:
            return f"{low:.5f} to {high:.5f} in the data"
        if m[2] and not inner[1] * .999 - 1 <= int(m[2]) <= outer[1] * 1.001 + 1:
            return f"{inner[1]} to {outer[1]} in the data"
        return None
    m = re.match(r"(\d+) of (\d+)$", text)
    if not m:
        return "not understood"
    k, n = int(m[1]), int(m[2])
    if about or not aligned:
        room = 2 + .2 * k if about else 0
        good = (inner[0] - room <= k <= max(1, outer[0]) + room and
                inner[1] <= n <= max(1, outer[1]))
        return None if good else f"{inner} to {outer} in the data"
    return None if (k, n) == exact else f"{exact} in the data"


def shares(*counts):
    all_shares = [k / n for k, n in counts if n] or [0]
    inner, outer = counts[0], counts[1]
    if outer[1]:  # what lies at the edges may all fail, or all go well
        edge_k, edge_n = outer[0] - inner[0], outer[1] - inner[1]
        all_shares.append(inner[0] / max(1, inner[1] + edge_n - edge_k))
        all_shares.append((inner[0] + edge_k) / max(1, inner[1] + edge_k))
    return min(all_shares), max(all_shares)


def sample_problem(told, k, n, sampled):
    m = re.match(r"([\d.]+)%(?: of (\d+))?$", told)
    if told == "none":
        return None if n == 0 or sampled else f"{k} of {n} in the data"
    if m:
        told_share, size = float(m[1]) / 100, int(m[2] or 1000)
    else:
        a, b = map(int, re.match(r"(\d+) of (\d+)$", told).groups())
        if not sampled:
            return None if (a, b) == (k, n) else f"{k} of {n} in the data"
        if b > n:
            return f"only {n} in the data"
        told_share, size = a / max(1, b), max(1, b)
    share = k / n if n else 0
    room = 3.5 * math.sqrt(max(share * (1 - share), .02) / max(1, min(size, n))) + 1 / size
    return None if abs(share - told_share) <= room else f"{k} of {n} in the data"


def median_problem(told, values, what, sampled=False):
    """told in seconds, values in ns; a sample of a few moments in which a fault
    is or is not may have any of them as its median."""
    if len(values) < 1:
        return f"no {what} in the data"
    width = .48 if sampled else min(.49, 2.5 / math.sqrt(len(values)) + .02)
    low = quantile(values, .5 - width) / 1e9
    high = quantile(values, .5 + width) / 1e9
    low, high = min(low, max(0, low)), max(high, 0)
    return None if low * .995 - 1e-6 <= told <= high * 1.005 + 1e-6 else (
        f"median {quantile(values, .5) / 1e9:.4f} s ({low:.4f} to {high:.4f})")


def bucket_problem(told, values):
    """From buckets of an exponential histogram: some percent off."""
    if not values:
        return "no calls in the data"
    width = min(.49, 2 / math.sqrt(len(values)) + .05)
    low, high = quantile(values, .5 - width) / 1e9, quantile(values, .5 + width) / 1e9
    return None if low * .9 <= told <= high * 1.1 else f"{low:.4f} to {high:.4f} s"
