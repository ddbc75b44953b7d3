"""Reports of simulated faults, and of times without a fault, are compared with
tests/golden/cause. After an intended change, make golden-cause rewrites the
files for review. They have the named component, the minute of the onset, the
kinds of evidence and the sentences without their numbers, so that small changes
of a score do not matter.
"""
import difflib
import json
import os
import re
import subprocess
import tempfile
import time

from running import Running, Tap, TOP

FOLDER = os.path.join(TOP, "tests", "golden", "cause")
FAULTS = ["cpu", "leak", "disk-full", "queue", "bad-version", "dead-host",
          "retry-storm", "pool", "timeouts", "neighbour", "network", "code",
          "dead-pods"]
QUIET = ["night", "rush", "rollout", "outlier", "always-failing", "nothing"]
FAULT_AT, LENGTH = 13, 18  # minutes
SURE = 3  # a score: odds of twenty to one
PATIENCE = 20  # seconds: what was sent is correlated, calls are given up
UPDATE = "UPDATE_GOLDEN" in os.environ


def at(day, minute):
    """Each case has a day of its own, so that one server holds them all."""
    return f"2024-03-{day:02d}T08:{minute:02d}:00Z"


def play(server, day, kind):
    """With a seed of its own: the same one makes the same trace ids."""
    subprocess.run(
        [os.environ["SHOPGEN"], "--otlp", f"127.0.0.1:{server.otlp_port}",
         "--start", at(day, 0), "--duration", f"{LENGTH}m", "--fault",
         f"{FAULT_AT}m", "--kind", kind, "--seed", str(day), "--rate", "4", "--pods", "3",
         "--no-pace", "--quiet"], check=True, timeout=600)


def ask(server, day):
    return server.ask("POST", "/api/v1/cause", {
        "startTime": at(day, FAULT_AT), "endTime": at(day, FAULT_AT + 4),
        "searchScope": {"namespace": "acme", "project": "shop"}})[2]


def words(text):
    """Without what differs from run to run of a method that gets better."""
    text = re.sub(r"\d\d:\d\d UTC", "HH:MM UTC", text)
    return re.sub(r"\d[\d.]*", "N", text)


def minute(time_text):
    return time_text[11:16]


def kinds(suspect):
    return sorted({e["kind"] for e in suspect["evidence"]
                   if e["score"] >= SURE})


def drawn(suspect, since):
    """What is said to be drawn of the first evidence, and whether it is."""
    series = suspect["evidence"][0].get("series")
    if not series:
        return None
    times = [point[0] for point in series["points"]]
    return {"title": series["title"], "unit": series["unit"],
            "in order": times == sorted(set(times)),
            "both times": times[0] < since < times[-1]}


def report(answer):
    """What a golden file holds of an answer."""
    kept = {"found": answer["found"],
            "cause": words(answer["summary"]["cause"]),
            "changes": [f"{c['component']}: {c['kind']}"
                        for c in answer["changes"]]}
    if not answer["found"]:
        return kept
    first = answer["suspects"][0]
    others = [s for s in answer["suspects"][1:]
              if s["score"] >= first["score"] / 3]
    kept.update({
        "first": f"{first['component']}, a {first['kind']}",
        "since": minute(first["onset"]),
        "evidence": kinds(first),
        "drawn": drawn(first, answer["window"]["startTime"]),
        "beside": [s["component"] for s in others],
        "first failure": words(answer["summary"]["firstFailure"]),
        "impact": words(answer["summary"]["impact"]),
        "path": [s["component"] for s in answer["path"]],
        "logs": [f"{l['level']} {l['log']}" for l in answer["logs"]],
        "attribute correlation": [f"{a['key']} = {a['value']}"
                    for a in answer["attributeCorrelation"]["attributes"]][:1],
    })
    return kept


def text_of(answer):
    return json.dumps(report(json.loads(answer)), indent=2,
                      ensure_ascii=False) + "\n"


def same(one, other):
    """Of many log lines of one statement and time, ClickHouse may show another."""
    if "SECOND_ENGINE" in os.environ and one and other:
        one, other = json.loads(one), json.loads(other)
        for each in one, other:
            each["logs"] = [words(line) for line in each.get("logs", [])]
    return one == other


def settled(server, day, expected):
    """The answer once it is as expected, or the last one."""
    until = time.monotonic() + PATIENCE
    while True:
        answer = ask(server, day)
        if same(text_of(answer), expected) or UPDATE or time.monotonic() > until:
            return answer
        time.sleep(0.3)


def check(tap, server, day, kind):
    path = os.path.join(FOLDER, kind + ".json")
    expected = ""
    if os.path.exists(path) and not UPDATE:
        with open(path, encoding="utf-8") as file:
            expected = file.read()
    answer = settled(server, day, expected)
    if UPDATE:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text_of(answer))
    diff = difflib.unified_diff(expected.splitlines(),
                                text_of(answer).splitlines(), "golden", "now",
                                lineterm="")
    tap.check(UPDATE or same(expected, text_of(answer)),
              f"the report of {kind}", *diff)
    tap.check(ask(server, day) == answer, f"{kind}: the same bytes twice")
    return answer


def main():
    tap = Tap()
    chosen = os.environ.get("CAUSES", "").split() or FAULTS + QUIET
    cases = [one for one in enumerate(FAULTS + QUIET, 1) if one[1] in chosen]
    with tempfile.TemporaryDirectory(prefix="callboard-e2e-") as data:
        options = ("--edge-wait", "2s", "--data-dir", data)
        with Running(*options) as server:
            for day, kind in cases:
                play(server, day, kind)
            server.wait_for_calls()
            answers = [check(tap, server, day, kind) for day, kind in cases]
        with Running(*options) as server:
            for (day, kind), answer in zip(cases, answers):
                tap.check(ask(server, day) == answer,
                          f"{kind}: the same bytes after a restart")
    tap.exit()


if __name__ == "__main__":
    main()
