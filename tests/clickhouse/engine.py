#!/usr/bin/env -S python3 -B
"""Runs any script of tests/e2e/ on the second engine: servers that it starts
keep their records in ClickHouse, and take them through Kafka.

    python engine.py run SCRIPT [ARGUMENT...]      (STORE=clickhouse of run-all.sh)
    python engine.py settle                        waits; see below

The script finds bin/callboard and bin/shopgen as its CALLBOARD and SHOPGEN. The
first adds to `serve` the options of the engine: each data folder has a database,
topics and a group of its own, so a server that is started again on a folder
finds what was there. With the embedded engine a query finds what was
acknowledged; here it is found when its block is stored. So whatever sends
(bin/shopgen, export() of callboard.py, send() of running.py) calls settle(),
which waits until all that is in the topics of running servers is committed as
stored.
"""
import ctypes
import hashlib
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TOPICS = ("traces", "logs", "metrics")
PATIENCE_S = 300


def folder():
    return os.environ["SECOND_ENGINE"]


def state():
    with open(os.path.join(folder(), "engine.json"), encoding="utf-8") as file:
        return json.load(file)


# ---- servers ----


def value_of(arguments, name, default):
    """Of an option; the last one counts, as for the program."""
    found = default
    for at, one in enumerate(arguments):
        if one == name and at + 1 < len(arguments):
            found = arguments[at + 1]
        elif one.startswith(name + "="):
            found = one[len(name) + 1:]
    return found


def key_of(data_dir):
    return "e" + hashlib.sha1(os.path.realpath(data_dir).encode()).hexdigest()[:10]


def options(engine, key):
    listed = ["--store", f"clickhouse=http://127.0.0.1:{engine['port']}/{key}",
              "--kafka-brokers", engine["broker"], "--kafka-group", key, "--seal-age", "100ms",
              "--kafka.session.timeout.ms", "6000", "--kafka.heartbeat.interval.ms", "300",
              "--kafka.topic.metadata.refresh.interval.ms", "1000"]
    for topic in TOPICS:
        listed += [f"--kafka-topics-{topic}", f"{key}_{topic}"]
    return listed


