"""Kafka to Callboard under faults: each record of each message is there once.

A producer writes numbered messages (tests/kafka/messages.py) to a real broker
all the time, in both encodings and under all codecs, while a round's fault is
made: kill -9 of Callboard, of the broker, a rewound group, two instances that
take partitions from each other, poison, a message of the largest size. After
each round every message of it is asked for; after all of them everything is,
from blocks. Missing, in part, twice: all are failures.

ROUNDS (20, or 200 with NIGHTLY=1), SEED and FAULTS="kill rewind ..." may be
given.
"""
import base64
import os
import threading
import time

import kafka
from callboard import NS, DidNotStart, Tap, count_logs, rfc3339, seeded, stamped, wait_until
from callboard import field, fixed64, text_attr
from messages import Message, compare, stored
from numbered import LOGS, POINTS, SPANS

ROUNDS = int(os.environ.get("ROUNDS", "200" if os.environ.get("NIGHTLY") else "20"))
GROUP = "callboard-test"
KINDS = ("traces", "logs", "metrics")
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
CATCH_UP = 120  # seconds a round may need until all of it is there
FEW_POISON, MANY_POISON = 200, 10_000
LETTERS_KEPT = 10_000  # by the store
BIG_LOGS, BIG_TEXT = 18_000, 480

tap = Tap()
rng = seeded()


class Load(threading.Thread):
    """Sends numbered messages until it is ended."""

    first_ns = time.time_ns() // NS * NS - 1800 * NS
    numbers = iter(range(10**9))

    def __init__(self, broker, round_, rate=150):
        super().__init__(daemon=True)
        self.round, self.rate = round_, rate
        self.random = type(rng)(rng.getrandbits(64))
        self.producer = kafka.Producer(broker, compression__codec=self.random.choice(CODECS))
        self.messages = []
        self.ended = threading.Event()
        self.error = None

    def padding(self):
        return self.random.randbytes(40).hex()

    def send_one(self, partition=-1, kind=None):
        message = Message(kind or self.random.choice(KINDS), next(Load.numbers), f"k{self.round}",
                          Load.first_ns, self.random.choice(["proto", "json"]))
        self.producer.send(kafka.TOPICS[message.kind], message.body(self.padding),
                           key=message.trace_id.encode(), partition=partition)
        self.messages.append(message)

    def run(self):
        try:
            while not self.ended.is_set():
                self.send_one()
                time.sleep(self.random.expovariate(self.rate))
        except kafka.Unavailable as error:
            self.error = error

    def end(self):
        """All of it is in the log afterwards."""
        self.ended.set()
        self.join()
        if self.error:
            raise self.error
        self.producer.close()
        return self.messages


class Rig:
    """The broker, two instances of which the second mostly rests, and what was
    sent so far."""

    def __init__(self):
        self.broker = kafka.Broker(partitions=4).start().make_topics()
        options = ["--journal-max", "8MiB", "--seal-age", "200ms"]
        self.a = kafka.Instance(self.broker, GROUP, *options, member="a")
        self.b = kafka.Instance(self.broker, GROUP, *options, member="b")
        self.sent = []
        self.big = []
        self.poison = 0

    def both(self):
        return [i.server for i in (self.a, self.b) if i.running()]


rig = None


def wait_there(messages, servers):
    """Until they are there; what is missing or wrong in the end, as texts."""
    until = time.monotonic() + CATCH_UP
    missing = list(messages)
    while missing and time.monotonic() < until:
        missing, wrong = compare(servers, missing)
        if wrong:
            return wrong
        if missing:
            time.sleep(0.1)
    if missing:
        return [f"{m.kind} {m.number} ({m.encoding}): lost" for m in missing]
    time.sleep(0.2)
    missing, wrong = compare(servers, messages)
    return wrong + [f"{m.kind} {m.number}: gone again" for m in missing]


def compare_derived(servers, round_, messages):
    """Requests counted for the component of a round see a span taken twice."""
    wanted = sum(m.kind == "traces" for m in messages) * SPANS
    path = (f"/api/v1/components/acme/shop/k{round_}?environment=test"
            f"&startTime={rfc3339(Load.first_ns - 60 * NS)}&endTime={rfc3339(Load.first_ns + 3600 * NS)}")
    counted = 0
    for server in servers:
        answer = server.query(path)
        if answer.status == 200:
            counted += server.ask(path)["summary"]["requestCount"]
    return [] if counted == wanted else [f"round {round_}: {counted} requests derived of {wanted}"]


def hold(least, most):
    time.sleep(rng.uniform(least, most))


# ---- faults; each leaves A running, and B not ----


def fault_kill(_load):
    """kill -9 under load, also while it starts."""
    for _ in range(rng.choice([1, 2, 3])):
        hold(0.2, 0.9)
        rig.a.kill()
        for _ in range(rng.choice([0, 0, 1, 3])):
            rig.a.start(wait=False)
            hold(0.0, 0.1)
            rig.a.kill()
        rig.a.start()


