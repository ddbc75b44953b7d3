"""Replays the calls that the skills prescribe, over MCP and on the command line,
and asks whether they lead to the component with the fault and to the rollout.

The shop has half an hour of history that ends now, as in tests/demo.sh.
"""
import json
import os
import re
import subprocess
import sys
import time

from mcp_client import Mcp
from running import TOP, Running, Tap

SKILLS = os.path.join(TOP, "skills")
# The verb that prints the answer of a tool's route.
VERBS = {"list_components": "components", "get_component": "component", "explain_incident": "cause",
         "compare_windows": "compare", "what_changed": "changes", "search_logs": "logs", "find_traces": "traces",
         "get_trace": "trace", "get_dependencies": "topology", "get_blast_radius": "blast-radius",
         "get_capacity": "capacity", "query_metrics": "metrics", "query_costs": "costs"}
test = Tap()


def read(name):
    """Its front matter, and its lines of calls in order: kind and text."""
    with open(os.path.join(SKILLS, name, "SKILL.md"), encoding="utf-8") as file:
        text = file.read()
    head = re.match(r"---\nname: (.+)\ndescription: (.+)\n---\n", text)
    test.check(head and head[1] == name and 40 < len(head[2]) < 1024, f"{name} has a name and a description", text[:200])
    calls = []
    for kind, block in re.findall(r"```(mcp|sh)\n(.*?)```", text, re.S):
        calls += [(kind, line) for line in block.splitlines()]
    return text, calls


class Replay:
    def __init__(self, server, component):
        self.server, self.mcp = server, Mcp(server)
        self.known = {"NAMESPACE": "acme", "PROJECT": "shop", "COMPONENT": component}
        self.answers = {}
        self.printed = ""

    def fill(self, text):
        for word, value in self.known.items():
            text = re.sub(rf"\b{word}\b", value, text)
        return text

    def run(self, kind, line):
        line = self.fill(line)
        if kind == "sh":
            words = line.split()
            done = subprocess.run([os.environ["CALLBOARD"], *words[1:], "--server", f"127.0.0.1:{self.server.port}"],
                                  capture_output=True, text=True, timeout=60, check=False)
            test.check(done.returncode == 0, line, done.stdout + done.stderr)
            self.printed += done.stdout
            return
        tool, arguments = line.split(" ", 1)
        answer, _ = self.mcp.call(tool, **json.loads(arguments))
        if test.check(isinstance(answer, dict), line, answer):
            self.answers[tool] = answer
            self.learn(tool, answer)

    def learn(self, tool, answer):
        """What the words in capitals of later steps stand for."""
        if tool == "explain_incident" and answer["suspects"]:
            first = answer["suspects"][0]
            traces = [one for evidence in first["evidence"] for one in evidence.get("traceIds", [])]
            self.known.update(SUSPECT=first["component"], **({"TRACE_ID": traces[0]} if traces else {}))
        if tool == "what_changed":
            changed = [one["timestamp"] for one in answer["changes"] if one["kind"] == "version"]
            self.known.update({"CHANGED_AT": changed[-1], "BEFORE": "now-28m"} if changed else {})


def replay(server, name, component):
    run = Replay(server, component)
    for kind, line in read(name)[1]:
        run.run(kind, line)
    return run


def check_names(server):
    """Tools and verbs that the texts name are there."""
    tools = Mcp(server).tools()
    verbs = set(re.findall(r"^  ([a-z-]+) {2,}", subprocess.run(
        [os.environ["CALLBOARD"], "--help"], capture_output=True, text=True, check=True).stdout, re.M))
    for name in sorted(os.listdir(SKILLS)):
        text, calls = read(name)
        named = set(re.findall(r"`([a-z]+_[a-z_]+)`", text)) | {line.split()[0] for kind, line in calls if kind == "mcp"}
        used = {line.split()[1] for kind, line in calls if kind == "sh"}
        test.check(named and named <= set(tools), f"{name}: its tools are there", named - set(tools))
        test.check(used and used <= verbs, f"{name}: its verbs are there", used - verbs)
        for tools_of_step, commands in re.findall(r"```mcp\n(.*?)```\n```sh\n(.*?)```", text, re.S):
            wanted = [VERBS[line.split()[0]] for line in tools_of_step.splitlines()]
            test.same([line.split()[1] for line in commands.splitlines()], wanted,
                      f"{name}: the commands of a step ask what its tools ask")


def main():
    with Running("--catalog", os.path.join(TOP, "tests", "shop", "catalog.json")) as server:
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1800))
        subprocess.run([os.environ["SHOPGEN"], "--otlp", f"127.0.0.1:{server.otlp_port}", "--start", start,
                        "--duration", "30m", "--rate", "5", "--rollout", "20m", "--fault", "25m", "--no-pace", "--quiet"],
                       check=True, timeout=60)
        check_names(server)

        run = replay(server, "investigate-incident", "web")
        cause = run.answers["explain_incident"]
        test.same(run.known.get("SUSPECT"), "inventory", "the investigation leads to inventory")
        test.check("CPU" in cause["summary"]["cause"] and "limit" in cause["summary"]["cause"], "and to its CPU limit", cause["summary"])
        test.check("inventory" in [one.get("component") for one in run.answers["get_trace"]["errors"]],
                   "a trace of the evidence fails in it", run.answers["get_trace"].get("errors"))
        test.check(any(one["count"] > one["countBefore"] for one in run.answers["search_logs"]["patterns"]),
                   "its log has more errors than before", run.answers["search_logs"]["patterns"])
        test.check("inventory" in run.printed and "CPU" in run.printed, "the command line says the same", run.printed)

        run = replay(server, "review-rollout", "checkout")
        changes = run.answers["what_changed"]["changes"]
        test.check(any(one.get("from") == "1.4.0" and one.get("to") == "1.5.0" for one in changes), "the rollout of checkout is found", changes)
        test.check("differences" in run.answers["compare_windows"], "both sides of it are compared", run.answers["compare_windows"])
        test.same(run.known["SUSPECT"], "inventory", "and it is not the rollout that fails")

        run = replay(server, "find-dependencies", "inventory")
        callers = {one["component"] for one in run.answers["get_blast_radius"]["callers"]}
        test.check({"web", "checkout"} <= callers, "callers of inventory are found", callers)
        edges = {(one["source"].split("@")[0], one["target"].split("@")[0]) for one in run.answers["get_dependencies"]["edges"]}
        test.check(("acme/shop/checkout", "acme/shop/inventory") in edges, "and the calls themselves", edges)
    test.exit()


sys.exit(main())
