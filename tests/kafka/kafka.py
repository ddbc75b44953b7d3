"""What the Kafka tests share: a real broker and a real Collector (by the
scripts beside this file), a producer, and Callboard as a consumer.

The producer is librdkafka through ctypes: idempotent, so that what it reports
as delivered is in the log once, even when the broker is killed meanwhile.
(kcat gives up then.) Its library is there because Callboard is linked to it.
"""
import atexit
import ctypes
import ctypes.util
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

import callboard  # noqa: E402

TOPICS = {"traces": "otlp_spans", "logs": "otlp_logs", "metrics": "otlp_metrics"}


class Unavailable(Exception):
    """A part of the test could not be had; the test fails and says so."""


def run_tests(tap, tests):
    """What is missing, or does not start, is a failure with a name."""
    try:
        tests()
    except Unavailable as error:
        tap.check(False, "broker and tools are there", str(error))
    except callboard.DidNotStart as error:
        tap.check(False, "it starts", str(error))
    tap.end()


def free_ports(count):
    """The first of so many ports in a row that nobody has now."""
    generator = random.Random()
    while True:
        first = generator.randrange(20000, 30000)
        taken = []
        try:
            for port in range(first, first + count):
                one = socket.socket()
                taken.append(one)
                one.bind(("127.0.0.1", port))
            return first
        except OSError:
            pass
        finally:
            for one in taken:
                one.close()


def script(name, *arguments, **environment):
    done = subprocess.run([os.path.join(HERE, name), *map(str, arguments)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, **environment})
    if done.returncode != 0:
        raise Unavailable(done.stderr.decode(errors="replace"))
    return done.stdout.decode()


def first_start(choose_ports, start):
    """Somebody else may be quicker to take a port that was free."""
    for last in (False, False, True):
        choose_ports()
        try:
            return start()
        except Unavailable:
            if last:
                raise


class Broker:
    """One node in a folder of its own. With a secret it has a second address,
    with TLS and users who have that password (broker.sh)."""

    def __init__(self, partitions=4, secret=None):
        self.folder = callboard.new_folder()
        self.secret = secret
        self.port = None
        self.partitions = partitions
        atexit.register(self.kill)

    def start(self):
        """Its address stays the same from the first start on."""
        if self.port:
            self._start()
        else:
            first_start(self._choose_port, self._start)
        return self

    def _start(self):
        secure = {"SECURE": "1", "SECRET": self.secret} if self.secret else {}
        script("broker.sh", "start", self.folder, self.port, PARTITIONS=str(self.partitions), **secure)

    def _choose_port(self):
        self.port = free_ports(3)
        self.address = f"127.0.0.1:{self.port}"
        self.secure_address = f"localhost:{self.port + 2}"
        shutil.rmtree(os.path.join(self.folder, "data"), ignore_errors=True)

    def stop(self):
        script("broker.sh", "stop", self.folder)

    def kill(self):
        if os.path.exists(os.path.join(self.folder, "pid")):
            script("broker.sh", "kill", self.folder)

    def tool(self, name, *arguments):
        return script("broker.sh", "tool", name, *arguments)

    def kcat(self, *arguments, data=None):
        return subprocess.run(["kcat", "-b", self.address, *arguments], input=data, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def make_topics(self, *names):
        """Topics appear when they are asked for; this waits for them."""
        for name in names or TOPICS.values():
            want = f'topic "{name}" with {self.partitions} partitions'
            if not callboard.wait_until(
                    lambda: want in self.kcat("-L", "-t", name).decode(), 20):
                raise Unavailable(f"no topic {name}")
        return self

    def end_offsets(self, topic):
        asked = [f"{topic}:{p}:-1" for p in range(self.partitions)]
        text = self.kcat("-Q", *[word for one in asked for word in ("-t", one)]).decode()
        return {int(p): int(offset)
                for p, offset in re.findall(r"\[(\d+)\] offset (\d+)", text)}

    def _groups(self, *arguments):
        return self.tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
                         "--bootstrap-server", self.address, *arguments)

    def rewind(self, group, to="--to-earliest"):
        """Sets the group's offsets back; nobody may be in it."""
        until = time.monotonic() + 30
        while True:
            text = self._groups("--group", group, "--reset-offsets", "--all-topics", to, "--execute")
            if "Error" not in text:
                return text
            if time.monotonic() > until:
                raise Unavailable(text)
            time.sleep(0.5)

    def committed(self, group):
        """(topic, partition) -> the group's offset."""
        text = self._groups("--group", group, "--describe")
        return {(topic, int(partition)): int(offset) for topic, partition, offset in
                re.findall(rf"^{re.escape(group)}\s+(\S+)\s+(\d+)\s+(\d+)", text, re.M)}


class Collector:
    """OTLP/HTTP on .proto_port becomes otlp_proto, on .json_port otlp_json."""

    def __init__(self, broker):
        self.folder = callboard.new_folder()
        self.broker = broker
        atexit.register(self.stop)

    def start(self):
        first_start(self._choose_ports, self._start)
        return self

    def _start(self):
        script("collector.sh", "start", self.folder, self.proto_port, self.broker.address)

    def _choose_ports(self):
        self.proto_port = free_ports(2)
        self.json_port = self.proto_port + 1

    def stop(self):
        if os.path.exists(os.path.join(self.folder, "pid")):
            script("collector.sh", "stop", self.folder)


