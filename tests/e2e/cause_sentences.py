"""Every sentence of a root-cause report is compared with what was sent: systems
without spans, some with a fault and some without."""
import json
import os
import sys
from datetime import datetime, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "bench"))

import bench_cause
import check_sentences
import worlds
import worlds_calm
import worlds_nodes
import worlds_rollout
from running import Running, Tap

SEED = 31


def cases():
    made = [c for c in worlds.cases(SEED, 100 * SEED)
            if c.world != "shop" or c.step >= 5]
    made = made[::3]
    made += worlds_rollout.cases(SEED, 10 * SEED + 1700)[:3]
    made += worlds_nodes.cases(SEED, 10 * SEED + 2000)[:4]
    made += worlds_calm.cases(SEED, 10 * SEED + 2300)[:2]
    return made


def time_text(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def send(server, case):
    for signal, bodies in (("metrics", worlds.requests_of(case, 120)),
                           ("logs", worlds.logs_of(case, 120))):
        for body in bodies:
            server.send("/v1/" + signal, json.loads(body))


def question(case):
    return {"searchScope": {"namespace": "default", "project": case.project,
                            "environment": "bench"},
            "startTime": time_text(case.window[0]), "endTime": time_text(case.window[1])}


def main():
    tap, made = Tap(), cases()
    with Running("--retention-metrics", "0", "--retention-logs", "0",
                 "--retention-traces", "0") as server:
        for case in made:
            send(server, case)
        components = [
            {"namespace": "default", "project": case.project, "name": c,
             "dependencies": [{"component": d} for d in case.graph[c]]}
            for case in made for c in case.graph]
        server.ask_json("PUT", "/api/v1/catalog", {"components": components})
        told = 0
        for case in made:
            status, answer = server.ask_json("POST", "/api/v1/cause", question(case))
            wrong = status != 200 and [("answer", status, answer)]
            if status == 200:
                checked = check_sentences.check(answer, bench_cause.raw_of_world(case))
                told += len(checked)
                wrong = [c for c in checked if c[2]]
            tap.check(not wrong, f"{case.id}: every sentence is true", json.dumps(wrong))
        tap.check(told > 5 * len(made), "there are sentences", told)
    tap.exit()


if __name__ == "__main__":
    main()
