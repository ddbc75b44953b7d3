"""How long the routes of costs take on 1008 components with 30 days of usage,
requests and capacity of nodes, and how much memory the server has then.

    CALLBOARD=build/release/callboard python3 tests/bench/costs_speed.py [MINUTES]

MINUTES: between two samples, 60 if it is left out.
"""
import os
import struct
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from running import Running

COMPONENTS, DAYS, NODES = 1008, 30, 40
MINUTES = int(sys.argv[1]) if len(sys.argv) > 1 else 60
NS = 10**9
START = 1754006400  # 2025-08-01T00:00:00Z
GIB = 2**30


def varint(n):
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def attributes(**pairs):
    return field(1, b"".join(
        field(1, field(1, key.encode()) + field(2, field(1, value.encode())))
        for key, value in pairs.items()))


def points(day, value, cache={}):
    key = (day, value)
    if key not in cache:
        if len(cache) > 1000:
            cache.clear()
        cache[key] = b"".join(
            field(1, b"\x19" + struct.pack("<Q", (START + day * 86400 + m * 60) * NS)
                  + b"\x21" + struct.pack("<d", value))
            for m in range(0, 1440, MINUTES))
    return cache[key]


def resource(day, attrs, metrics):
    return field(1, attributes(**attrs) + field(2, b"".join(
        field(2, field(1, name.encode()) + field(5, points(day, value))) for name, value in metrics)))


def a_day(day):
    for i in range(COMPONENTS):
        attrs = {"openchoreo.dev/namespace": "acme", "openchoreo.dev/project": f"project-{i % 24}",
                 "openchoreo.dev/component": f"component-{i}", "openchoreo.dev/environment": "production",
                 "k8s.namespace.name": "dp", "k8s.pod.name": f"component-{i}-a", "k8s.node.name": f"node-{i % NODES}"}
        yield resource(day, attrs, [
            ("k8s.container.cpu_request", 0.25 * (1 + i % 3)), ("k8s.container.memory_request", GIB / 2),
            ("container.cpu.usage", 0.1 * (1 + i % 7)), ("container.memory.working_set", GIB * (1 + i % 5) / 8),
            ("k8s.container.cpu_limit", 2), ("k8s.container.memory_limit", GIB)])
    for i in range(NODES):
        yield resource(day, {"k8s.node.name": f"node-{i}"}, [
            ("k8s.node.allocatable_cpu", 16), ("k8s.node.allocatable_memory", 64 * GIB)])


def send(server, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.otlp_port}/v1/metrics", body,
        {"Content-Type": "application/x-protobuf"})
    for _ in range(200):
        try:
            return urllib.request.urlopen(request, timeout=60).read()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(0.2)


def memory(server):
    with open(f"/proc/{server.process.pid}/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return lines["VmRSS"].split()[0], lines["VmHWM"].split()[0]


def ask(server, name, path):
    took, size, status = [], 0, 0
    for _ in range(3):
        begin = time.monotonic()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=120) as answer:
                size, status = len(answer.read()), answer.status
        except urllib.error.HTTPError as error:
            size, status = len(error.read()), error.code
        took.append(time.monotonic() - begin)
    rss, peak = memory(server)
    print(f"{name:44} {status} {min(took) * 1000:8.0f} ms {size:9} bytes, RSS {int(rss) // 1024} MiB, peak {int(peak) // 1024} MiB", flush=True)


with Running() as server:
    begin = time.monotonic()
    sent = 0
    for day in range(DAYS):
        rows = list(a_day(day))
        for at in range(0, len(rows), 200):
            body = b"".join(rows[at:at + 200])
            sent += len(body)
            send(server, body)
    time.sleep(3)
    count = (COMPONENTS * 6 + NODES * 2) * DAYS * 1440 // MINUTES
    print(f"{count} points, {sent >> 20} MiB sent in {time.monotonic() - begin:.0f} s", flush=True)
    costs = "/api/v1alpha1/costs/namespaces/acme/environments/production"
    month = "startTime=2025-08-01T00:00:00Z&endTime=2025-08-31T00:00:00Z"
    day = "startTime=2025-08-20T00:00:00Z&endTime=2025-08-21T00:00:00Z"
    one = "&project=project-5&component=component-5"
    ask(server, "one component, a day", f"{costs}?{day}{one}")
    ask(server, "one component, 30 days by the day", f"{costs}?{month}{one}&granularity=1d")
    ask(server, "1008 components, a day", f"{costs}?{day}")
    ask(server, "1008 components, 30 days", f"{costs}?{month}")
    ask(server, "1008 components, 30 days by the day", f"{costs}?{month}&granularity=1d")
    ask(server, "one component, recommendation, 30 days", f"{costs}/recommendations?{month}{one}")
    ask(server, "1008 components, recommendations, 30 days", f"{costs}/recommendations?{month}")
    ask(server, "sums by project, 30 days", f"/api/v1/costs?{month}&groupBy=project")