def fault_backlog(load):
    """kill -9 while it works off what has waited."""
    rig.a.stop()
    for _ in range(600):
        load.send_one()
    load.producer.flush()
    for _ in range(rng.choice([3, 5])):
        rig.a.start()
        wait_until(lambda: rig.a.taken() > 0, 10, 0.005)
        hold(0.0, 0.08)
        rig.a.kill()
    rig.a.start()


def fault_restart(_load):
    """SIGTERM under load, twice; once it comes back as a new member."""
    for member in (None, "a"):
        hold(0.2, 0.6)
        if rig.a.stop() != 0:
            raise AssertionError("SIGTERM did not end it with status 0:\n" + rig.a.server.log()[-1500:])
        rig.a.member = member
        rig.a.start()
    hold(0.1, 0.3)


def fault_broker(_load):
    """The broker is killed and comes back."""
    hold(0.3, 0.8)
    rig.broker.kill()
    hold(0.0, 1.0)
    rig.broker.start()
    hold(0.3, 0.6)


def fault_broker_and_kill(_load):
    """Callboard is killed while the broker is away."""
    hold(0.3, 0.6)
    rig.broker.kill()
    hold(0.0, 0.3)
    rig.a.kill()
    rig.a.start()
    rig.broker.start()
    hold(0.3, 0.6)


def fault_rewind(_load):
    """The group's offsets are set back to the beginning."""
    hold(0.3, 0.6)
    rig.a.stop()
    time.sleep(0.1)
    rig.a.member = None
    rig.broker.rewind(GROUP)
    rig.a.member = "a"
    rig.a.start()
    hold(0.3, 0.6)


def given(instance, least):
    if not wait_until(lambda: instance.partitions() >= least, 30):
        raise AssertionError(f"it has {instance.partitions()} partitions after 30 s\n" +
                             instance.server.log()[-1500:])


def fault_swap(load):
    """A second instance comes, the first goes, comes back, the second goes."""
    hold(0.2, 0.5)
    rig.b.start()
    given(rig.b, 4)
    hold(0.2, 0.5)
    rig.a.stop()
    given(rig.b, 12)
    hold(0.2, 0.5)
    rig.a.start()
    given(rig.a, 4)
    hold(0.2, 0.5)
    rig.b.stop()
    given(rig.a, 12)
    alone(load)


def fault_kill_of_two(load):
    """Two share the partitions; each is killed and back before it is missed,
    the second also while it joins."""
    rig.b.start(wait=False)
    hold(0.0, 0.3)
    rig.b.kill()
    rig.b.start()
    given(rig.b, 4)
    for one in (rig.a, rig.b):
        hold(0.1, 0.5)
        one.kill()
        hold(0.0, 0.2)
        one.start()
    given(rig.a, 4)
    given(rig.b, 4)
    hold(0.1, 0.3)
    rig.b.stop()
    given(rig.a, 12)
    alone(load)


def alone(load):
    """A message in each partition that A takes by itself, so that it knows
    better than a group that is set back."""
    for kind in KINDS:
        for partition in range(rig.broker.partitions):
            load.send_one(partition, kind)


def poison(number):
    """What nobody can decode, in some ways; its number is at the end."""
    beginnings = [b'{"resourceLogs": [', b"\x0a\xff\xff\xff\xff\x7f", b"no OTLP at all", b"\x0a\x05\x08",
                  b'[{"traceId": "1", "id": "2"}]', b"\x00" * 2000]
    return beginnings[number % len(beginnings)] + b" poison %d" % number


def fault_poison(load):
    """Messages that nobody can decode, among good ones and empty ones, and a
    kill in the middle."""
    first = rig.poison
    rig.poison += FEW_POISON if first else MANY_POISON
    for number in range(first, rig.poison):
        load.producer.send(kafka.TOPICS[rng.choice(KINDS)], poison(number))
        if number % 50 == 0:
            load.send_one()
            load.producer.send(kafka.TOPICS[rng.choice(KINDS)], b"")
    hold(0.0, 0.2)
    rig.a.kill()
    rig.a.start()
    load.producer.flush()
    # Old ones leave the list while new ones come, so one look may see less.
    if not wait_until(lambda: letters_wrong() is None, CATCH_UP, 0.2):
        raise AssertionError(letters_wrong())


def letters_wrong():
    """What is wrong with the list of dead letters, as text, or None."""
    numbers, places, before = [], set(), ""
    while page := rig.a.dead_letters(f"limit=1000&bytes=4096{before}")["deadLetters"]:
        for one in page:
            text = base64.b64decode(one["bytes"])
            numbers.append(int(text.rsplit(b" ", 1)[1]))
            places.add((one["topic"], one["partition"], one["offset"]))
            if text != poison(numbers[-1]) or not one["reason"] or one["size"] != len(text):
                return f"not as it was sent, or without a reason: {one}"
        before = f"&before={page[-1]['id']}"
    wanted = min(rig.poison, LETTERS_KEPT)
    if len(numbers) == wanted == len(places) == len(set(numbers)):
        return None
    return (f"{rig.poison} sent, {len(numbers)} listed, of {len(set(numbers))} messages, "
            f"from {len(places)} places")


