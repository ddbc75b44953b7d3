"""70,000 distinct resources in one request: later resources, of the same namespace
or another one, still get their component; stored records are found after kill -9
and restarts; /health, the log and the counters report the full table."""
import time

from callboard import (Server, Tap, around, export, field, fixed64, log, logs_request, new_folder,
                       stamped, text_attr)

COUNT = 70_000
LOGS = "/api/v1/logs/query"
tap = Tap()


def resource_logs(values, text):
    attrs = b"".join(text_attr(1, k, v) for k, v in values.items())
    record = fixed64(1, time.time_ns()) + field(5, field(1, text))
    return field(1, field(1, attrs) + field(2, field(2, record)))


def flood(key, namespace, count=COUNT):
    values = {"openchoreo.dev/namespace": namespace, "openchoreo.dev/project": "p",
              "openchoreo.dev/component": "flood"}
    return b"".join(resource_logs({**values, key: f"{i:08d}"}, "flood") for i in range(count))


def send_one(server, component, namespace):
    request = logs_request(stamped(component, namespace=namespace),
                           [log(time.time_ns(), f"hello from {component}")])
    return server.send("logs", request).status


def found(server, component, namespace, project="shop"):
    body = {**around(), "searchScope": {"namespace": namespace, "project": project,
                                        "component": component}, "limit": 10}
    answer = server.ask(LOGS, body)
    return [entry["log"] for entry in answer["logs"]], answer["total"]


def check_all(server, when):
    for component, namespace in (("before", "acme"), ("later", "acme"), ("other", "bank")):
        texts, _ = found(server, component, namespace)
        tap.check(texts == [f"hello from {component}"], f"{when}: {namespace}/{component} is found")
    body = {**around(), "searchScope": {"namespace": "default"}, "limit": 10}
    tap.check(server.ask(LOGS, body)["logs"] == [], f"{when}: nothing went to namespace default")
    names = {(c["namespace"], c["component"]) for c in server.ask("/api/v1/components")["components"]}
    tap.check({("acme", "before"), ("acme", "later"), ("acme", "flood"), ("bank", "other")} <= names,
              f"{when}: all components are listed")


def main():
    for key in ("service.instance.id", "k8s.pod.uid"):
        folder = new_folder()
        server = Server(folder)
        tap.check(send_one(server, "before", "acme") == 200, f"{key}: one before")
        body = flood(key, "acme")
        tap.check(export(server.otlp_port, "logs", body).status == 200,
                  f"{key}: {COUNT} resources in {len(body) / 1e6:.1f} MB are taken")
        started = time.monotonic()
        tap.check(send_one(server, "later", "acme") == 200, f"{key}: one of the same namespace")
        tap.check(send_one(server, "other", "bank") == 200, f"{key}: one of another namespace")
        print(f"# two requests after the flood took {time.monotonic() - started:.3f} s")
        check_all(server, key)
        print("# total of the flood:", found(server, "flood", "acme", "p")[1])
        _, health = server.health()
        notes = " ".join(health.get("notes", []))
        tap.check("namespace acme" in notes, f"{key}: /health names the namespace")
        tap.check(server.log().count("table of resources is full") == 1, f"{key}: the log says it once")
        tap.check(server.counter("resources_overflow_total") > 0, f"{key}: it is counted")
        tap.check(server.counter("resources") <= 65536, f"{key}: the table keeps its bound")
        server.kill()
        server = Server(folder)
        check_all(server, f"{key}, after kill -9")
        tap.check(send_one(server, "again", "bank") == 200, f"{key}: one after kill -9")
        tap.check(found(server, "again", "bank")[0] == ["hello from again"], f"{key}: it is found")
        tap.check(server.stop() == 0, f"{key}: it stops")
        started = time.monotonic()
        server = Server(folder)
        print(f"# start over {COUNT} resources took {time.monotonic() - started:.3f} s, "
              f"{server.memory() / (1 << 20):.0f} MiB at most")
        check_all(server, f"{key}, after a restart")
        tap.check(server.stop() == 0, f"{key}: it stops again")
    tap.end()


main()
