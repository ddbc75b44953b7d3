"""What waits in the broker, or blows up when it is unpacked, does not fill
Callboard's memory.

A backlog many times the memory limit is worked off under the limit, to a lag
of zero, and every record of it is stored once. Messages that are small in the
broker and large when they are unpacked are kept or become dead letters, also
those that librdkafka cannot unpack, and good ones behind them are taken.
"""
import os
import time

import kafka
from callboard import (Tap, count_logs, field, fixed64, number, stamped, text_attr,
                       wait_until)
from messages import stored

MIB = 1 << 20
MESSAGES = int(os.environ.get("MESSAGES", "20000" if os.environ.get("NIGHTLY") else "3000"))
PER_MESSAGE = 500
NUMBER = b"@@@@@@@@@@@@@@@@"
tap = Tap()


class Mould:
    """A message whose records get ever new numbers."""

    def __init__(self, component, text, count):
        now = time.time_ns() - 600 * 10**9
        resource = field(1, b"".join(text_attr(1, k, v) for k, v in stamped(component).items()))
        logs = b"".join(field(2, fixed64(1, now + i) + number(2, 9) + field(5, field(1, b"record " + NUMBER + text)))
                        for i in range(count))
        self.text = field(1, resource + field(2, logs)).replace(b"%", b"%%").replace(NUMBER, b"%016d")
        self.count, self.at = count, 0

    def next(self):
        first, self.at = self.at, self.at + self.count
        return self.text % tuple(range(first, self.at))


def follow(reader, count, seconds):
    """Waits until so many messages are taken and the lag is zero; (seconds it
    took or None, bytes of memory)."""
    began = time.monotonic()
    done = wait_until(lambda: reader.taken() >= count and reader.lag() == 0, seconds)
    return time.monotonic() - began if done else None, reader.server.memory()


def backlog(limit):
    broker = kafka.Broker(partitions=8).start().make_topics()
    producer = kafka.Producer(broker, compression__codec="zstd", batch__size="1000000")
    mould = Mould("backlog", b" of a backlog, " + os.urandom(60).hex().encode() * 2, PER_MESSAGE)
    size = 0
    for _ in range(MESSAGES):
        value = mould.next()
        size += len(value)
        producer.send("otlp_logs", value)
    producer.close()
    reader = kafka.Instance(broker, "backlog", "--memory-limit", f"{limit}MiB", "--seal-age", "1s").start()
    took, memory = follow(reader, MESSAGES, 300)
    tap.check(took is not None, f"a backlog of {size // MIB} MiB is worked off ({took or 0:.1f} s)",
              (reader.taken(), reader.lag(), reader.server.log()[-1500:]))
    tap.check(memory <= limit * MIB, f"in {memory // MIB} MiB, under a limit of {limit}")
    tap.check(reader.server.health()[0] == 200, "it is healthy")
    wanted = MESSAGES * PER_MESSAGE
    wait_until(lambda: stored([reader.server])["logs"] >= wanted, 30)
    tap.same(stored([reader.server])["logs"], wanted, "every record is stored, once")
    tap.same(reader.stop(), 0, "SIGTERM ends it with status 0")
    broker.stop()


def unpacked(limit):
    broker = kafka.Broker(partitions=4).start().make_topics()
    producer = kafka.Producer(broker, compression__codec="zstd", message__max__bytes="200000000",
                              batch__size="1000000")
    text = b" " + b"x" * 1000
    large = Mould("large", text, 25_000)
    larger = Mould("larger", text, 50_000)  # 50 MiB: beyond --max-body
    huge = Mould("huge", text, 110_000)  # beyond librdkafka's bound
    good = Mould("good", b"", 10)
    for _ in range(3):
        for mould in (large, larger, huge, good):
            producer.send("otlp_logs", mould.next())
            producer.flush()
    for partition in range(4):
        producer.send("otlp_logs", good.next(), partition=partition)
    producer.close()
    reader = kafka.Instance(broker, "unpacked", "--memory-limit", f"{limit}MiB", "--seal-age", "200ms",
                            "--max-body", "32MiB").start()
    took, memory = follow(reader, 16, 120)
    tap.check(took is not None, f"messages of 25, 50 and 110 MiB, unpacked, are passed ({took or 0:.1f} s)",
              (reader.taken(), reader.lag(), reader.server.log()[-1500:]))
    tap.check(memory <= limit * MIB, f"in {memory // MIB} MiB, under a limit of {limit}")
    letters = reader.counted("kafka_dead_letters_total")

    def total(component):
        return count_logs(reader.server, component)
    tap.same(total("good"), good.at, "good records among them are there")
    tap.same((total("large"), total("larger"), total("huge"), letters), (3 * 25_000, 0, 0, 6),
             "what --max-body allows is kept whole, the rest are dead letters")
    tap.same(sorted(one["reason"].split(":")[0].split(" (")[0] for one in reader.dead_letters()["deadLetters"]),
             3 * ["Decompression"] + 3 * ["larger than --max-body"], "each with its reason")
    tap.same(reader.stop(), 0, "SIGTERM ends it with status 0")
    broker.stop()


def main():
    backlog(96)
    backlog(256)
    unpacked(256)


kafka.run_tests(tap, main)