def fault_big(load):
    """A message of the largest size the broker takes."""
    number = next(Load.numbers)
    first = Load.first_ns - 600 * NS - len(rig.big) * NS
    component = f"big{number}"
    padding = rng.randbytes(BIG_TEXT // 2).hex()
    resource = field(1, b"".join(text_attr(1, k, v) for k, v in stamped(component).items()))
    logs = b"".join(field(2, fixed64(1, first + i) + field(5, field(1, f"big {i} {padding}")))
                    for i in range(BIG_LOGS))
    value = field(1, resource + field(2, logs))
    assert 9_000_000 < len(value) < 10_000_000, len(value)
    big = kafka.Producer(rig.broker, compression__codec="none")
    big.send("otlp_logs", value)
    big.close()
    rig.big.append((component, first))
    hold(0.1, 0.5)
    rig.a.kill()
    rig.a.start()


def big_wrong(servers):
    wrong = []
    for component, first in rig.big:
        def total():
            return sum(count_logs(s, component, startTime=rfc3339(first - 1000),
                                  endTime=rfc3339(first + BIG_LOGS + 1000)) for s in servers)
        wait_until(lambda: total() >= BIG_LOGS, CATCH_UP, 0.1)
        if total() != BIG_LOGS:
            wrong.append(f"{component}: {total()} of {BIG_LOGS} records")
    return wrong


FAULTS = {"kill": fault_kill, "backlog": fault_backlog, "swap": fault_swap, "broker": fault_broker,
          "restart": fault_restart, "rewind": fault_rewind, "poison": fault_poison,
          "kill-of-two": fault_kill_of_two, "big": fault_big, "broker-and-kill": fault_broker_and_kill}


def one_round(round_, name):
    began = time.monotonic()
    load = Load(rig.broker, round_)
    load.start()
    wrong = []
    try:
        FAULTS[name](load)
    except AssertionError as error:
        wrong.append(str(error))
    messages = load.end()
    if not rig.a.running():
        rig.a.start()
    # What B took meanwhile is asked for without taking more.
    if rig.b.running():
        rig.b.stop()
    rig.b.start(consume=False)
    servers = rig.both()
    wrong += wait_there(messages, servers)
    wrong += compare_derived(servers, round_, messages)
    if name == "big":
        wrong += big_wrong(servers)
    rig.b.stop()
    rig.sent.append(messages)
    tap.check(not wrong, f"round {round_}, {name}: {len(messages)} messages, all there once "
              f"({time.monotonic() - began:.1f} s)", "\n".join(wrong[:20]))


def final():
    tap.same(rig.a.stop(), 0, "SIGTERM ends it with status 0")
    committed = rig.broker.committed(GROUP)
    ends = {(topic, p): end for topic in kafka.TOPICS.values()
            for p, end in rig.broker.end_offsets(topic).items()}
    tap.same({k: committed.get(k) for k in ends}, ends,
             "the broker's offsets of the group, behind, are at the ends")
    rig.a.start(consume=False)
    rig.b.start(consume=False)
    servers = rig.both()
    everything = [m for messages in rig.sent for m in messages]
    missing, wrong = compare(servers, everything)
    wrong += [f"{m.kind} {m.number}: lost" for m in missing] + big_wrong(servers)
    for round_, messages in enumerate(rig.sent):
        wrong += compare_derived(servers, round_, messages)
    tap.check(not wrong, f"after all rounds, from blocks: {len(everything)} messages, all there once",
              "\n".join(wrong[:20]))
    count = {kind: sum(m.kind == kind for m in everything) for kind in KINDS}
    tap.same(stored(servers), {"traces": count["traces"] * SPANS,
                               "logs": count["logs"] * LOGS + len(rig.big) * BIG_LOGS,
                               "metrics": count["metrics"] * POINTS},
             "as many records are stored as were sent")



def main():
    global rig
    names = os.environ.get("FAULTS", "").split() or list(FAULTS)
    try:
        rig = Rig()
        rig.a.start()
        for round_ in range(ROUNDS):
            # All of them in each ten, the order drawn.
            if round_ % len(names) == 0:
                order = rng.sample(names, len(names))
            one_round(round_, order[round_ % len(names)])
        final()
        if rig.poison:
            tap.same(letters_wrong(), None, f"the newest of {rig.poison} dead letters are listed, each once, "
                     "with topic, partition, offset, reason and bytes")
    except kafka.Unavailable as error:
        tap.check(False, "broker and tools are there", str(error))
    except DidNotStart as error:
        tap.check(False, "it starts again", str(error))
    except OSError as error:  # nobody answers
        tap.check(False, "it runs on", f"{error}\n{rig.a.server.log()[-1500:]}")
    tap.end()


main()
