"""Whether a shortened answer, or a table for people, says what the whole answer
of a route says. Nothing here knows a single route."""
import csv
import io
import json
import math
import re

# What a tool says beside the answer of its route.
BESIDE = {"truncated", "leftOut", "returned", "total", "next", "url", "window", "empty"}
NEVER = {"tookMs", "link"}  # members that a model is not given
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def is_nothing(value):
    return value is None or value == "" or value == [] or value == {}


# ---- a tool's answer within the route's ----


def same_number(short, whole):
    """Four digits."""
    if isinstance(short, bool) or isinstance(whole, bool):
        return short is whole
    return short == whole or short == float(f"{whole:.4g}")


def moment(text):
    """To milliseconds."""
    seconds, _, fraction = text[:-1].partition(".")
    return seconds, (fraction + "000")[:3]


def same_text(short, whole):
    if short == whole:
        return True
    if TIME.fullmatch(whole) and TIME.fullmatch(short):
        return moment(short) == moment(whole)
    cut = re.fullmatch(r"(.*)…\+(\d+) chars", short, re.S)
    return bool(cut) and whole.startswith(cut[1]) and len(whole) - len(cut[1]) == int(cut[2])


def differences(short, whole, path="", left=(), concise=True, top=True):
    """What the short answer says and the whole one does not, and what it lacks
    without saying so."""
    if isinstance(short, dict) and isinstance(whole, dict):
        return object_differences(short, whole, path, left, concise, top)
    if isinstance(short, list) and isinstance(whole, list):
        return list_differences(short, whole, path, left, concise)
    if isinstance(short, str) and isinstance(whole, str):
        return [] if same_text(short, whole) else [f"{path}: {short!r} of {whole!r}"]
    if isinstance(short, (int, float)) and isinstance(whole, (int, float)):
        return [] if same_number(short, whole) else [f"{path}: {short} of {whole}"]
    return [] if short is whole else [f"{path}: {short!r} of {whole!r}"]


def object_differences(short, whole, path, left, concise, top):
    found = []
    for key, value in short.items():
        here = f"{path}.{key}" if path else key
        if top and key == "truncated":
            pass
        elif key in whole:
            found += differences(value, whole[key], here, left, concise, False)
        elif top and key in BESIDE or key.endswith("Ago") or key == "count" and "log" in short:
            pass  # count: of like lines that are one
        elif not (key == "lastSeenAt" and same_text(value, max(whole["lastSeen"].values()))):
            found.append(f"{here} is not in the route's answer")
    for key, value in whole.items():
        here = f"{path}.{key}" if path else key
        if key in short or key in NEVER or is_hollow(value) or concise and key.endswith("Uid"):
            continue
        if not is_said(here, path, left):
            found.append(f"{here} is missing, and that is not said")
    return found


def is_hollow(value):
    """Nothing is left of it without what is null or empty."""
    if isinstance(value, dict):
        return all(k in NEVER or is_hollow(v) for k, v in value.items())
    return is_nothing(value)


def is_said(path, owner, left):
    names = re.findall(r"[A-Za-z][\w\[\].]*(?=: |, |$)", "\n".join(left), re.M)
    return any(path == name or path.endswith("." + name) or owner == name for name in names) or \
        any(text.startswith("other members") for text in left)


def list_differences(short, whole, path, left, concise):
    """The first ones, or some in their order; like lines may be one."""
    found, at = [], 0
    here = path + "[]"
    if len(short) == len(whole):
        for one, other in zip(short, whole):
            found += differences(one, other, here, left, concise, False)
        return found
    if not is_said(path, path, left):
        found.append(f"{path}: {len(short)} of {len(whole)}, and that is not said")
    for one in short:
        tried = None
        while at < len(whole):
            now = differences(one, whole[at], here, left, concise, False)
            at += 1
            if not now:
                tried = None
                break
            tried = tried or now
        if tried:
            return found + tried
    return found


# ---- cells of a table ----

UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "/s": 1, "k/s": 1e3,
         "M/s": 1e6, "%": 0.01, "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 1e-3}


