"""Are the sentences of a cause report true? Each is read back into what it
claims, and the claim is computed again from the raw data of the world: spans,
log lines and points as they were sent. Nothing of the server is used for that.

  check(answer, Raw) -> [(place, sentence, problem or None)]

A sentence of a form that is not known here is a problem, too: a new form needs
its check. Counts of a whole period have to be equal; "about" and "sampled" allow
for the minutes at the edges of a period and for the sample; metrics are told as
the usual value and one that a quarter of the window exceeds, so they have to lie
among the points of the baseline, and in the upper part of those of the window.
"""
import math
import re

from sentence_metrics import calls_between, limit_problem, metric_problem, traffic_problem
from sentence_numbers import (MIN, NUMBER, Periods, bucket_problem, inside, median_problem,
                              minutes, ns_of, quantile, sample_problem, seconds, share_problem)
from sentence_requests import (called, event_problem, gaps, inner, line_key, own_time,
                               same_key, served, served_alone, shown_key)


# ---- sentences ----

def evidence_problem(raw, periods, component, e, text=None):
    text = text if text is not None else e["text"]
    body = re.sub(r" \(counted from \d\d:\d\d:\d\d on\)", "", text)
    body = re.sub(r", in (a new pod|new pods)$", "", body)
    op = e.get("operation")
    if e["kind"] == "change" or e.get("class") in ("change", "event"):
        return change_problem(raw, periods, component, body)
    if op and body.startswith(op + ": "):
        problems = [event_problem(raw, periods, component, op, clause, text)
                    for clause in re.split(r"; (?=logs (?:error )?\"|call )", body[len(op) + 2:])]
        return next((p for p in problems if p), None)
    m = re.match(r"(.+?) fails by itself, without a failed call, in (.+?) requests?, "
                 r"(.+) before$", body)
    if m:
        def alone(p):
            return served_alone(raw, component, m[1], p)
        return (share_problem(m[2], alone, periods.judged(text)) or
                share_problem(m[3], alone, periods.baseline))
    m = re.match(r"(.+?) fails in (.+?) requests?, (.+) before$", body)
    if m and not body.startswith("fails in"):
        who, name = component, m[1]
        count = ((lambda p: called(raw, name, p)) if name == component else
                 (lambda p: served(raw, who, name, p)))
        return (share_problem(m[2], count, periods.judged(text)) or
                share_problem(m[3], count, periods.baseline))
    m = re.match(r"calls take (%s), (%s) before$" % (NUMBER, NUMBER), body)
    if m:
        for told, period in ((m[1], periods.judged(text)), (m[2], periods.baseline)):
            values = [s.end - s.start for s in raw.spans if s.peer == component
                      and s.kind in (3, 4) and inside(minutes(period, True), s.start)]
            problem = bucket_problem(seconds(told), values)
            if problem:
                return problem
        return None
    m = re.match(r"(.+?) calls? get no answer, (.+) before$", body)
    if m:
        return None  # of calls: silence_problem in the shop's own check
    m = re.match(r"(.*) takes (%s) itself, (%s) before( \(of a sample\))?$" % (NUMBER, NUMBER), body)
    if m:
        for told, period in ((m[2], periods.judged(text)), (m[3], periods.baseline)):
            values = [own_time(raw, s) for s in raw.spans if s.component == component
                      and s.operation == m[1] and s.kind in (2, 5)
                      and inside(period, raw.starts[s.trace])]
            problem = median_problem(seconds(told), values, "requests", m[4])
            if problem:
                return problem
        return None
    m = re.match(r"calls (from|to) (.+) take (%s) in transit, (%s) before "
                 r"\((\d+) of (\d+)( sampled)? above (%s)\)$" % (NUMBER, NUMBER, NUMBER), body)
    if m:
        ends = (m[2], component) if m[1] == "from" else (component, m[2])
        now = gaps(raw, *ends, periods.judged(text))
        usual = gaps(raw, *ends, periods.baseline)
        k, n, limit = int(m[5]), int(m[6]), seconds(m[8])
        above = sum(g > limit * 1e9 for g in now)
        share = above / len(now) if now else 0
        if m[7] and k <= above and n <= len(now):
            return (median_problem(seconds(m[3]), now, "calls", True) or
                    median_problem(seconds(m[4]), usual, "calls", True))
        if n > len(now) or abs(share - k / n) > 3.5 * math.sqrt(
                max(share * (1 - share), .02) / n) + 1 / n:
            return f"{above} of {len(now)} above in the data"
        return (median_problem(seconds(m[3]), now, "calls") or
                median_problem(seconds(m[4]), usual, "calls"))
    m = (re.match(r"(\w+) rose from ([\d.]+)% to ([\d.]+)% of its limit$", body))
    if m:
        return limit_problem(raw, periods, component, m[1], float(m[2]) / 100, float(m[3]) / 100)
    m = re.match(r"(\w+) at ([\d.]+)% of its limit, ([\d.]+)% before$", body)
    if m:
        return limit_problem(raw, periods, component, m[1], float(m[3]) / 100, float(m[2]) / 100)
    m = re.match(r"fails in (.+) of requests, (.+) before \((.+)\)$", body)
    if m:
        return metric_problem(raw, periods, component, m[3], m[2], m[1], "failed")
    m = re.match(r"(?:its calls take|takes) (%s), (%s) before \((.+)\)$" % (NUMBER, NUMBER), body)
    if m:
        return metric_problem(raw, periods, component, m[3], m[2], m[1], "value")
    m = re.match(r"([\d.]+%) of (calls from|its calls to) (.+) fail, ([\d.]+%) before "
                 r"\((.+)\)$", body)
    if m:
        return metric_problem(calls_between(raw, m[2], m[3], component), periods, None, m[5],
                              m[4], m[1], "failed")
    m = re.match(r"(calls from|its calls to) (.+) take (%s), (%s) before"
                 r"(?:, though it answers as usual)? \((.+)\)$" % (NUMBER, NUMBER), body)
    if m:
        return metric_problem(calls_between(raw, m[1], m[2], component), periods, None, m[5],
                              m[4], m[3], "value")
    m = re.match(r"gets about ([\d.]+) times as many requests as before, and its callers "
                 r"(?:do not send more|send ([\d.]+) times as many) \((.+)\)$", body)
    if m:
        return traffic_problem(raw, periods, component, m[3], float(m[1]))
    m = re.match(r"logs \"(.*)\" ([\d.]+) times? a minute, ([\d.]+) before$", body)
    if m:
        return line_rate_problem(raw, periods, component, m[1], float(m[3]), float(m[2]))
    m = re.match(r"(.+?) (rose|fell) from (%s) to (%s)(?: per second)?(?: \((.+)\))?$"
                 % (NUMBER, NUMBER), body)
    if m:
        return metric_problem(raw, periods, component, m[5] or m[1], m[3], m[4], "value")
    return "not understood"


