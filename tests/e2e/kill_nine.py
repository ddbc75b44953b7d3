"""kill -9 under load, again and again, and then a full comparison.

Senders remember what they sent in each request and what came of it. After
each kill the server starts again (some starts are killed as well, while the
journal is being read), and everything of that round is asked for, record by
record; at the end all rounds are, from blocks. A request that was answered
with 200 is there once; one without an answer is there once or not at all,
and never in part.

ROUNDS (20, or 200 with NIGHTLY=1) and SEED may be given.
"""
import os
import time

from callboard import (NS, DidNotStart, Server, Tap, around, log, logs_request, new_folder, scope, seeded,
                       stamped, wait_until)
from load import compare, compare_derived, join_senders, start_senders
from numbered import POINTS

ROUNDS = int(os.environ.get("ROUNDS", "200" if os.environ.get("NIGHTLY") else "20"))

tap = Tap()
rng = seeded()
replayed, blocks = [], []  # after each start: entries of the journal, blocks


def options_of(round_):
    age = rng.choice(["100ms", "200ms", "1s", "5m"])
    return ["--journal-max", "8MiB", "--seal-age", age]


def load_and_kill(server, round_):
    senders = start_senders(server, round_, rng)
    # A machine that is busy may not have come to anything by then.
    wait_until(lambda: any(r.acknowledged for s in senders for r in s.requests), 20)
    time.sleep(rng.uniform(0.1, 1.2))
    server.kill()
    return join_senders(senders), sum(s.other for s in senders)


def start_again(folder, options):
    """A start, after up to three that are killed on the way."""
    for _ in range(rng.choice([0, 0, 1, 3])):
        server = Server(folder, *options, wait=False)
        time.sleep(rng.uniform(0.0, 0.06))
        server.kill()
    return Server(folder, *options)


def one_round(folder, round_, server):
    requests, other = load_and_kill(server, round_)
    options = options_of(round_)
    server = start_again(folder, options)
    counters = server.counters()
    replayed.append(counters["journal_replayed_entries_total"])
    blocks.append(sum(v for name, v in counters.items() if name.startswith("stored_blocks")))
    wrong = compare(server, requests) + compare_derived(server, round_, requests)
    wrong += server.health()[1].get("notes", [])  # nothing is missing
    if other:
        wrong.append(f"{other} answers were neither 200 nor 503")
    good = sum(r.acknowledged for r in requests)
    tap.check(not wrong and good > 0,
              f"round {round_}: {good} of {len(requests)} requests acknowledged, all there once "
              f"({options[3]})", "\n".join(wrong[:20]) or "nothing was acknowledged")
    return server, requests


def stored_points(server):
    return server.counters()['stored_records{stream="metrics"}']


def old_records():
    """What was refused for its age stays out when the journal is read back,
    and what came with it is there once."""
    options = ["--retention-logs", "1d", "--retention-traces", "1d", "--retention-metrics", "1d",
               "--seal-age", "5m"]
    server = Server(new_folder(), *options)
    now = time.time_ns()
    old = now - 30 * 3600 * NS
    asked = {**around(now, 60 * 48), "searchScope": scope("old"), "limit": 10}
    answer = server.send("logs", logs_request(stamped("old"), [log(old, "too old"), log(now, "in time")]))

    def seen():
        return [one["log"] for one in server.ask("/api/v1/logs/query", asked)["logs"]]

    before = seen()
    server.kill()
    server = Server(server.folder, *options)
    after = seen()
    tap.check(answer.status == 200 and before == after == ["in time"] and
              server.counters()["journal_replayed_entries_total"] == 1,
              "a record that was refused for its age does not come back with the journal",
              (answer.status, before, after))
    tap.same(server.stop(), 0, "and it ends with status 0")


def stored_before():
    """A request of more than --journal-max, stored and then still in the journal of
    a killed process, does not keep the journal full."""
    options = ["--journal-max", "8MiB", "--seal-age", "200ms"]
    server = Server(new_folder(), *options)
    now = time.time_ns()
    text = rng.randbytes(9 << 19).hex()
    large = server.send("logs", logs_request(stamped("large"), [log(now, text[at:at + 32768])
                                                                for at in range(0, len(text), 32768)]))
    wait_until(lambda: server.counters()["journal_bytes"] == 0, 20)
    server.kill()
    server = Server(server.folder, *options)
    small = server.send("logs", logs_request(stamped("small"), [log(now, "comes later")]))
    tap.same((large.status, small.status), (200, 200), "what is stored does not fill the journal of the next start")
    tap.same(server.stop(), 0, "and it ends with status 0")


def main():
    old_records()
    stored_before()
    folder = new_folder()
    server = Server(folder, *options_of(0))
    rounds = []
    try:
        for round_ in range(ROUNDS):
            server, requests = one_round(folder, round_, server)
            rounds.append(requests)
    except DidNotStart as error:
        tap.check(False, "it starts again after a kill", str(error))
        tap.end()
    tap.check(sum(r > 0 for r in replayed) * 2 > ROUNDS and len(set(blocks)) * 2 > ROUNDS,
              f"kills met journals that were in use ({sum(map(int, replayed))} entries read back) "
              f"and stores that wrote ({int(blocks[-1])} blocks)", (replayed, blocks))
    tap.same(server.stop(), 0, "SIGTERM ends it with status 0")
    server = Server(folder)
    everything = [r for requests in rounds for r in requests]
    wrong = compare(server, everything)
    for round_, requests in enumerate(rounds):
        wrong += compare_derived(server, round_, requests)
    tap.check(not wrong, f"after all rounds, from blocks: {len(everything)} requests, all there once",
              "\n".join(wrong[:20]))
    points = sum(r.there for r in everything if r.kind == "metrics") * POINTS
    tap.same(stored_points(server), points, "as many points are stored as were found: none twice")
    tap.same(server.stop(), 0, "and it ends with status 0")
    tap.end()


main()
