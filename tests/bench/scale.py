"""Several instances over Kafka and ClickHouse, against the embedded store in turns:
CPU-seconds per record, two instances against one, queries, memory, disk, takeover;
and what one million spans a second would take, on paper.

Instances are pinned to core 0; senders, broker and database (tests/clickhouse/)
share core 1, and their CPU time is counted apart. Records stored for the queries
are RECORDS (of the environment; 1,000,000).
"""
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.environ.get("OUT", "build/release")
sys.path.insert(0, os.path.join(HERE, "..", "clickhouse"))
os.environ["OUT"] = os.path.abspath(OUT)
os.environ["CALLBOARD"] = os.path.join(os.path.abspath(OUT), "callboard")

import engine  # noqa: E402
import kit  # noqa: E402

PARTITIONS = 4
TURNS = 5
CONNECTIONS = 32  # to each instance
BUSY = ("--seal-age", "10s")  # blocks as large as those of a busy instance
PATIENCE_S = 900
LOG_REQUESTS = 1 / 3.1  # of users, for a log record
LIMIT_MIB = 256  # the default of --memory-limit
# name: signal, what the sender calls a record, table, options
KINDS = {
    "plain spans": ("traces", "spans", "otel_traces", ()),
    "wild spans": ("traces", "spans", "otel_traces", ("--wild", "--shops", "10", "--pods", "3")),
    "log records": ("logs", "logs", "otel_logs", ()),
    "metric points": ("metrics", "points", "otel_metrics_%", ("--scrape", "1s")),
}


def cpu_of(pid):
    """Seconds of CPU time of a process so far."""
    return time.clock_gettime(~pid << 3 | 2)


class Meter:
    """CPU time of processes, less what they take when nothing comes: who asks for
    changes twice a second does so all the more, the slower the machine is."""

    def __init__(self, pids):
        self.pids = pids
        self.idle = [0] * len(pids)
        self.begin()
        time.sleep(4)
        self.idle = [used / 4 for used in self.used()]
        self.begin()

    def begin(self):
        self.before, self.since = [cpu_of(pid) for pid in self.pids], time.monotonic()

    def used(self):
        seconds = time.monotonic() - self.since
        return [cpu_of(pid) - was - idle * seconds for pid, was, idle in zip(self.pids, self.before, self.idle)]


