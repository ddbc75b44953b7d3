"""OTLP receivers that hand to Kafka (--ingest-to kafka), with a real broker and
the embedded store behind it: what is acknowledged is stored once, while brokers
come and go, are killed, and requests are sent again; traces lie in the partition
of their id; what a tenant may write travels with its records, and nobody else
can claim it; messages have the size that the broker takes.
"""
import collections
import json
import os
import re
import subprocess
import tempfile
import threading
import time

import grpc

import kafka
from access_kit import UnixClient, make_token, row, write_tokens
from callboard import (NS, Client, Tap, attributes, count_logs, export, field, find_logs, log,
                       logs_request, otlp_json, otlp_proto, proto_fields, scope, seeded, span,
                       spans_request, stamped, wait_until)
from messages import Message

tap = Tap()
rng = seeded()
PARTITIONS = 6
FIRST_NS = time.time_ns() // NS * NS - 1800 * NS
numbers = iter(range(10**9))


def padding():
    return rng.randbytes(40).hex()


def new_message(kind=None, encoding=None):
    kind = kind or rng.choice(["traces", "logs", "metrics"])
    return Message(kind, next(numbers), "shop", FIRST_NS, encoding or rng.choice(["proto", "json"]))


def send_grpc(server, message):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        name = {"traces": "trace.v1.Trace", "logs": "logs.v1.Logs", "metrics": "metrics.v1.Metrics"}
        call = channel.unary_unary("/opentelemetry.proto.collector." + name[message.kind] + "Service/Export")
        return call(message.body(padding), timeout=30)


def all_there(server, messages, name, seconds=60):
    missing = list(messages)

    def none_missing():
        missing[:] = [m for m in missing if m.found(server) != 1]
        return not missing
    tap.check(wait_until(none_missing, seconds), name,
              [m.found(server) or f"{m.kind} {m.number}: lost" for m in missing[:3]])


# ---- what is in the topics ----


def murmur2(key):
    """As Kafka's clients hash keys."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(key)
    for at in range(0, len(key) - 3, 4):
        k = int.from_bytes(key[at:at + 4], "little") * m & mask
        h = h * m & mask ^ ((k ^ k >> 24) * m & mask)
    rest = key[len(key) // 4 * 4:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def spans_of(data):
    """The trace ids of the spans of a message."""
    for _, resource in proto_fields(data):
        for number, scope_spans in proto_fields_of(resource):
            if number == 2:
                for inner, one in proto_fields_of(scope_spans):
                    if inner == 2:
                        yield next(v for n, v in proto_fields_of(one) if n == 1)


def proto_fields_of(data):
    """Length-delimited fields; a span has fixed ones, too, which end the list of
    those that are looked at."""
    try:
        yield from proto_fields(data)
    except ValueError:
        return


def messages_of(broker, topic, partition, start):
    """The values of the messages from an offset on."""
    end = broker.end_offsets(topic)[partition]
    if end <= start:
        return []
    data = broker.kcat("-C", "-t", topic, "-p", str(partition), "-o", str(start), "-c",
                       str(end - start), "-e", "-f", "%S\n%s")
    values = []
    while data:
        size, _, data = data.partition(b"\n")
        values.append(data[:int(size)])
        data = data[int(size):]
    return values


def placement(broker, server):
    """300 traces of 10 spans in one request."""
    before = broker.end_offsets("otlp_spans")
    traces = [rng.randbytes(16) for _ in range(300)]
    now = time.time_ns()
    spans = [span(rng, now, trace_id=trace.hex()) for trace in traces for _ in range(10)]
    rng.shuffle(spans)
    tap.same(server.send("traces", spans_request(stamped("placed"), spans)).status, 200,
             "a request of 300 traces is taken")
    seen, wrong, count = collections.Counter(), [], []
    for partition in range(PARTITIONS):
        values = messages_of(broker, "otlp_spans", partition, before.get(partition, 0))
        count.append(len(values))
        for value in values:
            for trace in spans_of(value):
                seen[trace] += 1
                if (murmur2(trace.hex().encode()) & 0x7FFFFFFF) % PARTITIONS != partition:
                    wrong.append((partition, trace.hex()))
    tap.same((len(seen), set(seen.values())), (300, {10}), "all spans of it are in the topic")
    tap.same(wrong[:3], [], "each trace lies in the partition of its id")
    tap.check(max(count) == 1, "one message for each partition", count)


# ---- faults ----


class Load(threading.Thread):
    """Senders as SDKs are: what is not acknowledged is sent again, as it was."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.ended = server, threading.Event()
        self.sent, self.refused = [], 0

    def run(self):
        while not self.ended.is_set():
            message = new_message()
            body = message.body(padding)
            while self.send(message, body) != 200:
                self.refused += 1
                time.sleep(0.1)
            self.sent.append(message)

    def send(self, message, body):
        try:
            with Client(self.server.otlp_port, timeout=10) as client:
                return export(0, message.kind, body, message.encoding, client=client).status
        except OSError:  # its own deadline was shorter
            return 0

    def end(self):
        self.ended.set()
        self.join()
        return self.sent


def notes(server):
    return json.dumps(server.health()[1])


