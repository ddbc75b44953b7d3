#!/usr/bin/env python3
"""make bench: the figures of docs/benchmarks.md, measured on this machine.

The release build serves on core 0, the shop (tests/shop) sends from core 1,
over OTLP/HTTP on loopback, 500 records a request. What counts is the CPU time
of the server (user and system, from /proc), so that a noisy neighbour moves
the figure little; the ratio against `zstd -1` is taken in the same run.

  bench.py [--quick] [SECTION]...   sections: start spans wild gzip logs metrics
                                    disk queries reads promql page grafana
                                    recovery kafka handover grpc access cli
                                    scale (RECORDS, PARTS of the environment)
"""
import argparse
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone

OUT = os.environ.get("OUT", "build/release")
CALLBOARD = os.path.join(OUT, "callboard")
SHOPGEN = os.path.join(OUT, "shopgen")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "e2e"))  # for the imports of sections
TICK = os.sysconf("SC_CLK_TCK")
ROWS = []


def row(name, value, unit, reach, good):
    ROWS.append((name, value, unit, reach, good))
    mark = "" if good is None else ("reached" if good else "NOT reached")
    print(f"{name:<58} {value:>12} {unit:<12} {reach:>16}  {mark}", flush=True)


class Server:
    def __init__(self, data, *options, ports=(4918, 4917, 9917),
                 connect=http.client.HTTPConnection):
        self.begin = time.monotonic()
        self.log = open(os.path.join(data, "stderr.log"), "ab")
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", CALLBOARD, "serve", "--data-dir", data,
             "--otlp-http", f"127.0.0.1:{ports[0]}",
             "--otlp-grpc", f"127.0.0.1:{ports[1]}",
             "--query", f"127.0.0.1:{ports[2]}",
             *options], stdout=subprocess.DEVNULL, stderr=self.log)
        self.otlp, self.query = (f"127.0.0.1:{p}" for p in ports[::2])
        self.connect = connect
        self.first_accepted = self.wait()
        self.wait_port(ports[1])

    def wait(self):
        """Seconds from exec to the first request that was accepted."""
        while time.monotonic() < self.begin + 120:
            try:
                c = self.connect(self.otlp, timeout=10)
                c.request("POST", "/v1/traces", b"",
                          {"Content-Type": "application/x-protobuf"})
                if (c.getresponse().status in (200, 401) and
                        self.process.poll() is None):
                    return time.monotonic() - self.begin
            except OSError:
                pass
            if self.process.poll() is not None:
                sys.exit("callboard ended; see its stderr.log")
            time.sleep(0.0005)
        sys.exit("callboard does not answer")

    def wait_port(self, port):
        """OTLP/gRPC opens after OTLP/HTTP."""
        while time.monotonic() < self.begin + 120:
            try:
                return socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                time.sleep(0.0005)
        sys.exit("callboard does not open its gRPC port")

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def cpu_exact(self):
        """In nanoseconds where cpu() counts ticks."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def memory(self, what="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(what + r":\s+(\d+)", f.read()).group(1)) / 1024

    def counters(self):
        return self.get("/metrics").decode()

    def counter(self, name):
        found = re.findall(rf"^callboard_{name}(?:{{.*}})? (\S+)$",
                           self.counters(), re.M)
        return sum(float(v) for v in found)

    def get(self, path):
        c = http.client.HTTPConnection(self.query, timeout=60)
        c.request("GET", path)
        r = c.getresponse()
        body = r.read()
        assert r.status == 200, (path, r.status, body[:300])
        return body

    def post(self, path, question):
        c = http.client.HTTPConnection(self.query, timeout=60)
        c.request("POST", path, json.dumps(question),
                  {"Content-Type": "application/json"})
        r = c.getresponse()
        body = r.read()
        assert r.status == 200, (path, r.status, body[:300])
        return json.loads(body)

    def stop(self, how=signal.SIGTERM):
        begin = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(60)
        self.log.close()
        return time.monotonic() - begin


def shop(server, *options, core="1"):
    target = server if isinstance(server, str) else server.otlp
    out = subprocess.run(["taskset", "-c", core, SHOPGEN, "--otlp", target,
                          "--no-pace", *options], check=True,
                         capture_output=True, text=True).stdout
    return {k: float(v) for k, v in re.findall(r"(\w+)=(\S+)", out)}


def disk(data):
    return sum(os.path.getsize(os.path.join(data, f))
               for f in os.listdir(data) if f.startswith("callboard.db"))


def zstd_seconds_per_byte(requests, *options):
    """CPU time that zstd -1 takes for the same bodies, one by one."""
    made = shop("zstd:1", "--requests", str(requests), "--signals", "traces",
                *options, core="0")
    return made["zstd_seconds"] / made["bytes"]


def load(name, reach, signal_name, key, requests, *options, db=None):
    """One load; CPU-seconds per record; the size on disk afterwards."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as data:
        server = Server(data)
        before = server.cpu()
        made = shop(server, "--signals", signal_name, "--requests",
                    str(requests), "--connections", "8", *options)
        time.sleep(1.5)
        cpu = server.cpu() - before
        peak = server.memory("VmHWM")
        server.stop()
        size = disk(data)
    rate = made[key] / cpu
    row(f"{name} per CPU-second", f"{rate / 1e3:.0f} k", "/s",
        f"{reach / 1e3:.0f} k", rate >= reach)
    row(f"{name}: resident memory, peak", f"{peak:.0f}", "MiB", "128",
        peak <= 128)
    row(f"{name}: bytes sent per record", f"{made['bytes'] / made[key]:.0f}",
        "B", "", None)
    row(f"{name}: wall-clock rate", f"{made[key] / made['seconds'] / 1e3:.0f} k",
        "/s", "", None)
    if db:
        row(f"{name}: on disk per record", f"{size / made[key]:.1f}", "B",
            str(db), size / made[key] <= db)
    return made, cpu