def make_topics(engine, key):
    """They appear when they are asked for."""
    for topic in TOPICS:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            seen = subprocess.run(["kcat", "-b", engine["broker"], "-L", "-t", f"{key}_{topic}"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            if f"with {engine['partitions']} partitions".encode() in seen:
                break
            time.sleep(0.05)


def serve(arguments):
    """Becomes the server."""
    engine = state()
    given = arguments[1:] if arguments[:1] == ["serve"] else arguments
    key = key_of(value_of(given, "--data-dir", os.environ.get("CALLBOARD_DATA_DIR", "./callboard-data")))
    make_topics(engine, key)
    with open(os.path.join(folder(), f"server-{os.getpid()}"), "w", encoding="utf-8") as file:
        file.write(key)
    os.execv(engine["callboard"], [engine["callboard"], "serve", *options(engine, key), *given])


# ---- what is stored ----


class _Partition(ctypes.Structure):
    """rd_kafka_topic_partition_t"""
    _fields_ = [("topic", ctypes.c_char_p), ("partition", ctypes.c_int32), ("offset", ctypes.c_int64),
                ("metadata", ctypes.c_void_p), ("metadata_size", ctypes.c_size_t), ("opaque", ctypes.c_void_p),
                ("err", ctypes.c_int), ("private", ctypes.c_void_p)]


class _List(ctypes.Structure):
    _fields_ = [("count", ctypes.c_int), ("size", ctypes.c_int), ("at", ctypes.POINTER(_Partition))]


class Group:
    """The offsets of a consumer group, asked for without being in it."""
    _library = None

    def __init__(self, broker, group):
        if not Group._library:
            Group._library = ctypes.CDLL("librdkafka.so.1")
            for name, result, arguments in (
                    ("conf_new", ctypes.c_void_p, []),
                    ("conf_set", ctypes.c_int, [ctypes.c_void_p] + [ctypes.c_char_p] * 3 + [ctypes.c_size_t]),
                    ("new", ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
                    ("destroy", None, [ctypes.c_void_p]),
                    ("topic_partition_list_new", ctypes.POINTER(_List), [ctypes.c_int]),
                    ("topic_partition_list_add", ctypes.c_void_p,
                     [ctypes.POINTER(_List), ctypes.c_char_p, ctypes.c_int32]),
                    ("topic_partition_list_destroy", None, [ctypes.POINTER(_List)]),
                    ("committed", ctypes.c_int, [ctypes.c_void_p, ctypes.POINTER(_List), ctypes.c_int]),
                    ("query_watermark_offsets", ctypes.c_int,
                     [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.POINTER(ctypes.c_int64),
                      ctypes.POINTER(ctypes.c_int64), ctypes.c_int])):
                function = getattr(Group._library, "rd_kafka_" + name)
                function.restype, function.argtypes = result, arguments
        conf, why = self._library.rd_kafka_conf_new(), ctypes.create_string_buffer(200)
        for name, value in (("bootstrap.servers", broker), ("group.id", group), ("log_level", "0")):
            self._library.rd_kafka_conf_set(conf, name.encode(), value.encode(), why, 200)
        self.handle = self._library.rd_kafka_new(1, conf, why, 200)

    def close(self):
        self._library.rd_kafka_destroy(self.handle)

    def behind(self, topics, partitions):
        """Messages that are not committed."""
        lib, asked, count = self._library, self._library.rd_kafka_topic_partition_list_new(8), 0
        for topic in topics:
            for partition in range(partitions):
                lib.rd_kafka_topic_partition_list_add(asked, topic.encode(), partition)
        error = lib.rd_kafka_committed(self.handle, asked, 5000)
        low, high = ctypes.c_int64(), ctypes.c_int64()
        for at in range(asked.contents.count):
            one = asked.contents.at[at]
            if lib.rd_kafka_query_watermark_offsets(self.handle, one.topic, one.partition, ctypes.byref(low),
                                                    ctypes.byref(high), 5000) != 0:
                error = 1
            count += high.value - (one.offset if one.offset >= 0 else low.value)
        lib.rd_kafka_topic_partition_list_destroy(asked)
        return count if error == 0 else -1


_groups = {}


def running():
    """The keys of servers that run."""
    keys = set()
    for name in os.listdir(folder()):
        if name.startswith("server-"):
            try:
                os.kill(int(name[7:]), 0)
                with open(os.path.join(folder(), name), encoding="utf-8") as file:
                    keys.add(file.read())
            except (ProcessLookupError, FileNotFoundError):
                pass
    return keys


def settle(seconds=PATIENCE_S):
    """True when all that was acknowledged is stored."""
    engine, until = state(), time.monotonic() + seconds
    for key in running():
        if key not in _groups:
            _groups[key] = Group(engine["broker"], key)
        while _groups[key].behind([f"{key}_{topic}" for topic in TOPICS], engine["partitions"]) != 0:
            if time.monotonic() > until:
                print(f"# {key} has not stored all after {seconds} s", flush=True)
                return False
            time.sleep(0.02)
        merge(key)
    return True


def merge(database):
    """Parts of callboard_series are merged now, not between two queries: sums of
    durations are rounded, so their last digit may change with it."""
    url = f"http://127.0.0.1:{state()['port']}/?database={database}"
    with urllib.request.urlopen(url, b"OPTIMIZE TABLE callboard_series FINAL", timeout=PATIENCE_S) as answer:
        answer.read()


def wait_taking(port, seconds=PATIENCE_S):
    """Until the receiver hands over to Kafka: it says 503 before."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", "/v1/logs", b"{}", {"Content-Type": "application/json"})
            if connection.getresponse().status != 503:
                return True
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    return False


# ---- a script ----


class Engine:
    """Broker and database, and the environment of scripts on them."""

    def __init__(self, partitions=2):
        import kit
        self.broker = kit.kafka.Broker(partitions=partitions).start()
        warm = kit.kafka.Producer(self.broker) # its coordinator is loaded then
        warm.send("warm", b"")
        warm.close()
        self.database = kit.Database().start()
        kept = kit.callboard.new_folder()
        with open(os.path.join(kept, "engine.json"), "w", encoding="utf-8") as file:
            json.dump({"broker": self.broker.address, "partitions": partitions, "port": self.database.port,
                       "callboard": os.environ["CALLBOARD"], "shopgen": os.environ["SHOPGEN"]}, file)
        self.environment = {**os.environ, "SECOND_ENGINE": kept, "SETTLE": os.path.abspath(__file__),
                            "CALLBOARD": os.path.join(HERE, "bin", "callboard"),
                            "SHOPGEN": os.path.join(HERE, "bin", "shopgen")}

    def run(self, *command):
        return subprocess.run(command, env=self.environment).returncode

    def run_for(self, answers, *command):
        """Whose answers are written to a folder."""
        return subprocess.run(command, env={**self.environment, "ANSWERS": answers}).returncode


def main():
    action, *arguments = sys.argv[1:]
    if action == "run":
        sys.path.insert(0, HERE)
        sys.exit(Engine().run(*arguments))
    if action == "serve":
        serve(arguments)
    elif action == "shopgen":
        wait_taking(int(value_of(arguments, "--otlp", ":4318").rsplit(":", 1)[1]))
        code = subprocess.run([state()["shopgen"], *arguments]).returncode
        sys.exit(code or not settle())
    elif action == "settle":
        sys.exit(not settle())


if __name__ == "__main__":
    main()