def broker_away(broker, server):
    broker.stop()
    message = new_message("logs", "proto")
    body = message.body(padding)

    def refused():
        answer = export(server.otlp_port, "logs", body)
        return answer.status == 503 and answer.headers.get("Retry-After")
    tap.check(wait_until(refused, 30), "without a broker requests are refused with 503 and Retry-After")
    tap.check(wait_until(lambda: "receivers cannot hand over" in notes(server), 30), "/health says so",
              notes(server))
    tap.check(export(server.otlp_port, "logs", body).status == 503, "and so is the next one")
    broker.start()
    tap.check(wait_until(lambda: export(server.otlp_port, "logs", body).status == 200, 60),
              "it goes on when the broker is back")
    all_there(server, [message], "what was refused and sent again is there once")
    tap.check(wait_until(lambda: "hand over" not in notes(server), 30), "/health is quiet again", notes(server))


def broker_killed(broker, server):
    loads = [Load(server) for _ in range(4)]
    for load in loads:
        load.start()
    for _ in range(3):
        had = sum(len(load.sent) for load in loads)
        wait_until(lambda: sum(len(load.sent) for load in loads) > had + 20, 60)
        broker.kill()
        time.sleep(rng.random())
        broker.start()
    had = sum(len(load.sent) for load in loads)
    wait_until(lambda: sum(len(load.sent) for load in loads) > had + 20, 60)
    sent = [message for load in loads for message in load.end()]
    all_there(server, sent, f"of {len(sent)} requests around three kills of the broker each is there once", 120)


# ---- tenants ----


def with_token(server, token, signal, request):
    with Client(server.otlp_port) as client:
        answer = client.request("POST", f"/v1/{signal}", otlp_json(signal, request),
                                {"Content-Type": "application/json", "Authorization": "Bearer " + token})
        return answer.status, json.loads(answer.body)


def logs_for(component, namespace, text):
    return logs_request(stamped(component, namespace=namespace), [log(time.time_ns(), text)])


def tenants(broker):
    """Two senders of one group of topics that belong to a third namespace."""
    tokens = {name: make_token() for name in ("acme", "beta", "query")}
    instance = kafka.Instance(broker, "tenants", "--auth", "required", "--ingest-to", "kafka",
                              "--kafka-namespace", "otlp_logs=other", "--seal-age", "200ms")
    path = os.path.join(instance.folder, "tokens.yaml")
    write_tokens(path, [row(tokens["acme"], "acme", role="ingest", namespace="acme"),
                        row(tokens["beta"], "beta", role="ingest", namespace="beta"),
                        row(tokens["query"], "q", role="viewer", namespace="*")])
    instance.options += ["--tokens", path]
    server = instance.start().server
    wait_until(lambda: with_token(server, tokens["acme"], "logs", {"resourceLogs": []})[0] == 200, 30)

    def found(component, namespace):
        with Client(server.query_port) as client:
            now = time.time_ns()
            answer = client.request("POST", "/api/v1/logs/query", json.dumps({
                "startTime": rfc(now - 600 * NS), "endTime": rfc(now + 600 * NS), "limit": 100,
                "searchScope": {"namespace": namespace, "project": "shop", "component": component,
                                "environment": "test"}}),
                {"Content-Type": "application/json", "Authorization": "Bearer " + tokens["query"]})
            return [entry["log"] for entry in json.loads(answer.body)["logs"]]

    def counter(name):
        client = UnixClient(os.path.join(instance.folder, "admin.sock"))
        client.request("GET", "/metrics")
        text = client.getresponse().read().decode()
        client.close()
        return sum(float(v) for v in re.findall(rf"^callboard_{name}(?:{{.*}})? (\S+)$", text, re.M))

    tap.same(with_token(server, tokens["acme"], "logs", logs_for("cart", "acme", "ours")), (200, {}),
             "a tenant's record is taken")
    status, answer = with_token(server, tokens["beta"], "logs", logs_for("cart", "acme", "not ours"))
    tap.check(status == 200 and answer.get("partialSuccess", {}).get("rejectedLogRecords") == "1" and
              "acme" in answer["partialSuccess"]["errorMessage"],
              "another tenant's is refused before it is in Kafka", answer)
    tap.check(wait_until(lambda: found("cart", "acme") == ["ours"], 30),
              "the tenant's is stored, although its topic is another namespace's", found("cart", "acme"))

    # A producer without the key: claims nothing, with a header or without.
    before = counter("kafka_signature_failures_total")
    forged = otlp_proto("logs", logs_for("cart", "acme", "forged"))
    honest = otlp_proto("logs", logs_for("cart", "other", "honest"))
    for header in ([], ["-H", "callboard=" + "A" * 60], ["-H", "callboard="]):
        write_one(broker, header, forged)
    write_one(broker, ["-H", "callboard=" + "B" * 20000], honest)
    tap.check(wait_until(lambda: found("cart", "other") == ["honest"], 30),
              "a message with a wrong signature is its topic's", found("cart", "other"))
    tap.same(found("cart", "acme"), ["ours"], "and cannot be another tenant's")
    tap.same(counter("kafka_signature_failures_total") - before, 3, "wrong signatures are counted")
    instance.stop()