def change_problem(raw, periods, component, text):
    if not raw.changes:
        return None
    return None if any(c == component and t in text for c, t in raw.changes) else (
        "there is no such change")


def line_rate_problem(raw, periods, component, template, before, now):
    pattern = re.compile("^" + ".*".join(
        re.escape(p) for p in re.sub(r"<[*\w-]*>", "\0", template).split("\0")))
    w, b = periods.window, periods.baseline
    table = {}
    for ns, c, severity, body, _ in raw.logs:
        if c == component and severity >= 17 and pattern.match(body):
            table[ns // MIN] = table.get(ns // MIN, 0) + 1
    usual = [table.get(t, 0) for t in range(max(b[0], b[1] - 30 * MIN) // MIN, b[1] // MIN)]
    window = [table.get(t, 0) for t in range(w[0] // MIN, -(-w[1] // MIN))]
    if not usual:
        return "no minutes before"
    good = (quantile(usual, .3) - .06 <= before <= quantile(usual, .7) + .06 and
            min(window) <= now * 1.06 and now <= max(window) * 1.06)
    return None if good else f"{quantile(usual, .5)} before, {window} in the window"


# ---- users ----

def entries(raw):
    """Requests that no component sent."""
    return [s for s in raw.spans if s.kind == 2 and s.parent is None]


def is_more(k1, n1, k2, n2, least):
    """Log-likelihood ratio of two proportions against one."""
    def part(k, n, p):
        return k * math.log(p) + (n - k) * math.log(1 - p)
    if n1 < 3 or n2 == 0 or k2 * n1 <= k1 * n2:
        return False
    share = (k1 + k2 + .5) / (n1 + n2 + 1)
    a, b, c, d = k1 + .5, n1 + 1, k2 + .5, n2 + 1
    return (part(a, b, a / b) + part(c, d, c / d) -
            part(a + c - .5, b + d - 1, share)) >= least


def suffering(raw, periods, suspect, least):
    """Operations of entries that fail or wait more than before, of the traces
    that pass the suspect."""
    passing = {s.trace for s in raw.spans if s.component == suspect}
    table = {}
    for s in entries(raw):
        if s.trace in passing:
            for i, p in enumerate((periods.baseline, periods.window)):
                if inside(p, s.start):
                    table.setdefault((s.component, s.operation), ([], []))[i].append(s)
    for key, (before, now) in table.items():
        if is_more(sum(s.failed for s in before), len(before),
                   sum(s.failed for s in now), len(now), least):
            yield key, "fails"
        if len(before) >= 3 and now:
            limit = quantile([s.end - s.start for s in before], .95) + 5e6
            if is_more(sum(s.end - s.start > limit for s in before), len(before),
                       sum(s.end - s.start > limit for s in now), len(now), least):
                yield key, "is slow"


def impact_problem(raw, periods, answer, text):
    suspects = answer["suspects"]
    suspect = suspects[0]["component"] if suspects else None
    if "no effect on users was found" in text or text == "":
        if raw.spans and answer["found"]:
            hurt = list(suffering(raw, periods, suspect, 8))
            if hurt:
                return f"users suffer: {hurt[:2]}"
        return None
    if "not known" in text and "the worst is" not in text:
        hurt = list(suffering(raw, periods, suspect, 8)) if raw.spans else []
        return f"users suffer: {hurt[:2]}" if hurt else None
    m = re.match(r"(?:which component .* the worst is )?([^:]+): (.*)", text)
    component, rest = m[1], m[2]
    if not raw.spans:
        return evidence_problem(raw, periods, component, {"kind": "metric"}, rest)
    rest = re.sub(r"; \d+ more operations? suffers?$", "", rest)
    through = re.search(r" that pass (.+?) \(", rest)
    rest = re.sub(r" that pass .+? \(", " (", rest)
    m = re.match(r"(.+?) (?:fails in (?P<f>.+?) requests? \((?P<fb>.+?) before\))?(?:, and )?"
                 r"(?:takes longer than (?P<limit>%s) in (?P<s>.+?) requests? \((?P<sb>.+?) before\))?$" % NUMBER, rest)
    if not m:
        return evidence_problem(raw, periods, component, {"kind": "metric"}, rest)
    since = answer["suspects"][0].get("onset") if answer["found"] else None
    start = periods.window[0]
    if since and ns_of(since) // MIN * MIN > start and ns_of(since) // MIN * MIN + MIN <= periods.window[1]:
        start = ns_of(since) // MIN * MIN
    window = minutes((start, periods.window[1]), False)
    base = minutes(periods.baseline, False)
    keep = None
    if through:
        keep = {s.trace for s in raw.spans if s.component == through[1]}
    found = [s for s in raw.spans if s.component == component and s.operation == m[1]
             and s.kind == 2 and (keep is None or s.trace in keep)]
    now = [s for s in found if inside(window, s.start)]
    before = [s for s in found if inside(base, s.start)]
    parts = []
    if m["f"]:
        parts += [(m["f"], sum(s.failed for s in now), len(now)),
                  (m["fb"], sum(s.failed for s in before), len(before))]
    if m["s"]:
        limit = seconds(m["limit"]) * 1e9
        parts.append((m["s"], sum(s.end - s.start > limit for s in now), len(now)))
        parts.append((("about " if m["s"].startswith("about") else "") + m["sb"],
                      sum(s.end - s.start > limit for s in before), len(before)))
    for told, k, n in parts:
        about = told.startswith("about ") or through is not None
        told = told.replace("about ", "")
        told = re.sub(r"% of$", "%", told)
        problem = sample_problem(told, k, n, about)
        if problem and not about and re.match(r"[\d.]+%", told):
            share = float(re.match(r"[\d.]+", told)[0]) / 100
            problem = None if abs(share - k / max(1, n)) <= .005 * share + 1e-9 else problem
        if problem:
            return f"{told}: {problem}"
    return None


# ---- an answer ----

def times_problem(answer, periods):
    for s in answer["suspects"]:
        for e in s["evidence"] + [s]:
            if e.get("onset") and ns_of(e["onset"]) >= periods.window[1]:
                return f"{e['onset']} is not before the end of the window"
    return None


def form_problem(text):
    if re.search(r"\d[eE][+-]\d|\bnan\b|\binf\b|(?<![\w.:/<-])-\d", text):
        return "a number that nobody reads"
    if re.search(r"\b1 (requests|operations|calls|times)\b", text):
        return "plural"
    m = re.search(r"(?:rose|fell) from (\S+)(?: \w+)? to (\S+)", text)
    if m and m[1] == m[2] and "kB" not in text and "MB" not in text:
        return "from and to are the same"
    if re.search(r"[\w.+-]+@[\w-]+\.\w+|eyJ[\w-]{8}|\d{13,}|password=(?!<)", text):
        return "a value that is to be hidden"
    return None


def check(answer, raw):
    periods, out = Periods(answer), []
    by_text = {}
    for s in answer["suspects"]:
        for e in s["evidence"]:
            by_text[s["component"], e["text"]] = e
            problem = evidence_problem(raw, periods, s["component"], e)
            out.append((s["component"], e["text"], problem or form_problem(e["text"])))
    summary = answer["summary"]
    known = {t for _, t in by_text}
    for name in ("cause", "firstFailure"):
        text = summary.get(name)
        if not text:
            continue
        rest = text
        component = answer["suspects"][0]["component"] if answer["suspects"] else ""
        parts = [t for c, t in by_text if t in rest]
        problem = form_problem(text)
        if answer["found"] and not parts:
            problem = "it is not the text of any evidence"
        if name == "firstFailure" and f", {component}: " not in text and "as a caller" not in text:
            problem = "another component without a reason"
        if "nobody seems to suffer" in text and raw.spans:
            hurt = [h for c in {s.component for s in raw.spans}
                    for h in suffering(raw, periods, c, 12)]
            problem = problem or (f"users suffer: {hurt[:2]}" if hurt else None)
        out.append((name, text, problem))
    text = summary.get("impact", "")
    out.append(("impact", text, impact_problem(raw, periods, answer, text) or form_problem(text)))
    for step in answer["path"]:
        text = step.get("symptom")
        if text and (step["component"], text) not in by_text:
            problem = evidence_problem(raw, periods, step["component"],
                                       {"kind": "path", "operation": (re.match(r"(.+?): (?:logs|call) ", text) or [None, None])[1]}, text)
            out.append(("path " + step["component"], text, problem))
    for x in answer["excluded"]:
        text = x["reason"]
        ok = any(text.startswith(t) for t in known) or text.startswith("changed; no other")
        out.append(("excluded " + x["component"], text, None if ok else "not a text of evidence"))
    for log in answer["logs"]:
        out.append(("log", log["log"], log_problem(raw, periods, answer, log) or
                    form_problem(log["log"])))
    out.append(("times", "onset", times_problem(answer, periods)))
    return out


def log_problem(raw, periods, answer, log):
    if not log["log"]:
        return "empty"
    component = answer["suspects"][0]["component"]
    key = shown_key(log["log"])
    got = [0, 0]
    for ns, c, severity, body, _ in raw.logs:
        if c == component and severity >= 13 and (same_key(key, line_key(body)) or
                                                  same_key(key, line_key(inner(body)))):
            got[0] += inside(periods.baseline, ns)
            got[1] += inside(periods.window, ns)
    if not raw.logs:
        return None
    good = ((log["countBefore"], log["count"]) == tuple(got) or
            sum(got) > 900 and log["count"] <= got[1])
    return None if good else f"{got[1]}, {got[0]} before in the data"
