"""An instance without a name is killed under load, another takes over, the
first comes back.

Nothing is lost. What it kept and had not told the broker is stored by both
(docs/kafka.md says so, and what to do); how much that was is printed. When it
comes back it begins behind what the other has kept meanwhile, so that no more
is stored twice.
"""
import threading
import time

import kafka
from callboard import NS, Tap, seeded, wait_until
from messages import Message

KINDS = ("traces", "logs", "metrics")
PARTITIONS = 12  # of all topics
tap = Tap()
rng = seeded()


class Sender:
    def __init__(self, broker):
        self.producer = kafka.Producer(broker)
        self.first_ns = time.time_ns() // NS * NS - 1800 * NS
        self.messages = []

    def send(self, count):
        for _ in range(count):
            message = Message(rng.choice(KINDS), len(self.messages), "handover", self.first_ns)
            self.producer.send(kafka.TOPICS[message.kind], message.body(lambda: "x" * 80))
            self.messages.append(message)
            time.sleep(0.004)
        self.producer.flush()


def look(servers, messages):
    """Of how many messages there is none, and more than one; what is wrong."""
    found = [[message.found(server) for server in servers] for message in messages]
    wrong = [one for row in found for one in row if isinstance(one, str)]
    times = [sum(row) for row in found if not any(isinstance(one, str) for one in row)]
    return times.count(0), sum(n > 1 for n in times), wrong


def has(instance, count):
    tap.check(wait_until(lambda: instance.partitions() == count, 60),
              f"it is given {count} partitions", instance.server.log()[-1500:])


def all_there(servers, messages):
    wait_until(lambda: look(servers, messages)[0] == 0, 60, 0.2)
    return look(servers, messages)


def run(broker):
    # Long enough that neither is missed because the machine is busy.
    a, b = (kafka.Instance(broker, "handover", "--seal-age", "200ms", session_ms=8000) for _ in "ab")
    sender = Sender(broker)
    a.start()
    b.start()
    has(a, PARTITIONS // 2)
    has(b, PARTITIONS // 2)
    load = threading.Thread(target=sender.send, args=(600,))
    load.start()
    wait_until(lambda: b.taken() > 100, 60)
    b.kill()
    load.join()
    has(a, PARTITIONS)
    b.start(consume=False)
    servers = [a.server, b.server]
    lost, twice, wrong = all_there(servers, sender.messages)
    tap.same((lost, wrong), (0, []), f"none of {len(sender.messages)} messages is lost, {twice} are stored by both")
    b.stop()

    b.start()
    has(a, PARTITIONS // 2)
    has(b, PARTITIONS // 2)
    sender.send(200)
    tap.same(all_there([a.server, b.server], sender.messages), (0, twice, []),
             "when it is back no more are stored twice, and none is lost")
    for one in (a, b):
        tap.same(one.stop(), 0, "SIGTERM ends it with status 0")


kafka.run_tests(tap, lambda: run(kafka.Broker().start().make_topics()))