def write_one(broker, header, value):
    """A file is one message, whatever bytes it has."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(value)
        file.flush()
        broker.kcat("-P", "-t", "otlp_logs", "-p", "0", *header, file.name)


def rfc(time_ns):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_ns // NS))


# ---- sizes ----


def sizes(broker):
    instance = kafka.Instance(broker, "sizes", "--ingest-to", "kafka", "--seal-age", "200ms",
                              "--kafka.producer.message.max.bytes", "30000").start()
    server = instance.server
    wait_until(lambda: server.send("logs", {"resourceLogs": []}).status == 200, 30)
    now = time.time_ns()
    texts = [f"line {i} " + padding() for i in range(1000)]
    before = server.counter("kafka_produced_messages_total")
    answer = server.send("logs", logs_request(stamped("sized"), [log(now + i, t) for i, t in enumerate(texts)]))
    tap.same(answer.status, 200, "a request larger than a message is taken")
    tap.check(server.counter("kafka_produced_messages_total") - before > 3, "as several messages")
    large = [log(now + 5000, "x" * 40000), log(now + 5001, "small")]
    answer = server.send("logs", logs_request(stamped("sized"), large), "json")
    partial = json.loads(answer.body).get("partialSuccess", {})
    tap.check(answer.status == 200 and partial.get("rejectedLogRecords") == "1" and
              "larger than a message" in partial.get("errorMessage", ""),
              "a record larger than a message is refused, and the sender told", answer.body)
    tap.check(wait_until(lambda: count_logs(server, "sized") == 1001, 30), "all others are there",
              count_logs(server, "sized"))
    instance.stop()


def refused_options(broker):
    for options, why in ((["--ingest-to", "disk"], "must be journal or kafka"),
                         (["--ingest-to", "kafka", "--kafka-topics-logs", "^otlp_.*"], "must name a topic"),
                         (["--ingest-to", "kafka", "--kafka.producer.acks", "1"], "cannot be changed"),
                         (["--kafka-key", "/no/such/file"], "kafka-key")):
        instance = kafka.Instance(broker, "refused", *options)
        try:
            instance.start()
            text = "it started"
            instance.stop()
        except kafka.callboard.DidNotStart:
            text = instance_log(instance)
        tap.check(why in text, f"{' '.join(options[-2:])} is refused", text[-300:])


def instance_log(instance):
    """The server object does not exist: the newest log of the folder of logs."""
    folder = kafka.callboard._log_folder()
    newest = max((os.path.join(folder, name) for name in os.listdir(folder)), key=os.path.getmtime)
    with open(newest, errors="replace") as file:
        return file.read()


def sdk(server):
    done = subprocess.run(["node", "sdk.mjs", f"http://127.0.0.1:{server.otlp_port}", "sdk", "50"],
                          stdout=subprocess.PIPE, check=True, timeout=60)
    sent = json.loads(done.stdout)
    tap.check(wait_until(lambda: len(find_logs(server, "sdk", logLevels=["WARN"])["logs"]) == 50, 30),
              "what an SDK sends arrives", sent if isinstance(sent, int) else len(done.stdout))
    answer = server.ask("/api/v1alpha1/traces/query", {
        "startTime": rfc(time.time_ns() - 3600 * NS), "endTime": rfc(time.time_ns() + 3600 * NS),
        "limit": 1000, "searchScope": scope("sdk")})
    tap.same((answer["total"], {one["spanCount"] for one in answer["traces"]}), (50, {2}),
             "each of its traces whole")


def tests():
    broker = kafka.Broker(partitions=PARTITIONS).start().make_topics()
    instance = kafka.Instance(broker, "ingest", "--ingest-to", "kafka", "--seal-age", "200ms").start()
    server = instance.server
    tap.check(wait_until(lambda: server.send("logs", {"resourceLogs": []}).status == 200, 30),
              "it takes requests when the broker has answered")
    messages = [new_message(kind, encoding) for kind in ("traces", "logs", "metrics")
                for encoding in ("proto", "json") for _ in range(10)]
    answers = [export(server.otlp_port, m.kind, m.body(padding), m.encoding) for m in messages]
    tap.same({a.status for a in answers}, {200}, "requests of all signals in both encodings are taken")
    over_grpc = [new_message(kind, "proto") for kind in ("traces", "logs", "metrics") for _ in range(5)]
    tap.same({send_grpc(server, m) for m in over_grpc}, {b""}, "and over gRPC")
    all_there(server, messages + over_grpc, "all of it arrives, once")
    again = new_message("logs", "proto")
    body = again.body(padding)
    tap.same([export(server.otlp_port, "logs", body).status for _ in range(3)], [200] * 3,
             "the same request three times")
    all_there(server, [again], "is there once")
    time.sleep(1)
    all_there(server, [again], "and stays so")
    placement(broker, server)
    sdk(server)
    broker_away(broker, server)
    broker_killed(broker, server)
    tap.same(instance.stop(), 0, "it stops")
    sizes(broker)
    tenants(broker)
    refused_options(broker)


kafka.run_tests(tap, tests)