def section_start(n):
    times = []
    for _ in range(7):
        with tempfile.TemporaryDirectory() as data:
            server = Server(data)
            times.append(server.first_accepted)
            time.sleep(1)
            idle = server.memory()
            server.stop()
    ms = statistics.median(times) * 1e3
    row("start to first accepted request, empty", f"{ms:.1f}", "ms", "30",
        ms <= 30)
    row("resident memory, idle", f"{idle:.1f}", "MiB", "12", idle <= 12)


def section_spans(n):
    made, cpu = load("spans, plain", 500e3, "traces", "spans", n["spans"],
                     db=48)
    zstd = zstd_seconds_per_byte(20000)
    ratio = cpu / made["bytes"] / zstd
    row("spans, plain: CPU per byte, against zstd -1", f"{ratio:.2f}", "x",
        "3", ratio <= 3)


def section_wild(n):
    """Spans as careless senders make them: see tests/shop/wild.c."""
    options = ("--wild", "--shops", "10", "--pods", "3")
    made, cpu = load("spans, wild", 500e3, "traces", "spans", n["spans"],
                     *options, db=40)
    zstd = zstd_seconds_per_byte(20000, *options)
    ratio = cpu / made["bytes"] / zstd
    row("spans, wild: CPU per byte, against zstd -1", f"{ratio:.2f}", "x",
        "3", ratio <= 3)


def section_gzip(n):
    load("spans, gzip", 300e3, "traces", "spans", n["spans"], "--encoding",
         "gzip")


