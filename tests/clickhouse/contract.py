"""Suites of tests/e2e/ that hold for any engine, unchanged, against servers that
keep their records in ClickHouse: the contract with OpenChoreo's Observer, the
page of a component, golden reports of causes, Grafana, MCP, and that route, tool
and verb answer the same. The answers of same-answer.sh are held against those of the
first engine, too."""
import json
import os
import re
import subprocess
import sys
import time

import engine
import kit

# Each with the part of it that runs outside NIGHTLY: its arguments, or the environment.
SUITES = {
    "same-answer.sh": {"ROUTES_ONLY": "1"},
    "observer-contract/run.sh": {},
    "cause-golden.sh": {"CAUSES": "queue bad-version dead-host rollout"},
    "mcp/run.sh": {},
    "grafana/run.sh": {"arguments": "check_health.mjs check_json.mjs check_tempo.mjs check_records.mjs"},
}


# The suite whose answers are held against those of the first engine. With one
# partition: the operations and templates that are kept of too many are those that
# come first.
COMPARED = "same-answer.sh"
# What differs by design: how long it took, where the next page begins, and when a
# resource was received.
DIFFERS = {"tookMs", "nextCursor", "firstSeen"}


TIME = re.compile(r"(\.[0-9]{9})[0-9]+Z") # the digits behind are the place of the record in a list


def in_order(entries):
    """Records of the same nanosecond have no order among each other."""
    if not entries or not all(isinstance(one, dict) and "timestamp" in one for one in entries):
        return entries
    cut = [{**one, "timestamp": TIME.sub(r"\1Z", one["timestamp"])} for one in entries]
    return sorted(cut, key=lambda one: (one["timestamp"], json.dumps(one, sort_keys=True)))


def same(key, one, other):
    if re.match(r"values?\[", key) and isinstance(one, str): # of Prometheus
        one, other = float(one), float(other)
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-9 * max(abs(one), abs(other)) # sums in another order
    if key == "log" and isinstance(one, str) and isinstance(other, str): # one of many like it
        one, other = (re.sub("[0-9]+", "0", text) for text in (one, other))
    return one == other


def differences(one, other, path=""):
    """Between two JSON documents, the paths and values."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in sorted({*one, *other} - DIFFERS):
            if key not in one or key not in other:
                found.append(f"{path}.{key}: only with {'the first engine' if key in one else 'ClickHouse'}")
            else:
                found += differences(one[key], other[key], f"{path}.{key}")
        return found
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return [f"{path}: {len(one)} and {len(other)} entries"]
        pairs = zip(in_order(one), in_order(other))
        return [text for at, (a, b) in enumerate(pairs) for text in differences(a, b, f"{path}[{at}]")]
    return [] if same(path.rsplit(".", 1)[-1], one, other) else [f"{path}: {one!r} and {other!r}"]


def compare(script, *engines):
    """The exit status: 0 if both engines give the same answers to all that the
    script asks for."""
    folders = [kit.callboard.new_folder() for _ in engines]
    codes = [run(folder, script) for run, folder in zip(engines, folders)]
    names = [sorted(os.listdir(folder)) for folder in folders]
    good = not any(codes) and names[0] == names[1] and bool(names[0])
    for name in names[0] if names[0] == names[1] else ():
        asked = []
        for folder in folders:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                asked.append(json.load(file))
        found = differences(asked[0], asked[1])
        print("not ok" if found else "ok", "- both engines answer the same to", json.dumps(asked[0]["request"])[:200])
        for text in found[:8]:
            print(f"# {text}")
        good = good and not found
    return not good


def first_engine(environment):
    return lambda answers, script: subprocess.run(
        [script], env={**os.environ, **environment, "ANSWERS": answers}).returncode


def run(engines, name):
    """The exit status of a suite."""
    partitions = 1 if name == COMPARED else 2
    if partitions not in engines:
        engines[partitions] = engine.Engine(partitions)
    second = engines[partitions]
    script, part = os.path.join(kit.HERE, "..", "e2e", name), dict(SUITES.get(name, {}))
    if "NIGHTLY" in os.environ:
        part.clear()
    arguments = part.pop("arguments", "").split()
    second.environment.update(part)
    if name == COMPARED:
        return compare(script, first_engine(part), second.run_for)
    return second.run(script, *arguments)


def main():
    codes, engines = [], {}
    for name in sys.argv[1:] or SUITES:
        began = time.monotonic()
        print(f"# tests/e2e/{name}", flush=True)
        try:
            codes.append(run(engines, name))
        except kit.Unavailable as error:
            print(f"not ok - broker and ClickHouse are there: {error}")
            sys.exit(1)
        print(f"# took {time.monotonic() - began:.0f} s", flush=True)
    sys.exit(1 if any(codes) else 0)


if __name__ == "__main__":
    main()
