"""The language of Prometheus' expression tests, read into commands.

    clear
    load 5m
        http_requests_total{job="api"} 0+10x10 _x3 stale NaN
    eval instant at 50m sum(http_requests_total)
        {} 100
    eval range from 0 to 10m step 5m http_requests_total
        http_requests_total{job="api"} 0 10 20

A command is eval, eval_ordered, eval_fail, eval_warn or eval_info; below it may
be `expect ordered`, `expect fail msg: text`, `expect fail regex: text`, `expect
warn [msg: ...]`, `expect info [msg: ...]`, `expect string "x"` and `expect range
vector from A to B step C`. Added here: BASE in an expression is the time of
the first sample in seconds, and a number behind @ counts from there.
"""
import dataclasses
import json
import math
import re

STALE = object()
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


@dataclasses.dataclass
class Load:
    step: float
    series: list  # pairs of labels and values, None for a gap


@dataclasses.dataclass
class Eval:
    place: str
    text: str
    start: float
    end: float = None
    step: float = None
    expected: list = dataclasses.field(default_factory=list)  # labels or None, values
    ordered: bool = False
    fails: bool = False
    message: str = None   # what the error contains
    pattern: str = None   # what the error matches
    notes: dict = dataclasses.field(default_factory=lambda: {"warnings": None, "infos": None})
    string: str = None
    matrix: tuple = None


def seconds(text):
    if re.fullmatch(r"-?[0-9.]+", text):
        return float(text)
    sign = -1 if text.startswith("-") else 1
    return sign * sum(float(n) * UNITS[unit]
                      for n, unit in re.findall(r"([0-9.]+)(ms|[smhdwy])", text))


def number(text):
    return float(text.lower().replace("+inf", "inf"))


def values(text):
    """0+10x3, 5x2, _, _x3, stale and plain numbers."""
    out = []
    for word in text.split():
        times = re.fullmatch(r"(.+?)x(\d+)", word)
        base, count = (times[1], int(times[2])) if times else (word, None)
        if base in ("_", "stale"):
            out += [None if base == "_" else STALE] * (1 if count is None else count)
            continue
        series = re.fullmatch(r"([+-]?(?:[0-9.]+(?:e[+-]?\d+)?|inf|nan))([+-](?:[0-9.]+(?:e[+-]?\d+)?))?",
                              base, re.I)
        start, by = number(series[1]), number(series[2] or "0")
        out += [start + by * i for i in range(1 if count is None else count + 1)]
    return out


def metric(text):
    """Labels of `name{a="b"}`, and what is behind it."""
    labels, at = {}, 0
    name = re.match(r"[A-Za-z_:][A-Za-z0-9_:]*", text)
    if name:
        labels["__name__"], at = name[0], name.end()
    if text[at:at + 1] != "{":
        return labels, text[at:]
    at += 1
    one = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z_][A-Za-z0-9_.]*))\s*(?:=\s*("(?:[^"\\]|\\.)*"))?\s*,?')
    while not re.match(r"\s*\}", text[at:]):
        found = one.match(text, at)
        key = json.loads(found[1]) if found[1] else found[2]
        if found[3]:
            labels[key] = json.loads(found[3])
        else:
            labels["__name__"] = key
        at = found.end()
    return labels, text[text.index("}", at) + 1:]


def expectation(case, line):
    """A line below an eval."""
    if line.startswith("expect "):
        word = line.split()[1]
        text = re.search(r"(msg|regex):\s*(.*)", line)
        if word == "fail":
            case.fails = True
            if text and text[1] == "msg":
                case.message = text[2]
            elif text:
                case.pattern = text[2]
        elif word in ("warn", "info"):
            case.notes["warnings" if word == "warn" else "infos"] = text[2] if text else ""
        elif word == "ordered":
            case.ordered = True
        elif word == "string":
            case.string = json.loads(line.split(None, 2)[2])
        elif word == "range":
            times = re.match(r"expect range vector from (\S+) to (\S+) step (\S+)", line)
            case.matrix = tuple(map(seconds, times.groups()))
        return
    if line.startswith("expected_fail_message "):
        case.message = line.split(None, 1)[1]
        return
    if re.fullmatch(r"[+-]?([0-9.]+(e[+-]?\d+)?|inf|nan)", line, re.I):
        case.expected.append((None, [number(line)]))
        return
    labels, rest = metric(line)
    case.expected.append((labels, values(rest)))


def parse(path):
    """The commands of a file, "clear" among them."""
    commands, current = [], None
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    for at, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        place = f"{path}:{at}"
        found = re.match(r"eval(_\w+)? (?:instant at (\S+)|range from (\S+) to (\S+) step (\S+)) (.*)", line)
        if line == "clear":
            current = "clear"
        elif re.match(r"load ", line):
            current = Load(seconds(line.split()[1]), [])
        elif found:
            kind, instant, start, end, step, text = found.groups()
            current = Eval(place, text, seconds(instant or start))
            if end:
                current.end, current.step = seconds(end), seconds(step)
            current.ordered, current.fails = kind == "_ordered", kind == "_fail"
            if kind in ("_warn", "_info"):
                current.notes["warnings" if kind == "_warn" else "infos"] = ""
        elif isinstance(current, Load):
            labels, rest = metric(line)
            current.series.append((labels, values(rest)))
            continue
        elif isinstance(current, Eval):
            expectation(current, line)
            continue
        else:
            raise ValueError(f"{place}: {line}")
        commands.append(current)
    return commands


def same(got, want):
    if math.isnan(want) or math.isnan(got):
        return math.isnan(want) and math.isnan(got)
    if math.isinf(want) or math.isinf(got):
        return want == got
    return abs(got - want) <= 1e-6 * max(abs(want), abs(got)) or abs(got - want) < 1e-12