def section_grpc(n):
    """The same requests over HTTP and gRPC, large and small ones."""
    from grpc_load import Grpc, Http, send_all
    for spans, requests in ((500, n["spans"] // 200), (10, n["spans"] // 14)):
        rates = {}
        for way, port in ((Http, 4918), (Grpc, 4917)):
            with tempfile.TemporaryDirectory() as data:
                server = Server(data)
                before = server.cpu()
                send_all(way, port, spans, requests)
                time.sleep(1.5)
                rates[way] = spans * requests / (server.cpu() - before)
                row(f"spans over {way.__name__}, {spans} a request, "
                    "per CPU-second", f"{rates[way] / 1e3:.0f} k", "/s", "",
                    None)
                server.stop()
        ratio, reach = rates[Grpc] / rates[Http], 0.95 if spans > 100 else 1
        row(f"gRPC against HTTP, {spans} a request", f"{ratio:.2f}", "x",
            f"{reach}", ratio >= reach)


def section_access(n):
    """What credentials and TLS cost."""
    from access_load import measure
    measure(Server, row, n["spans"])


def section_logs(n):
    load("log records", 500e3, "logs", "logs", n["spans"] * 2, db=40)


def section_metrics(n):
    load("metric points", 500e3, "metrics", "points", n["points"], "--scrape",
         "1s")


def median_ms(ask, times=15):
    taken = []
    for i in range(times):
        begin = time.monotonic()
        ask(i)
        taken.append(time.monotonic() - begin)
    return statistics.median(taken) * 1e3


def section_queries(n):
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
        now = datetime.now(timezone.utc)
        made = shop(server, "--signals", "traces", "--requests",
                    str(n["stored"]), "--history", "2h", "--rate",
                    str(n["stored"] / 7200), "--connections", "8")
        logs = shop(server, "--signals", "logs", "--requests",
                    str(int(n["stored"] * 2.24)), "--history", "2h", "--rate",
                    str(n["stored"] * 2.24 / 7200), "--connections", "8")
        window = {"startTime": (now - timedelta(hours=3)).isoformat(),
                  "endTime": (now + timedelta(hours=1)).isoformat()}
        scope = {"namespace": "acme", "project": "shop"}
        listed = server.post("/api/v1alpha1/traces/query", {
            **window, "limit": 1000, "searchScope": scope})["traces"]
        ids = [t["traceId"] for t in listed[:: max(1, len(listed) // 15)]]

        def trace(i):
            answer = server.post(
                f"/api/v1alpha1/traces/{ids[i % len(ids)]}/spans/query",
                {**window, "limit": 1000, "searchScope": scope})
            assert answer["total"] > 0
        ms = median_ms(trace)
        row(f"trace by id, {made['spans'] / 1e6:.1f} M spans stored",
            f"{ms:.1f}", "ms", "3", ms <= 3)

        cart = {**scope, "component": "cart"}
        ms = median_ms(lambda i: server.post("/api/v1/logs/query", {
            **window, "limit": 100, "searchScope": cart}))
        row(f"newest 100 log records of a component, "
            f"{logs['logs'] / 1e6:.1f} M stored", f"{ms:.1f}", "ms", "10",
            ms <= 10)

        def words(i):
            answer = server.post("/api/v1/logs/query", {
                **window, "limit": 100, "searchScope": scope,
                "searchPhrase": "insert failed"})
            assert answer["total"] > 0
        ms = median_ms(words, 7)
        row(f"two-word search, {logs['logs'] / 1e6:.1f} M log records",
            f"{ms:.1f}", "ms", "100", ms <= 100)
        ms = median_ms(lambda i: server.post("/api/v1alpha1/traces/query", {
            **window, "limit": 100, "searchScope": cart}), 5)
        row("newest 100 traces of a component", f"{ms:.1f}", "ms", "", None)
        took = server.stop()
        row("SIGTERM to end, heads full", f"{took * 1e3:.0f}", "ms", "", None)
        times = []
        for _ in range(5):
            server = Server(data)
            times.append(server.first_accepted * 1e3)
            server.stop()
        ms = statistics.median(times)
        row("start to first accepted request, 2 M spans stored",
            f"{ms:.1f}", "ms", "30", ms <= 30)


LIMIT = ("--memory-limit", "64MiB")


def stored(what, count):
    """A folder filled by bench_reads, and a small server over it."""
    data = tempfile.mkdtemp(dir=os.environ.get("TMPDIR"))
    subprocess.run([os.path.join(OUT, "tests", "bench", "bench_reads"), data,
                    what, str(count)], check=True)
    return data, Server(data, *LIMIT)


def section_reads(n):
    """Limits bound the answer, not the data: lists over much, in 64 MiB."""
    now = datetime.now(timezone.utc)
    ask = {"startTime": (now - timedelta(hours=26)).isoformat(),
           "endTime": (now + timedelta(hours=1)).isoformat(),
           "searchScope": {"namespace": "acme", "project": "shop"}}
    cart = {"searchScope": {**ask["searchScope"], "component": "cart"}}
    traces, logs = "/api/v1alpha1/traces/query", "/api/v1/logs/query"
    spans = "/api/v1alpha1/traces/" + "1".zfill(32) + "/spans/query"
    words = {"searchWords": ["refused", "upstream"]}
    scale = n["stored"] / 285000
    for what, count, figures in (
            ("spans", int(10e6 * scale), (
                ("newest 20 traces of a component", traces,
                 {"limit": 20, **cart}, 10),
                ("newest 20 failed traces", traces,
                 {"limit": 20, "errorsOnly": True}, None),
                ("oldest 20 traces of a component", traces,
                 {"limit": 20, "sortOrder": "asc", **cart}, None),
                ("traces that took an hour (none)", traces,
                 {"limit": 20, "minDuration": "1h"}, None))),
            ("dense", int(10e6 * scale), (
                ("newest 20 traces of a component, in 20 min", traces,
                 {"limit": 20, **cart}, 10),
                ("oldest 20 traces of a component, in 20 min", traces,
                 {"limit": 20, "sortOrder": "asc", **cart}, None))),
            ("trace", int(1e6 * scale), (
                ("first page of one trace", spans, {"limit": 100}, 50),
                ("1000 spans of it with attributes", spans,
                 {"limit": 1000, "includeAttributes": True}, None))),
            ("logs", int(2e6 * scale), (
                ("newest 100 log records of a component", logs,
                 {"limit": 100, **cart}, None),
                ("two words, both in one of 5000", logs,
                 {"limit": 100, **words}, 20),
                ("two words, often together", logs,
                 {"limit": 100, "searchWords": ["refused", "peer"]}, 20)))):
        data, server = stored(what, count)
        for name, path, members, reach in figures:
            ms = median_ms(lambda i: server.post(path, {**ask, **members}), 5)
            row(f"{name}, {count / 1e6:.1f} M stored", f"{ms:.1f}", "ms",
                str(reach or ""),
                ms <= reach and not answer["errors"] if reach else None)
            for error in answer["errors"]:
                print(f"  refused: {error}")
        peak = server.memory("VmHWM")
        row(f"{what}: resident memory, peak", f"{peak:.0f}", "MiB", "64",
            peak <= 64)
        server.stop()
        shutil.rmtree(data)


def thousand_components(n, server):
    """24 h of 1008 components: 84 shops of 12. Number of spans."""
    return shop(server, "--shops", "84", "--pods", "1", "--signals",
                "traces,logs,metrics", "--scrape", "5m", "--history", "24h",
                "--duration", "24h", "--rate", str(n["stored"] / 86400),
                "--connections", "8")["spans"]


def section_promql(n):
    """A day of derived series of many components, by the engine alone."""
    components = max(1, n["stored"] // 285)
    program = os.path.join(OUT, "tests", "bench", "bench_series")
    data = tempfile.mkdtemp(dir=os.environ.get("TMPDIR"))
    subprocess.run([program, data, "fill", str(components), "25"], check=True)
    rate = "sum by (component) (rate(callboard_requests_total[5m]))"
    for mode, text, hours, target in (("query", rate, 24, 200),
                                      ("query", rate, 1, None),
                                      ("values", "component", 24, None)):
        lines = subprocess.run(
            ["taskset", "-c", "0", program, data, mode, text, str(hours)],
            check=True, capture_output=True, text=True).stdout
        times = [int(ms) for ms in re.findall(r"(\d+) ms CPU", lines)]
        row(f"{text}, {hours} h, {components} components", min(times),
            "ms", target if target else "",
            min(times) <= target if target else None)
    shutil.rmtree(data)


def section_page(n):
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
        now = datetime.now(timezone.utc)
        spans = thousand_components(n, server)
        window = ("environment=production&startTime="
                  + (now - timedelta(hours=24)).strftime("%Y-%m-%dT%H:%M:%SZ")
                  + "&endTime=" + now.strftime("%Y-%m-%dT%H:%M:%SZ"))

        def page(i):
            project = "shop" if i == 0 else f"shop-{i + 1}"
            answer = json.loads(server.get(
                f"/api/v1/components/acme/{project}/cart?{window}&step=5m"))
            assert answer["endpoints"], answer
        ms = median_ms(page, 25)
        row(f"component page, 24 h, 1008 components, {spans / 1e6:.1f} M spans",
            f"{ms:.1f}", "ms", "10", ms <= 10)
        ms = median_ms(lambda i: server.get(
            "/api/v1/components?namespace=acme&environment=production"), 5)
        row("list of 1008 components", f"{ms:.1f}", "ms", "", None)
        server.stop()


def section_cli(n):
    """The program from start to end, beside a server with an hour of the shop."""
    del n
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
        shop(server, "--history", "60m", "--duration", "60m", "--rate", "5")

        def start(*words):
            return median_ms(lambda i: subprocess.run(
                ["taskset", "-c", "1", CALLBOARD, *words], check=True,
                stdout=subprocess.DEVNULL), 41)
        ms = start("component", "shop/inventory", "-n", "acme", "-e", "production",
                   "-s", server.query)
        row("callboard component, from start to end", f"{ms:.1f}", "ms", "40",
            ms <= 40)
        ms = start("component", "shop/inventory", "-s", server.query)
        row("the same, the namespace is asked for", f"{ms:.1f}", "ms", "40", ms <= 40)
        row("callboard --version", f"{start('--version'):.1f}", "ms", "", None)
        server.stop()


def section_grafana(n):
    """Dashboards over 24 h: the sum of what Grafana requests for all panels,
    one request after the other."""
    boards = os.path.join(HERE, "..", "..", "dashboards")
    projects = ",".join(f"shop-{i}" for i in range(2, 13))
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
        spans = thousand_components(n, server)
        for name, reach in (("component", 150), ("overview", None),
                            ("project", None)):
            out = subprocess.run(
                ["taskset", "-c", "1", "node",
                 os.path.join(HERE, "dashboard_speed.mjs"),
                 "http://" + server.query, os.path.join(boards, name + ".json"),
                 "24", "11", "component=cart", "namespace=acme"]
                + ([f"project={projects}"] if name != "overview" else []),
                check=True, capture_output=True, text=True).stdout
            answer = json.loads(out)
            ms = answer["ms"]
            row(f"dashboard {name}, 24 h, 1008 components, "
                f"{spans / 1e6:.1f} M spans", f"{ms:.0f}", "ms",
                str(reach or ""),
                ms <= reach and not answer["errors"] if reach else None)
            for error in answer["errors"]:
                print(f"  refused: {error}")
        peak = server.memory("VmHWM")
        row("dashboards: resident memory, peak", f"{peak:.0f}", "MiB", "", None)
        server.stop()


def section_recovery(n):
    """kill -9 with 64 MiB in the journal that no block holds yet."""
    with tempfile.TemporaryDirectory() as data:
        server = Server(data, "--journal-max", "512MiB")
        sent = 0
        while server.counter("journal_bytes") < (64 << 20) and sent < 40:
            sent += 1
            shop(server, "--signals", "traces", "--requests", "2000",
                 "--seed", str(sent))
        held = server.counter("journal_bytes")
        accepted = server.counter("records_accepted_total")
        server.stop(signal.SIGKILL)
        server = Server(data, "--journal-max", "512MiB")
        ms = server.first_accepted * 1e3
        row(f"back after kill -9, {held / 1048576:.0f} MiB in the journal",
            f"{ms:.0f}", "ms", "200 per 64 MiB", ms <= 200 * held / (64 << 20))
        row("records acknowledged before the kill", f"{accepted:.0f}", "", "",
            None)
        server.stop()


def shop_messages(requests):
    """Bodies of export requests, one by one, of 500 spans each."""
    with tempfile.TemporaryDirectory() as folder:
        pipe = os.path.join(folder, "pipe")
        os.mkfifo(pipe)
        made = subprocess.Popen(
            [SHOPGEN, "--otlp", "file:" + pipe, "--no-pace", "--signals",
             "traces", "--connections", "1", "--history", "30m", "--requests",
             str(requests), "--rate", str(requests / 1800), "--quiet"],
            stdout=subprocess.DEVNULL)
        try:
            with open(pipe, "rb", buffering=1 << 20) as bodies:
                # A body is one field, that begins with number and length.
                while head := bodies.read(1):
                    length = shift = 0
                    while True:
                        head += bodies.read(1)
                        length |= (head[-1] & 127) << shift
                        shift += 7
                        if head[-1] < 128:
                            break
                    yield head + bodies.read(length)
        finally:
            made.kill()
            made.wait()


def kafka_lag(server):
    """Of the four partitions with spans; None until all of it is known."""
    lags = re.findall(r'^callboard_kafka_lag{topic="otlp_spans".*} (\S+)$',
                      server.counters(), re.M)
    return sum(map(float, lags)) if len(lags) == 4 else None


def caught_up(server):
    while kafka_lag(server) != 0:
        time.sleep(0.01)


def kafka_load(producer, messages, ended):
    """50 messages a second, until it is ended or there are no more."""
    begin = time.monotonic()
    for i, message in enumerate(messages):
        producer.send("otlp_spans", message)
        time.sleep(max(0, begin + i / 50 - time.monotonic()))
        if ended.is_set():
            return


def section_kafka(n):
    """A backlog of 500 spans a message, zstd, in a real broker, that shares
    core 1 with the producer; then kill -9 under a load of 25,000 spans/s."""
    sys.path.insert(0, os.path.join(HERE, "..", "kafka"))
    os.environ["CALLBOARD"] = CALLBOARD
    import kafka
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})
    broker = kafka.Broker(partitions=4).start().make_topics()
    producer = kafka.Producer(broker, compression__codec="zstd",
                              batch__size="1000000")
    size = 0
    for message in shop_messages(n["backlog"]):
        producer.send("otlp_spans", message)
        size += len(message)
    producer.flush()
    options = kafka.Instance(broker, "bench", member="bench").consuming()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as data:
        server = Server(data, *options)
        caught_up(server)
        seconds = time.monotonic() - server.begin
        time.sleep(1.5)
        spans = server.counter("records_accepted_total")
        rate = spans / server.cpu()
        row("spans from Kafka, zstd, per CPU-second", f"{rate / 1e3:.0f} k",
            "/s", "600 k", rate >= 600e3)
        row(f"backlog of {spans / 1e6:.1f} M spans: wall-clock rate",
            f"{spans / seconds / 1e3:.0f} k", "/s", "", None)
        peak = server.memory("VmHWM")
        row(f"backlog of {spans / 1e6:.1f} M spans, {size / 1e6:.0f} MB: "
            "memory, peak", f"{peak:.0f}", "MiB", "128", peak <= 128)
        ended = threading.Event()
        load = threading.Thread(target=kafka_load, args=(
            producer, shop_messages(n["spans"]), ended))
        load.start()
        time.sleep(3)
        begin = time.monotonic()
        server.stop(signal.SIGKILL)
        server = Server(data, *options)
        caught_up(server)
        row("kill -9 to caught up, 25 k spans/s coming",
            f"{(time.monotonic() - begin) * 1e3:.0f}", "ms", "", None)
        ended.set()
        load.join()
        server.stop()
    producer.close()
    broker.stop()
    os.sched_setaffinity(0, cores)


def handover(n, broker, name, *options):
    """CPU of a receiver that hands to Kafka. Another member of the group, whose
    name comes first, has the one partition of each topic, so the receiver reads
    nothing itself."""
    import kafka
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as other:
        reader = Server(other, *kafka.Instance(broker, "bench", member="a").consuming(),
                        ports=(4928, 4927, 9927))
        os.sched_setaffinity(reader.process.pid, {1})
        while reader.counter("kafka_partitions") < 3:
            time.sleep(0.05)
        server = Server(data, *kafka.Instance(broker, "bench", member="b").consuming(),
                        "--ingest-to", "kafka", *options, ports=(4938, 4937, 9937))
        time.sleep(3)  # the group has settled
        if server.counter("kafka_partitions") > 0:
            sys.exit("the receiver reads partitions")
        before = server.cpu()
        made = shop(server, "--signals", "traces", "--requests", str(n["spans"]), "--connections", "8",
                    *(["--wild"] if name == "wild" else []))
        time.sleep(1.5)
        rate = made["spans"] / (server.cpu() - before)
        row(f"{name} spans handed to Kafka per CPU-second", f"{rate / 1e3:.0f} k", "/s", "", None)
        row(f"{name}: bytes a message, before compression",
            f"{server.counter('kafka_produced_bytes_total') / server.counter('kafka_produced_messages_total'):.0f}",
            "B", "", None)
        server.stop()
        reader.stop()


def section_handover(n):
    """Receivers with --ingest-to kafka: what it costs until Kafka has it. All
    else is on core 1."""
    sys.path.insert(0, os.path.join(HERE, "..", "kafka"))
    os.environ["CALLBOARD"] = CALLBOARD
    import kafka
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {1})
    broker = kafka.Broker(partitions=1).start().make_topics()
    for name in ("plain", "wild"):
        handover(n, broker, name)
    broker.stop()
    os.sched_setaffinity(0, cores)


def section_scale(n):
    """Several instances over Kafka and ClickHouse. PARTS chooses;
    RECORDS are the log records that the queries meet."""
    import scale
    scale.measure(Server, shop, row, n, os.environ.get("PARTS", "plain wild log metric queries takeover").split())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("sections", nargs="*")
    args = parser.parse_args()
    n = {"spans": 140000, "points": 200000, "stored": 285000,
         "backlog": 1415000}
    if args.quick:
        n = {k: v // 10 for k, v in n.items()}
    known = [k[8:] for k in globals() if k.startswith("section_")]
    for name in args.sections or known:
        if name not in known:
            sys.exit(f"no section {name}; there are: {' '.join(known)}")
        globals()["section_" + name](n)
    missed = [r[0] for r in ROWS if r[4] is False]
    print(f"{len(ROWS)} figures, {len(missed)} not reached")


if __name__ == "__main__":
    main()
