"""Suites of tests/e2e/ that hold for any engine, unchanged, against servers that
keep their records in ClickHouse: the contract with OpenChoreo's Observer, the
page of a component, golden reports of causes, Grafana, MCP, and that route, tool
and verb answer the same."""
import json
import os
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


# With COMPARE=1 the answers of same-answer.sh are held against those of the first
# engine. What differs by design: how long it took, where the next page begins,
# when a resource was received, and which of many like records arrived first.
DIFFERS = {"tookMs", "nextCursor", "firstSeen", "log"}


def differences(one, other, path=""):
    """Between two JSON documents, the paths and values."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in sorted({*one, *other} - DIFFERS):
            if key not in one or key not in other:
                found.append(f"{path}.{key}: only {'here' if key in other else 'there'}")
            else:
                found += differences(one[key], other[key], f"{path}.{key}")
        return found
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return [f"{path}: {len(one)} and {len(other)} entries"]
        return [text for at, (a, b) in enumerate(zip(one, other)) for text in differences(a, b, f"{path}[{at}]")]
    if isinstance(one, float) and isinstance(other, float):
        same = abs(one - other) <= 1e-9 * max(abs(one), abs(other)) # sums in another order
    else:
        same = one == other
    return [] if same else [f"{path}: {one!r} and {other!r}"]


def compare(script, run):
    """The exit status: 0 if both engines give the same answers to all that the
    script asks for."""
    folders = [kit.callboard.new_folder() for _ in range(2)]
    codes = [run(folder, script) for run, folder in zip((first_engine, run), folders)]
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


def first_engine(answers, script):
    return subprocess.run([script], env={**os.environ, "ANSWERS": answers}).returncode


def main():
    chosen = sys.argv[1:] or SUITES
    try:
        second = engine.Engine()
    except kit.Unavailable as error:
        print(f"not ok - broker and ClickHouse are there: {error}")
        sys.exit(1)
    codes = []
    for name in chosen:
        script, part = os.path.join(kit.HERE, "..", "e2e", name), dict(SUITES.get(name, {}))
        if "NIGHTLY" in os.environ:
            part.clear()
        arguments = part.pop("arguments", "").split()
        second.environment.update(part)
        began = time.monotonic()
        print(f"# {os.path.relpath(script, kit.HERE)}", flush=True)
        if os.path.basename(script) == "same-answer.sh" and "COMPARE" in os.environ:
            codes.append(compare(script, second.run_for))
        else:
            codes.append(second.run(script, *arguments))
        print(f"# took {time.monotonic() - began:.0f} s", flush=True)
    sys.exit(1 if any(codes) else 0)


if __name__ == "__main__":
    main()