class Bench:
    """A broker, a database, and instances in groups of their own."""

    def __init__(self, Server, shop, row, n):
        self.Server, self.shop, self.row, self.n = Server, shop, row, n
        self.broker = kit.kafka.Broker(partitions=PARTITIONS).start()
        self.database = kit.Database().start()
        self.figures = {}  # for the paper
        self.groups = {}
        self.servers = []

    def pids(self):
        """Of the database and of the broker."""
        found = []
        for folder in (self.database.folder, self.broker.folder):
            with open(os.path.join(folder, "pid"), encoding="utf-8") as file:
                found.append(int(file.read()))
        return found

    def topics(self, name):
        return [f"{name}_{topic}" for topic in engine.TOPICS]

    def start_embedded(self, folder):
        ports = kit.kafka.free_ports(3)
        server = self.Server(folder, ports=range(ports, ports + 3))
        self.servers.append(server)
        server.wait_port(ports + 2)
        return server

    def start(self, name, group, folder, *options):
        """An instance that reads what was sent to `name`, into a database of the group."""
        self.broker.make_topics(*self.topics(name))
        ports = kit.kafka.free_ports(3)
        listed = ["--store", "clickhouse=" + self.database.url(group), "--kafka-brokers", self.broker.address,
                  "--kafka-group", group, *options, "--kafka.topic.metadata.refresh.interval.ms", "1000"]
        for topic, own in zip(engine.TOPICS, self.topics(name)):
            listed += [f"--kafka-topics-{topic}", own]
        os.makedirs(folder, exist_ok=True)
        server = self.Server(folder, *listed, ports=range(ports, ports + 3))
        self.servers.append(server)
        server.wait_port(ports + 2)
        return server

    def start_all(self, name, group, count, folder, *options):
        """Instances that have shared the partitions."""
        servers = [self.start(name, group, os.path.join(folder, str(i)), *options) for i in range(count)]
        wanted = PARTITIONS * len(engine.TOPICS)
        until = time.monotonic() + PATIENCE_S
        while True:
            self.check(servers)
            owned = [one.counter("kafka_partitions") for one in servers]
            if sum(owned) == wanted and min(owned) > 0:
                return servers
            if time.monotonic() > until:
                sys.exit(f"{group}: partitions are not shared: {owned}")
            time.sleep(0.05)

    @staticmethod
    def check(servers):
        for one in servers:
            if one.process.poll() is not None:
                with open(one.log.name, encoding="utf-8", errors="replace") as file:
                    sys.exit(f"an instance ended with {one.process.returncode}: " + file.read()[-2000:])

    def behind(self, name, group):
        if group not in self.groups:
            self.groups[group] = engine.Group(self.broker.address, group)
        return self.groups[group].behind(self.topics(name), PARTITIONS)

    def settle(self, name, group):
        until = time.monotonic() + PATIENCE_S
        while self.behind(name, group) != 0:
            if time.monotonic() > until:
                sys.exit(f"{group}: not all is stored after {PATIENCE_S} s")
            time.sleep(0.05)

    def sent(self, servers, kind, requests, seed):
        """Sends an equal part to each; numbers of records and of bytes."""
        signal, key, _, options = KINDS[kind]
        made = [None] * len(servers)

        def send(i):
            made[i] = self.shop(servers[i], "--signals", signal, "--requests", str(requests // len(servers)),
                                "--connections", str(CONNECTIONS), "--seed", str(seed * 10 + i), *options)
        threads = [threading.Thread(target=send, args=(i,)) for i in range(len(servers))]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return sum(one[key] for one in made), sum(one["bytes"] for one in made)


# ---- CPU ----


class Set:
    """Instances that work as one: `count` that receive, hand over, read and store,
    or, without a group, one with the embedded store."""

    def __init__(self, b, folder, group, count):
        self.b, self.group, self.records, self.bytes = b, group, 0, 0
        folder = os.path.join(folder, group or "embedded")
        os.makedirs(folder)
        self.servers = b.start_all(group, group, count, folder, *BUSY) if group else [b.start_embedded(folder)]

    def send(self, kind, requests, seed):
        records, size = self.b.sent(self.servers, kind, requests, seed)
        self.records += records
        self.bytes += size

    def settle(self):
        if self.group:
            self.b.settle(self.group, self.group)

    def stop(self):
        for one in self.servers:
            one.stop()


def in_turns(b, kind, requests, sets):
    """Sends to the sets in turns, so that what else the machine does is the same for
    all. Sets the rate, idle and peak of each; returns microseconds of CPU a record of
    those with a group, of the database and of the broker."""
    meter = Meter([one.process.pid for a_set in sets for one in a_set.servers])
    before = [cpu_of(pid) for pid in b.pids()]
    for turn in range(1, TURNS + 1):
        for a_set in sets:
            a_set.send(kind, requests // TURNS, turn)
    for a_set in sets:
        a_set.settle()
    time.sleep(1.5)
    took, idle = meter.used(), meter.idle
    for a_set in sets:
        count = len(a_set.servers)
        a_set.rate, a_set.idle = a_set.records / sum(took[:count]), idle[0]
        a_set.peak = max(one.memory("VmHWM") for one in a_set.servers)
        took, idle = took[count:], idle[count:]
    records = sum(a_set.records for a_set in sets if a_set.group)
    return [(cpu_of(pid) - was) / records * 1e6 for pid, was in zip(b.pids(), before)]


def stored_again(b, one, folder):
    """Another group reads the same topics and stores them: without receiving, from a
    backlog. Rate, microseconds of the database a record, MiB."""
    group = one.group + "_again"
    database, begin = cpu_of(b.pids()[0]), time.monotonic()
    server = b.start_all(one.group, group, 1, folder, *BUSY)[0]
    b.settle(one.group, group)
    rate = one.records / (server.cpu_exact() - one.idle * (time.monotonic() - begin))
    peak = server.memory("VmHWM")
    server.stop()
    return rate, (cpu_of(b.pids()[0]) - database) / one.records * 1e6, peak


def kafka_bytes(b, name):
    """What the topics take on the broker's disk."""
    total = 0
    for folder, _, files in os.walk(b.broker.folder):
        if os.path.basename(folder).startswith(name + "_"):
            total += sum(os.path.getsize(os.path.join(folder, one)) for one in files if one.endswith(".log"))
    return total


def disk(b, kind, name, records):
    """Bytes a record in the table, and in all tables."""
    sizes = b.database.rows("SELECT table, sum(bytes_on_disk), sum(rows), count() FROM system.parts "
                            f"WHERE active AND database = '{name}' GROUP BY table", database=name)
    like = KINDS[kind][2].rstrip("%")
    own = [one for one in sizes if (one[0].startswith(like) if like.endswith("_") else one[0] == like)]
    rows = sum(one[2] for one in own)
    if rows != records:
        print(f"  {rows:.0f} of {records:.0f} {kind} are in the database")
    return sum(one[1] for one in own) / records, sum(one[1] for one in sizes) / records


def section_cpu(b, kind, folder):
    signal, name = KINDS[kind][0], kind.replace(" ", "_")
    requests = b.n["points" if signal == "metrics" else "spans"] // 4
    counts = (1, 2) if signal == "traces" else (1,)
    sets = [Set(b, folder, None, 1)] + [Set(b, folder, f"{name}_{count}", count) for count in counts]
    database_us, broker_us = in_turns(b, kind, requests, sets)
    for a_set in sets:
        a_set.stop()
    base, one = sets[:2]
    again, insert_us, peak = stored_again(b, one, os.path.join(folder, "again"))
    stored, kafka = disk(b, kind, one.group, one.records), kafka_bytes(b, one.group) / one.records
    b.figures[kind] = {"rate": one.rate, "again": again, "idle": one.idle, "sent": one.bytes / one.records,
                       "kafka": kafka, "broker_us": broker_us, "insert_us": insert_us, "disk_all": stored[1]}
    ratio, rest = one.rate / base.rate, 1 / one.rate - 1 / again
    b.row(f"{kind} per CPU-second, embedded store", f"{base.rate / 1e3:.0f} k", "/s", "", None)
    b.row("  one instance: receive, hand over, read, store", f"{one.rate / 1e3:.0f} k", "/s", "", None)
    b.row("  against the embedded store", f"{ratio:.2f}", "x", "0.5", ratio >= 0.5)
    if signal == "traces":
        gain = 2 * sets[2].rate / one.rate
        b.row("  two instances, by CPU-seconds, against one", f"{gain:.2f}", "x", "1.8", gain >= 1.8)
    b.row("  read and store alone, later", f"{again / 1e3:.0f} k", "/s", "", None)
    b.row("  receive and hand over, the difference", f"{1e-3 / rest:.0f} k" if rest > 0 else "-", "/s", "", None)
    b.row("  CPU of ClickHouse a record; from a backlog", f"{database_us:.2f}; {insert_us:.2f}", "us", "", None)
    b.row("  CPU of the broker a record", f"{broker_us:.2f}", "us", "", None)
    b.row("  an idle instance, taken off", f"{one.idle * 100:.1f}", "% of a core", "", None)
    b.row("  memory of the instance, peak; backlog", f"{one.peak:.0f}; {peak:.0f}", "MiB", str(LIMIT_MIB),
          max(one.peak, peak) <= LIMIT_MIB)
    b.row("  bytes: sent; on Kafka's disk", f"{one.bytes / one.records:.0f}; {kafka:.0f}", "B", "", None)
    b.row("  bytes on ClickHouse's disk; all tables", f"{stored[0]:.1f}; {stored[1]:.1f}", "B", "", None)


# ---- queries ----


def alternate(asks, times):
    """Milliseconds (median), and CPU-milliseconds of the instance and of the
    database, for each of `asks`: (ask, server, pid of the database or None), by turns."""
    taken = [[] for _ in asks]
    cpu = [[0.0, 0.0] for _ in asks]
    for i in range(times + 1):
        for at, (ask, server, database) in enumerate(asks):
            before = server.cpu_exact(), cpu_of(database) if database else 0
            begin = time.monotonic()
            ask(server, i)
            if i > 0:  # the first makes caches
                taken[at].append(time.monotonic() - begin)
                cpu[at][0] += server.cpu_exact() - before[0]
                cpu[at][1] += cpu_of(database) - before[1] if database else 0
    return [(statistics.median(one) * 1e3, c[0] / times * 1e3, c[1] / times * 1e3) for one, c in zip(taken, cpu)]


def trips(server, ask):
    """Requests to ClickHouse for one answer."""
    before = server.counter("clickhouse_requests_total")
    ask(server, 1)
    return server.counter("clickhouse_requests_total") - before


def round_trip_ms(b):
    def ask():
        begin = time.monotonic()
        b.database.sql("SELECT 1", database="default")
        return time.monotonic() - begin
    return statistics.median(ask() for _ in range(25)) * 1e3


def questions(now, ids):
    day = {"startTime": (now - timedelta(hours=25)).isoformat(), "endTime": (now + timedelta(hours=1)).isoformat()}

    def last(**ago):
        return ("environment=production&startTime=" + (now - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ") +
                "&endTime=" + now.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def page(server, i):
        project = "shop" if i == 0 else f"shop-{i + 1}"
        answer = json.loads(server.get(f"/api/v1/components/acme/{project}/cart?{last(hours=24)}&step=5m"))
        assert answer["endpoints"], answer

    def trace(server, i):
        answer = server.post(f"/api/v1alpha1/traces/{ids[i % len(ids)]}/spans/query", {
            **day, "limit": 1000, "searchScope": {"namespace": "acme"}})
        assert answer["total"] > 0, answer

    def newest(server, _):
        answer = server.post("/api/v1/logs/query", {**day, "limit": 100, "searchScope": {
            "namespace": "acme", "project": "shop", "component": "cart"}})
        assert len(answer["logs"]) == 100, answer

    def listed(server, _):  # not the last minutes before the answer: loading takes longer, they are empty
        answer = json.loads(server.get(f"/api/v1/components?namespace=acme&{last(minutes=15)}"))
        assert any(one["requestRate"] for one in answer["components"]), answer["components"][0]

    return {"component page, 24 h, 1008 components": (page, 25), "trace by id": (trace, 15),
            "newest 100 log records of a component": (newest, 15), "list of 1008 components": (listed, 5)}


def filled(b, server):
    """A day of 1008 components, and RECORDS log records of a shop within it."""
    spans = b.shop(server, "--shops", "84", "--pods", "1", "--signals", "traces,logs,metrics", "--scrape",
                   "5m" if b.n["stored"] > 100000 else "1h", "--history", "24h", "--duration", "24h", "--rate",
                   str(b.n["stored"] / 86400), "--connections", "32")["spans"]
    requests = int(b.records * LOG_REQUESTS)
    logs = b.shop(server, "--signals", "logs", "--requests", str(requests), "--history", "24h", "--rate",
                  str(requests / 86400), "--connections", "32")["logs"]
    return spans, logs


def parts_at_rest(b, database):
    """Waits until ClickHouse has merged what it merges by itself; number of parts. A
    query takes longer the more parts there are."""
    last, since, until = None, time.monotonic(), time.monotonic() + PATIENCE_S
    while time.monotonic() < min(since + 10, until):
        now = (b.database.value("SELECT count() FROM system.merges", database=database),
               b.database.value("SELECT count() FROM system.parts WHERE active AND "
                                f"database = '{database}'", database=database))
        if now != last or now[0] > 0:
            last, since = now, time.monotonic()
        time.sleep(0.5)
    return last[1]


def section_queries(b):
    now = datetime.now(timezone.utc)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        own = os.path.join(folder, "own")
        os.mkdir(own)
        first = b.start_embedded(own)
        spans, logs = filled(b, first)
        second = b.start_all("day", "day", 1, folder)[0]
        filled(b, second)
        b.settle("day", "day")
        stored = parts_at_rest(b, "day")
        found = first.post("/api/v1alpha1/traces/query", {
            "startTime": (now - timedelta(hours=25)).isoformat(), "endTime": now.isoformat(), "limit": 1000,
            "searchScope": {"namespace": "acme"}})["traces"]
        ids = [one["traceId"] for one in found[:: max(1, len(found) // 15)]]
        with open(os.path.join(b.database.folder, "pid"), encoding="utf-8") as file:
            database = int(file.read())
        trip = round_trip_ms(b)
        b.row(f"a round trip to ClickHouse; {spans / 1e6:.1f} M spans, {logs / 1e6:.1f} M log records", f"{trip:.1f}",
              "ms", "", None)
        b.row("  parts of all tables, merged as far as ClickHouse does by itself", f"{stored}", "", "", None)
        for name, (ask, times) in questions(now, ids).items():
            try:
                one, two = alternate([(ask, first, None), (ask, second, database)], times)
            except AssertionError as error:
                print(f"  {name}: {str(error)[:300]}")
                b.row(name, "failed", "", "", False)
                continue
            count = min(trips(second, ask) for _ in range(3))  # others ask for changes meanwhile
            reach = 3 * one[0] + count * trip
            b.row(f"{name}: embedded store", f"{one[0]:.1f}", "ms", "", None)
            b.row(f"  ClickHouse (3 times and {count:.0f} round trips)", f"{two[0]:.1f}", "ms", f"{reach:.1f}", two[0] <= reach)
            b.row("  CPU: embedded store; instance + ClickHouse", f"{one[1]:.1f}; {two[1]:.1f} + {two[2]:.1f}", "ms",
                  "", None)
        b.row("  memory, peak: embedded store; instance", f"{first.memory('VmHWM'):.0f}; {second.memory('VmHWM'):.0f}",
              "MiB", str(LIMIT_MIB), second.memory("VmHWM") <= LIMIT_MIB)
        first.stop()
        second.stop()


# ---- takeover ----


def section_takeover(b):
    """kill -9 of one of two under a load that the other receives: seconds until as
    little waits as before."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        victim, other = b.start_all("kill", "kill", 2, folder)
        program = os.path.join(OUT, "shopgen")
        load = subprocess.Popen(["taskset", "-c", "1", program, "--otlp", other.otlp, "--history", "0s", "--rate",
                                 "300", "--signals", "traces,logs", "--quiet"], stdout=subprocess.DEVNULL)
        try:
            usual, until = 0, time.monotonic() + 12
            while time.monotonic() < until:
                usual = max(usual, b.behind("kill", "kill"))
                time.sleep(0.1)
            victim.process.kill()
            victim.process.wait()
            begin, most = time.monotonic(), 0
            while True:
                taken = other.counter("kafka_partitions") == PARTITIONS * len(engine.TOPICS)
                waiting = b.behind("kill", "kill")
                most = max(most, waiting)
                seconds = time.monotonic() - begin
                if (taken and 0 <= waiting <= usual) or seconds > 120:
                    break
                time.sleep(0.1)
        finally:
            load.kill()
            load.wait()
        b.row("kill -9 to caught up, 2,100 spans/s coming", f"{seconds:.1f}", "s", "15", seconds < 15)
        b.row("  messages that waited, before; at most", f"{usual}; {most}", "", "", None)
        b.figures["takeover"] = seconds
        other.stop()


# ---- on paper ----


def wire_bytes():
    """Compressed bytes of a wild span on its way to ClickHouse."""
    program = os.path.join(OUT, "tests", "bench", "bench_ch_write")
    if not os.path.exists(program):
        return None
    text = subprocess.run([program, "wild"], check=True, capture_output=True, text=True).stdout
    return float(re.search(r"compressed +([\d.]+)", text).group(1))


def paper(b, spans=1e6, cores=4, busy=0.5):
    """What so many wild spans a second take by the measured figures."""
    f = b.figures["wild spans"]
    used = spans / f["rate"]
    instances = math.ceil(used / busy / cores)
    partitions = 3 * instances
    # a block of a partition: 100,000 rows or 2 s
    blocks = max(spans / 100e3, partitions / 2)
    inserts = 3 * blocks  # otel_traces, otel_traces_trace_id_ts, callboard_series
    wire = wire_bytes()
    print(f"\nOn paper, {spans / 1e6:g} M wild spans a second:")
    for what, value in (
            ("CPU of instances", f"{used:.1f} cores"),
            (f"instances of {cores} cores, {busy:.0%} busy", f"{instances}"),
            ("partitions of otlp_spans", f"{partitions}"),
            ("received", f"{spans * f['sent'] / 1e6:.0f} MB/s"),
            ("into Kafka, each replica", f"{spans * f['kafka'] / 1e6:.0f} MB/s"),
            ("CPU of brokers", f"{spans * f['broker_us'] / 1e6:.1f} cores"),
            ("into ClickHouse, compressed", f"{spans * wire / 1e6:.0f} MB/s" if wire else "not measured"),
            ("blocks; inserts, which are parts", f"{blocks:.0f}; {inserts:.0f} a second"),
            ("CPU of ClickHouse, inserts and merges", f"{spans * f['insert_us'] / 1e6:.1f} cores"),
            ("ClickHouse's disk, a day, each replica", f"{spans * f['disk_all'] * 86400 / 1e12:.1f} TB")):
        print(f"  {what:<44} {value}")


def measure(Server, shop, row, n, parts):
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    b = Bench(Server, shop, row, n)
    b.records = int(os.environ.get("RECORDS", "1000000"))
    try:
        for part in parts:
            kinds = [kind for kind in KINDS if kind.startswith(part + " ")]
            if kinds:
                with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
                    section_cpu(b, kinds[0], folder)
            else:
                {"queries": section_queries, "takeover": section_takeover}[part](b)
        if "wild spans" in b.figures:
            paper(b)
    finally:
        for one in b.servers:
            one.process.kill()
        b.database.stop()
        b.broker.stop()
        os.sched_setaffinity(0, cores)
