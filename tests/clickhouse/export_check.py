"""callboard export: what an embedded store holds is in ClickHouse once, however
often the export is killed and repeated, and an instance answers as the daemon
did before."""
import json
import math
import os
import signal
import subprocess
import sys
import urllib.parse

import kit
from callboard import wait_until
from running import END, START, Running, Tap

test = Tap()
SCOPE = {"namespace": "acme", "project": "shop"}
TIMES = {"startTime": START, "endTime": END}
TABLES = {"spans": ["otel_traces"], "logs": ["otel_logs", "callboard_events"],
          "points": ["otel_metrics_gauge", "otel_metrics_sum", "otel_metrics_histogram",
                     "otel_metrics_exponential_histogram", "otel_metrics_summary"]}
LIMIT_S = 240


def command(folder, url):
    return [os.environ["CALLBOARD"], "export", "--data-dir", folder, "--store", "clickhouse=" + url,
            "--memory-limit", "64MiB"]


def export(folder, url):
    done = subprocess.run(command(folder, url), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT_S)
    return done.returncode, done.stdout, done.stderr


def counts(db):
    return {kind: sum(db.value(f"SELECT count() FROM {one}") for one in tables) for kind, tables in TABLES.items()}


def killed_in_the_middle(db, folder):
    """True: it ended by our signal, with some of the records written."""
    child = subprocess.Popen(command(folder, db.url()), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def begun():
        try:
            return db.value("SELECT count() FROM otel_traces") > 0
        except kit.Refused:
            return False
    wait_until(lambda: child.poll() is not None or begun(), LIMIT_S)
    child.send_signal(signal.SIGKILL)
    return child.wait(LIMIT_S) == -signal.SIGKILL


# ---- answers ----


def get(path, **given):
    return "GET", path + "?" + urllib.parse.urlencode({**TIMES, **given}), None


def post(path, **given):
    return "POST", path, {"searchScope": {**SCOPE, "component": "checkout"}, **TIMES, "limit": 100,
                          "sortOrder": "desc", **given}


def comparable(answer, key=""):
    """The answer, but for how long it took and where its next page begins. When a
    component was seen is saved in milliseconds, as over a restart."""
    seen = key in ("firstSeen", "lastSeen")
    if isinstance(answer, dict):
        return {name: comparable(value, key if seen else name)
                for name, value in answer.items() if name not in ("tookMs", "nextCursor")}
    if seen and answer:
        second, _, fraction = answer.rstrip("Z").partition(".")
        return second, fraction[:3].ljust(3, "0")
    return [comparable(one) for one in answer] if isinstance(answer, list) else answer


def questions(ask):
    """By name. The trace is the newest of the component."""
    traces = post("/api/v1alpha1/traces/query")
    trace = ask(traces)["traces"][0]["traceId"]
    return {"the list of components": get("/api/v1/components", **SCOPE, limit=100),
            "the page of a component": get("/api/v1/components/acme/shop/checkout", step="60s"),
            "log records": post("/api/v1/logs/query"),
            "traces": traces,
            "a trace": get(f"/api/v1/traces/{trace}", namespace="acme"),
            "the topology": get("/api/v1/topology", **SCOPE)}


def difference(left, right, path=""):
    """Where they differ first; empty: they do not. Sums of fractions depend on
    the order of their parts."""
    if isinstance(left, float) and isinstance(right, float) and math.isclose(left, right, rel_tol=1e-12):
        return ""
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        pairs = [(left[key], right[key], f"{path}.{key}") for key in left]
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = [(one, other, f"{path}[{i}]") for i, (one, other) in enumerate(zip(left, right))]
    else:
        return "" if left == right else f"{path}: {json.dumps(left)[:500]} / {json.dumps(right)[:500]}"
    return next(filter(None, (difference(*pair) for pair in pairs)), "")


# ---- what is beside the records ----

REPORT = "/api/v1/rca-agent/reports/"
CATALOG = {"components": [{"namespace": "acme", "project": "shop", "name": "planned",
                           "dependencies": [{"component": "cart"}]}]}
ALERT = {**SCOPE, "component": "checkout", "environment": "production",
         "alert": {"id": "one", "timestamp": END, "rule": {"condition": {"window": "5m"}}}}


def fill_metadata(server, folder):
    """A catalogue, a report and an API token; the path of the report and the token."""
    server.ask_json("PUT", "/api/v1/catalog", CATALOG)
    status, made = server.ask_json("POST", "/api/v1alpha1/rca-agent/analyze", ALERT)
    test.check(status == 200 and made.get("report_id"), "a report is made", status, made)
    token = subprocess.run([os.environ["CALLBOARD"], "token", "create", "portal", "--role", "viewer", "--namespace",
                            "acme", "--data-dir", folder], stdout=subprocess.PIPE, text=True).stdout.strip()
    return REPORT + made["report_id"], token


def check_token(db, token):
    rig = kit.Installation(1, "--auth", "required", database=db).start()
    statuses = [rig.instances[0].server.query("/api/v1/components", headers=headers).status
                for headers in ({"Authorization": "Bearer " + token}, {})]
    test.check(statuses == [200, 401], "the API token is known, and needed", statuses)
    rig.stop()


def compare_answers(db, asked, before):
    rig = kit.Installation(1, database=db).start()

    def ask(name):
        method, path, body = asked[name]
        answer = rig.instances[0].server.query(path, body, method)
        return comparable(json.loads(answer.body))
    for name in asked:
        wait_until(lambda which=name: not difference(before[which], ask(which)), 5, 0.5)
        unlike = difference(before[name], ask(name))
        test.check(not unlike, f"{name} is the same", unlike)
    rig.stop()


def main():
    try:
        db = kit.Database().start()
    except kit.Unavailable as error:
        print(f"not ok - ClickHouse is there: {error}")
        sys.exit(1)
    with Running() as server:
        server.play()
        folder = os.path.join(server.folder, "data")
        report, token = fill_metadata(server, folder)
        asked = questions(lambda question: server.ask_json(*question)[1])
        asked.update({"the catalogue": get("/api/v1/catalog", namespace="acme"), "the report": ("GET", report, None)})
        before = {name: comparable(server.ask_json(*one)[1]) for name, one in asked.items()}
        code, _, said = export(folder, db.url())
        test.check(code == 1 and "stop it first" in said, "a folder in use is refused", said)
        server.process.terminate()
        server.process.wait(60)
        test.check(killed_in_the_middle(db, folder), "the export is killed in the middle")
        code, out, said = export(folder, db.url())
        test.check(code == 0, "it goes on when it is repeated", out + said)
        print("# " + out.replace("\n", "\n# "))
        first = counts(db)
        test.check(all(first.values()), "all streams are there", first)
        code, out, said = export(folder, db.url())
        test.check(code == 0 and counts(db) == first, "repeated again it stores nothing twice",
                   f"{out}{said}{first} {counts(db)}")
        compare_answers(db, asked, before)
        check_token(db, token)
    test.exit()


if __name__ == "__main__":
    main()
