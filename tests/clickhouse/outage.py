"""One instance whose ClickHouse does not answer, for its operator: receivers take
what is sent, /metrics and /health answer within the time of a scrape, lag
grows, queries say why, it stops; what was taken is stored afterwards, once."""
import os
import time

import kit
from callboard import NS, Tap, log, logs_request, new_folder, stamped, wait_until

SCRAPE_S = 10  # Prometheus' default
STOP_S = 15
RECORDS = 30

tap = Tap()


def send(server, first):
    """Whether all records were acknowledged."""
    now = time.time_ns()
    return all(server.send("logs", logs_request(stamped("cart"), [log(now - i * NS // 100, f"record {i}")]))
               .status == 200 for i in range(first, first + RECORDS))


def took(ask):
    """The answer, and the seconds until it."""
    begin = time.monotonic()
    return ask(), time.monotonic() - begin


def check_start(installation, one):
    tap.check(os.path.exists(os.path.join(one.folder, "admin.sock")),
              "a data folder is made, with the socket for the command line")
    place = installation.database.url().split("//")[1]
    tap.check(f"store       ClickHouse {place}" in one.server.log(), "the start says where signals are kept")
    tap.check(wait_until(lambda: send_one(one.server), 60), "receivers hand over")


def send_one(server):
    return server.send("logs", logs_request(stamped("cart"), [log(time.time_ns(), "ready")])).status == 200


def check_outage(installation, one):
    server = one.server
    known = server.counters()
    installation.database.proxy.set("hang")
    tap.check(wait_until(lambda: server.health()[0] == 503, 60), "/health says 503", server.health())
    tap.check(send(server, 0), "receivers take what is sent while ClickHouse hangs")
    tap.check(wait_until(lambda: one.lag() > 0, 60), "lag is shown")
    counters, seconds = took(server.counters)
    tap.check(seconds < SCRAPE_S, "/metrics answers within the time of a scrape", seconds)
    tap.check(counters.get('stored_records{stream="logs"}', 0) >= known['stored_records{stream="logs"}'],
              "and gives the sizes that were known last")
    status, seconds = took(lambda: server.ask("/api/v1/status"))
    tap.check(seconds < SCRAPE_S, "so does /api/v1/status", seconds)
    tap.same(status["system"]["journalMaxBytes"], 0, "which tells of no journal")
    answer = server.query("/api/v1/components/acme/shop/cart?environment=test")
    tap.check(answer.status == 503 and b"ClickHouse" in answer.body, "a query gets 503 and the reason", answer)
    code, seconds = took(lambda: one.stop())
    tap.same(code, 0, "it stops while ClickHouse hangs")
    tap.check(seconds < STOP_S, "within seconds", seconds)


def main():
    installation = kit.Installation(1, proxied=True)
    one = installation.instances[0]
    one.folder = os.path.join(new_folder(), "made")
    installation.start()
    check_start(installation, one)
    installation.settled()
    tap.check(wait_until(lambda: one.server.counters().get('stored_records{stream="logs"}', 0) > 0, 60),
              "what is stored is shown")
    before = installation.sql("SELECT count() FROM otel_logs")[0][0]
    check_outage(installation, one)
    installation.database.proxy.clear()
    one.start()
    tap.check(installation.settled(), "it goes on when ClickHouse is back")
    tap.same(installation.sql("SELECT count() FROM otel_logs")[0][0], before + RECORDS,
             "what was taken meanwhile is stored once")
    tap.same(installation.stop(), [0], "it stops")


if __name__ == "__main__":
    kit.run_tests(tap, main)
