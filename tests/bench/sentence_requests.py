"""Counts, durations and events of requests, computed from the spans and log lines
that were sent.
"""
import re

from sentence_numbers import inside, sample_problem


# ---- counts of requests ----

def served(raw, component, operation, period):
    got = [s for s in raw.spans if s.component == component and s.kind in (2, 5)
           and s.operation == operation and inside(period, s.start)]
    return sum(s.failed for s in got), len(got)


def served_alone(raw, component, operation, period):
    """Of requests that fail only those in which no call fails."""
    got = [s for s in raw.spans if s.component == component and s.kind in (2, 5)
           and s.operation == operation and inside(period, s.start)]
    return sum(s.failed and not any(c.failed for c in calls_in(raw, s)) for s in got), len(got)


def called(raw, peer, period):
    got = [s for s in raw.spans if s.peer == peer and s.kind in (3, 4)
           and inside(period, s.start)]
    return sum(s.failed for s in got), len(got)


# ---- durations ----

def own_time(raw, s):
    """A request less the calls of others that are in it."""
    until, busy = s.start, 0
    for c in sorted(calls_in(raw, s), key=lambda c: c.start):
        a, b = max(c.start, until), min(c.end, s.end)
        if b > a:
            busy += b - a
            until = b
    return max(0, s.end - s.start - busy)


def children(raw):
    if not hasattr(raw, "children"):
        raw.children = {}
        for s in raw.spans:
            if s.parent:
                raw.children.setdefault(id(s.parent), []).append(s)
    return raw.children


def calls_in(raw, s, depth=0):
    table = children(raw)
    for c in table.get(id(s), []):
        remote = (c.component != s.component or (c.kind == 3 and c.failed) or
                  any(g.component != c.component for g in table.get(id(c), [])))
        if remote:
            yield c
        elif depth < 50:
            yield from calls_in(raw, c, depth + 1)


def gaps(raw, caller, callee, period):
    return [(s.parent.end - s.parent.start) - (s.end - s.start) for s in raw.spans
            if s.component == callee and s.parent and s.kind in (2, 5)
            and s.parent.component == caller and s.parent.kind == 3
            and inside(period, raw.starts[s.trace])]


# ---- events inside requests ----

def source_of(text):
    for m in re.finditer(r"(?<![\w.])([A-Za-z_$][\w$.\-/]*)[#:]\d{1,5}(?=[\s:\]\u2026]|$)", text):
        if "." in m[1]:
            return m[0].rstrip(":")
    return None


def inner(text):
    """The message of a line that is itself JSON or logfmt."""
    m = re.search(r""" msg=| message=|"message":|"msg":|"log":""", text)
    return text[m.end():].strip('" ') if m else text


def line_key(text):
    """The statement of a log line: its place in the source, or its words."""
    words = re.split(r"""[\s\[\](){}<>"',;=|]+""", text)
    return source_of(text) or tuple(
        "" if re.search(r"\d", w) else w for w in words if w)[:8]


def events_of(raw, component, operation, period):
    """Per trace: the events of requests to an operation, as (is call, key, is
    error)."""
    table = {}
    for s in raw.spans:
        r = s.request
        if (r.component != component or r.operation != operation or
                not inside(period, raw.starts[s.trace])):
            continue
        events = table.setdefault(s.trace, set())
        if r is not s:
            error = s.failed or "error" in s.name.lower() or "exception" in s.name.lower()
            events.add(("call", s.operation or s.name, error))
    for ns, c, severity, body, span in raw.logs:
        s = raw.by_id.get(span)
        if not s or s.trace not in table:
            continue
        r = s.request
        if r.component == component and r.operation == operation and not 13 <= severity < 17:
            for key in {line_key(body), line_key(inner(body))}:
                table[s.trace].add(("log", key, severity >= 17))
    return table


def shown_key(text):
    words = re.split(r"""[\s\[\](){}<>"',;=|]+""", text.rstrip("\u2026"))
    masks = ("id", "number", "address", "e-mail", "secret")
    return source_of(text) or tuple(
        "" if re.search(r"\d", w) or w in masks else w for w in words if w)


def same_key(shown, key):
    if isinstance(shown, str) or isinstance(key, str):
        return shown == key
    n = min(len(shown), len(key))
    return n > 0 and all(a == b or not a or not b for a, b in zip(shown[:n - 1], key))


def event_problem(raw, periods, component, operation, clause, text):
    m = re.match(r"(?:logs (?P<error>error )?\"(?P<line>.*)\"(?: no more:)?|call (?P<call>.+?) "
                 r"(?P<verb>fails|succeeds|is made|is not made any more:)) in (?:only )?"
                 r"(?P<now>[\d.%]+ of \d+) (?P<part>sampled )?traces?, "
                 r"(?P<was>[\d.]+ of \d+|[\d.]+%|none) before"
                 r"(?: \(after (?P<after>.*)\))?$", clause)
    if not m:
        return "not understood"
    for told, period in ((m["now"], periods.judged(text)), (m["was"], periods.baseline)):
        table = events_of(raw, component, operation, period)
        after = m["after"]

        def has(events, what, is_line, error):
            key = shown_key(what) if is_line else what
            return any(kind == ("log" if is_line else "call") and bad == error and
                       (same_key(key, k) if is_line else k == key)
                       for kind, k, bad in events)
        n = k = 0
        for events in table.values():
            if after and not has(events, after.strip('"'), after.startswith('"'), False):
                continue
            n += 1
            if m["line"] is not None:
                k += has(events, m["line"], True, bool(m["error"]))
            else:
                k += has(events, m["call"], False, m["verb"] == "fails")
        problem = sample_problem(told, k, n, m["part"])
        if problem:
            return problem
    return None
