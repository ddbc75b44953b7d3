"""The file of --prices: read at the start and again when it changes, not used
while it is wrong, and refused at the start. query_costs has the answer of its
route."""
import json
import os
import subprocess
import tempfile
import time

from running import END, START, Running, Tap

tap = Tap()
PATH = "/api/v1alpha1/costs/namespaces/acme/environments/production"
WINDOW = f"startTime={START}&endTime={END}"


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def costs(server):
    answer = server.ask_json("GET", f"{PATH}?{WINDOW}&project=shop&component=checkout")[1]
    return answer["prices"], answer["items"][0]


def wait(server, good):
    for _ in range(100):
        if good():
            return True
        time.sleep(0.1)
    return False


def without_times(answer):
    return {name: value for name, value in answer.items() if name != "tookMs"}


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "prices.yaml")
    write(path, "currency: EUR\ndefault: {coreHour: 1, gibHour: 2}\n")
    with Running("--prices", path) as server:
        server.play()
        prices, dear = costs(server)
        tap.check(prices == {"currency": "EUR", "source": "file", "coreHour": 1, "gibHour": 2}, "the file is read", prices)
        write(path, "currency: SEK\nnodes:\n  - {pool: x}\n")
        tap.check(wait(server, lambda: "line 3, column 5" in json.dumps(server.ask_json("GET", "/health")[1])),
                  "/health says where the file is wrong", server.ask_json("GET", "/health")[1])
        tap.check(costs(server)[0] == prices, "the prices before stay in use", costs(server))
        write(path, "currency: SEK\ndefault: {coreHour: 0.5, gibHour: 1}\n")
        tap.check(wait(server, lambda: costs(server)[0]["currency"] == "SEK"), "it is read again", costs(server))
        cheap = costs(server)[1]
        tap.check(all(abs(2 * cheap[name] - dear[name]) < 1e-9 for name in ("cpuCost", "memoryCost")),
                  "half the price, half the costs", dear, cheap)
        _, whole = server.ask_json("GET", f"/api/v1/costs?{WINDOW}")
        nodes = whole["nodes"]
        tap.check(abs(whole["totals"]["cost"] + nodes["idleCost"] - nodes["cost"] - nodes["overcommittedCost"] -
                      nodes["outsideCost"]) < 1e-9 and nodes["count"] == 9, "sums add up to the nodes", whole)
        for name, suffix in (("query_costs", ""), ("query_recommendations", "/recommendations")):
            _, called = server.ask_json("POST", "/mcp", {
                "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": {
                    "namespace": "acme", "environment": "production", "start_time": START, "end_time": END}}})
            _, asked = server.ask_json("GET", f"{PATH}{suffix}?{WINDOW}")
            tap.check(without_times(called["result"]["structuredContent"]) == without_times(asked),
                      f"{name} has the answer of its route", called)
    write(path, "currency: 1\n")
    refused = subprocess.run([os.environ["CALLBOARD"], "serve", "--data-dir", os.path.join(folder, "data"), "--prices", path,
                              "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0", "--query", "127.0.0.1:0"],
                             capture_output=True, text=True, timeout=30)
    tap.check(refused.returncode == 1 and "line 1, column 11" in refused.stderr, "a wrong file is refused at the start",
              refused.returncode, refused.stderr)
tap.exit()