def numbers_of(cell):
    """(least, most) that a cell may stand for, one for each way to read it."""
    one = re.fullmatch(r"(<?)(-?\d+(?:\.\d+)?(?:e-?\d+)?)([A-Za-z/%]*)", cell)
    if one and one[3] in UNITS:
        digits = len(one[2].split("e")[0].split(".")[1]) if "." in one[2] else 0
        power = int(one[2].split("e")[1]) if "e" in one[2] else 0
        half, value, unit = 0.5000001 * 10 ** (power - digits), float(one[2]), UNITS[one[3]]
        yield (0, value * unit) if one[1] else ((value - half) * unit, (value + half) * unit)
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)(?:(\d+)s)?", cell)
    if parts and (parts[1] or parts[3]):
        value = int(parts[1] or 0) * 3600 + int(parts[2]) * 60 + int(parts[3] or 0)
        yield value - (60 if parts[1] else 0.51), value + (60 if parts[1] else 0.51)


def is_cell_of(cell, raw, head):
    """Whether the cell of a table is the value that CSV has for it."""
    if raw == "":
        return cell in ("-", "")
    if raw in ("true", "false"):
        return cell == ("yes" if raw == "true" else "")
    if TIME.fullmatch(raw):  # an age, too: it is as old as the clock says
        return cell == raw[:19].replace("T", " ") or cell == raw[:23].replace("T", " ").rstrip("Z") or \
            cell.startswith(raw[:19].replace("T", " ")) or bool(re.fullmatch(r"\d+(s|m|h|d|m\d+s|h\d+m|d\d+h)", cell))
    if raw.startswith("["):
        raw = ", ".join(map(str, json.loads(raw)))
    try:
        value = float(raw) / (1e9 if head.endswith("Ns") else 1)
    except ValueError:
        return " ".join(cell.split()) == " ".join(raw.lstrip("'").split()) or cell == raw
    slack = abs(value) * 1e-9 + 1e-12
    return cell == raw or any(least - slack <= value <= most + slack for least, most in numbers_of(cell)) or \
        math.isnan(value) and cell in ("nan", "-nan", "-")


def table_of(text):
    """Rows of cells of the first table of a text, its heads first."""
    lines = text.split("\n\n")[0].splitlines()
    while lines and lines[0] != lines[0].upper():
        lines.pop(0)  # a summary
    width = max(map(len, lines), default=0)
    blank = [all(at >= len(line) or line[at] == " " for line in lines) for at in range(width)]
    cuts, at = [0], 0
    while at < width:
        end = at
        while end < width and blank[end]:
            end += 1
        if end - at >= 2 and at > 0:
            cuts.append(end)
        at = max(end, at + 1)
    return [[line[a:b].strip() for a, b in zip(cuts, cuts[1:] + [width])] for line in lines]


def csv_of(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def cell_differences(table, rows):
    """A wide table held against CSV of the same rows."""
    cells, raw = table_of(table), csv_of(rows)
    found = []
    if len(raw) == 1:
        return []
    if not raw or len(cells) != len(raw):
        return [f"{len(cells)} lines of a table, {len(raw)} of CSV"]
    for line, values in zip(cells[1:], raw[1:]):
        if len(line) != len(values):
            return [f"{len(line)} cells {line}, {len(values)} values {values}"]
        found += [f"{head} ({path}): {cell!r} is not {value!r}" for head, path, cell, value in
                  zip(cells[0], raw[0], line, values) if not is_cell_of(cell, value, path.split("|")[0])]
    return found


def figures_differ(text, answer, numbers=()):
    """Figures with a unit in a text that are no number of the answer, no further
    one, and not in its texts."""
    numbers, texts = list(numbers), []

    def collect(value, key):
        if isinstance(value, dict):
            for name, one in value.items():
                collect(one, name)
        elif isinstance(value, list):
            for one in value:
                collect(one, key)
        elif isinstance(value, str):
            texts.append(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            numbers.append(value / (1e9 if key.endswith("Ns") else 1))

    collect(answer, "")
    texts, found = "\n".join(texts), []
    for figure in re.findall(r"(?<![\w./:-])\d+(?:\.\d+)?(?:k?/s|%|[num]?s|[KMG]i)(?![\w/:-])", text):
        if figure not in texts and not any(least <= n <= most for n in numbers for least, most in numbers_of(figure)):
            found.append(figure)
    return found
