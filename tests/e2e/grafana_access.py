"""What Grafana's JSON data source shows to a subject that may see a part.

Two namespaces send requests. A viewer of one sees nothing of the other, in
series, lists, options, tags and reasons; targets are refused one by one; who may
not do an action is told so.
"""
import json
import os
import time

from access_kit import make_token, row, write_tokens
from callboard import NS, Client, Server, Tap, new_folder, seeded, span, spans_request, stamped, wait_until

tap = Tap()
rng = seeded()
NOW = time.time_ns()

tokens = {name: make_token() for name in ("all", "acme", "writer", "logs")}
grants = {
    "all": {"roles": ["admin"], "namespace": "*"},
    "acme": {"roles": ["viewer"], "namespace": "acme"},
    "writer": {"roles": ["ingest"], "namespace": "acme"},
    "logs": {"actions": ["logs:view"], "namespace": "acme"},
}

folder = new_folder()
write_tokens(os.path.join(folder, "tokens.yaml"), [row(token, name, **grants[name]) for name, token in tokens.items()])
server = Server(os.path.join(folder, "data"), "--auth", "required", "--tokens", os.path.join(folder, "tokens.yaml"))


def post(port, path, body, token, type_="application/json"):
    headers = {"Content-Type": type_}
    if token:
        headers["Authorization"] = "Bearer " + tokens[token]
    with Client(port) as client:
        answer = client.request("POST", path, body if isinstance(body, bytes) else json.dumps(body), headers)
        return answer.status, answer.body.decode()


def send(namespace, component):
    spans = [span(rng, NOW - (i + 1) * 10 * NS, error=i % 3 == 0) for i in range(60)]
    resource = stamped(component, namespace=namespace, project=namespace + "-shop")
    status, text = post(server.otlp_port, "/v1/traces", spans_request(resource, spans), "all")
    assert status == 200, text


send("acme", "acme-cart")
send("beta", "beta-cart")


def query(token, *targets, **more):
    body = {"range": {"from": "now-30m", "to": "now"}, "maxDataPoints": 100,
            "targets": [{"refId": chr(65 + i), "target": name, "payload": payload}
                        for i, (name, payload) in enumerate(targets)], **more}
    status, text = post(server.query_port, "/grafana/query", body, token)
    return status, json.loads(text)


def titles(frames):
    return {field["config"].get("displayNameFromDS") for frame in frames for field in frame["schema"]["fields"][1:]}


def notices(frame):
    return "; ".join(n["text"] for n in frame["schema"].get("meta", {}).get("notices", []))


by_component = ("requests", {"by": ["component"]})
wait_until(lambda: titles(query("all", by_component)[1]) == {"acme-cart", "beta-cart"}, 10)
tap.check(titles(query("all", by_component)[1]) == {"acme-cart", "beta-cart"}, "an admin sees both")
tap.check(titles(query("acme", by_component)[1]) == {"acme-cart"}, "a viewer of one namespace sees its components alone")

with Client(server.query_port) as client:
    tap.check(client.request("GET", "/grafana").status == 401, "without a credential the health check is 401")
    tap.check(client.request("GET", "/grafana", None, {"Authorization": "Bearer " + tokens["acme"]}).status == 200,
              "with one it is 200")

# Targets are refused one by one, by their own action.
status, frames = query("acme", ("callboard", {}), ("requests", {}))
tap.check(status == 200 and "system:view" in notices(frames[0]) and not notices(frames[1]),
          "a target that may not be seen is refused, the other one answered")
status, frames = query("logs", ("requests", {}), ("log_volume", {}))
tap.check(status == 200 and "metrics:view" in notices(frames[0]) and "may not" not in notices(frames[1]),
          "who may see logs alone is refused series and shown logs")
status, answer = query("writer", ("requests", {}))
tap.check(status == 403 and "metrics:view" in answer["message"], "who may only write is refused")

# What may not be seen does not exist, in no answer and no reason.
status, answer = query("acme", ("requests", {"namespace": "beta"}))
tap.check(status == 403 or "beta-cart" not in json.dumps(answer), "the other namespace by name")
asked = [query("acme", (name, payload))[1]
         for name in ("requests", "errors", "latency", "usage", "components", "topology", "changes", "logs", "traces")
         for payload in ({}, {"component": "beta-cart"}, {"component": "beta-car"}, {"component": ".*cart"})]
for path, body in [("/grafana/variable", {"payload": {"target": kind}})
                   for kind in ("namespaces", "projects", "components", "endpoints", "pods", "series", "components(beta)")]:
    asked.append(post(server.query_port, path, body, "acme"))
for key in ("namespace", "project", "component", "pod", "k8s.pod.name", "k8s.namespace.name"):
    asked.append(post(server.query_port, "/grafana/tag-values", {"key": key}, "acme"))
for name in ("namespace", "project", "component"):
    asked.append(post(server.query_port, "/grafana/metric-payload-options", {"metric": "requests", "name": name}, "acme"))
asked.append(post(server.query_port, "/grafana/tag-keys", {}, "acme"))
text = json.dumps(asked).replace('beta-car\'', "").replace("beta-cart'", "")
leaks = [word for word in ("beta-shop", "beta-cart-pod", "dp-beta") if word in text]
tap.check(not leaks, f"no word of the other namespace is in an answer {leaks}")
names = json.loads(post(server.query_port, "/grafana/variable", {"payload": {"target": "namespaces"}}, "acme")[1])
tap.check([one["__value"] for one in names] == ["acme"], "lists are narrowed")
metrics = [one["value"] for one in json.loads(post(server.query_port, "/grafana/metrics", {}, "logs")[1])]
tap.check("logs" in metrics and "requests" not in metrics, "the list of metrics has what may be seen")
tap.check(json.loads(post(server.query_port, "/grafana/variable", {"payload": {"target": "components"}}, "writer")[1]) == [],
          "who may see nothing has empty lists, and no error")
server.stop()
tap.end()