class Instance:
    """A Callboard that reads from the broker into a folder of its own."""

    def __init__(self, broker, group, *options, member=None, session_ms=2000):
        self.broker, self.group, self.member = broker, group, member
        self.session_ms = session_ms
        self.folder = callboard.new_folder()
        self.options = list(options)
        self.server = None

    def consuming(self):
        settings = {"session.timeout.ms": str(self.session_ms), "heartbeat.interval.ms": "300",
                    "topic.metadata.refresh.interval.ms": "1000", "reconnect.backoff.max.ms": "500"}
        options = ["--kafka-brokers", self.broker.address, "--kafka-group", self.group]
        if self.member:
            options += ["--kafka-instance", self.member]
            settings["session.timeout.ms"] = "6000"
        for name, value in settings.items():
            options += ["--kafka." + name, value]
        return options

    def start(self, consume=True, wait=True):
        self.server = callboard.Server(self.folder, *self.options,
                                       *(self.consuming() if consume else []), wait=wait)
        return self

    def running(self):
        return self.server is not None and self.server.running()

    def kill(self):
        self.server.kill()

    def stop(self):
        return self.server.stop()

    def counted(self, name):
        """The sum of a counter over its labels."""
        return sum(value for key, value in self.server.counters().items()
                   if key == name or key.startswith(name + "{"))

    def taken(self):
        """Messages read since its last start."""
        return self.counted("kafka_messages_total")

    def lag(self):
        return self.counted("kafka_lag")

    def partitions(self):
        """How many it has been given."""
        return self.counted("kafka_partitions")

    def dead_letters(self, query="limit=1000"):
        return self.server.ask("/api/v1/dead-letters?" + query)


# ---- the producer ----

_COPY, _ANY = 2, -1
_QUEUE_FULL = -184


def _library():
    if not hasattr(_library, "loaded"):
        name = ctypes.util.find_library("rdkafka") or "librdkafka.so.1"
        try:
            library = ctypes.CDLL(name)
        except OSError as error:
            raise Unavailable(str(error)) from error
        pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
        for function, result, arguments in (
                ("conf_new", pointer, []),
                ("conf_set", ctypes.c_int, [pointer, text, text, text, size]),
                ("conf_set_dr_msg_cb", None, [pointer, pointer]),
                ("new", pointer, [ctypes.c_int, pointer, text, size]),
                ("topic_new", pointer, [pointer, text, pointer]),
                ("produce", ctypes.c_int, [pointer, ctypes.c_int32, ctypes.c_int, text, size,
                                           text, size, pointer]),
                ("last_error", ctypes.c_int, []),
                ("poll", ctypes.c_int, [pointer, ctypes.c_int]),
                ("outq_len", ctypes.c_int, [pointer]),
                ("topic_destroy", None, [pointer]),
                ("destroy", None, [pointer])):
            one = getattr(library, "rd_kafka_" + function)
            one.restype, one.argtypes = result, arguments
            setattr(_library, function, one)
        _library.loaded = library
    return _library


class Producer:
    """Sends; flush() returns when all of it is in the broker's log."""

    def __init__(self, broker, **settings):
        self.lib = _library()
        self.failed = 0
        conf = self.lib.conf_new()
        why = ctypes.create_string_buffer(200)
        for name, value in {"bootstrap.servers": broker.address, "enable.idempotence": "true",
                            "linger.ms": "5", "sticky.partitioning.linger.ms": "0",
                            "message.max.bytes": "10000000", "reconnect.backoff.ms": "50",
                            "reconnect.backoff.max.ms": "500", "log_level": "0",
                            **{k.replace("__", "."): v for k, v in settings.items()}}.items():
            if self.lib.conf_set(conf, name.encode(), value.encode(), why, 200) != 0:
                raise ValueError(why.value)
        kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int), ctypes.c_void_p)
        self.report = kind(self._delivered)
        self.lib.conf_set_dr_msg_cb(conf, ctypes.cast(self.report, ctypes.c_void_p))
        self.handle = self.lib.new(0, conf, why, 200)
        if not self.handle:
            raise Unavailable(why.value.decode())
        self.topics = {}

    def _delivered(self, _handle, message, _opaque):
        self.failed += message[0] != 0  # the error comes first in the message

    def send(self, topic, value, key=None, partition=_ANY):
        if topic not in self.topics:
            self.topics[topic] = self.lib.topic_new(self.handle, topic.encode(), None)
        while self.lib.produce(self.topics[topic], partition, _COPY, value, len(value),
                               key, len(key or b""), None) != 0:
            if self.lib.last_error() != _QUEUE_FULL:
                raise Unavailable(f"produce: error {self.lib.last_error()}")
            self.lib.poll(self.handle, 10)
        self.lib.poll(self.handle, 0)

    def flush(self, seconds=60):
        until = time.monotonic() + seconds
        while self.lib.outq_len(self.handle) > 0 and time.monotonic() < until:
            self.lib.poll(self.handle, 10)
        left = self.lib.outq_len(self.handle)
        if left or self.failed:
            raise Unavailable(f"{left} messages were not delivered, {self.failed} failed")

    def close(self):
        self.flush()
        for topic in self.topics.values():
            self.lib.topic_destroy(topic)
        self.lib.destroy(self.handle)
