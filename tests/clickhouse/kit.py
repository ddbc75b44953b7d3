"""What the ClickHouse tests share: a database (server.sh), faults before it
(faults.py), and an installation: instances of Callboard over one broker and one
database."""
import atexit
import json
import os
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
for _folder in ("../e2e", "../kafka", "."):
    sys.path.insert(0, os.path.join(HERE, _folder))

import callboard  # noqa: E402
import engine  # noqa: E402
import faults  # noqa: E402
import kafka  # noqa: E402

Unavailable = kafka.Unavailable
run_tests = kafka.run_tests


class Refused(Exception):
    """An answer of ClickHouse other than 200."""

    def __init__(self, status, code, text):
        super().__init__(f"{status}: {text}")
        self.status, self.code, self.text = status, code, text


class Database:
    """ClickHouse on a port that stays the same over restarts, with a folder of
    its own; `proxy` makes faults, and is what url() names once it was used."""

    def __init__(self, *options):
        self.folder = callboard.new_folder()
        self.options = options
        self.port = None
        self._proxy = None
        atexit.register(self.kill)

    def start(self):
        if self.port:
            self._start()
        else:
            kafka.first_start(self._choose_port, self._start)
        return self

    def _choose_port(self):
        self.port = kafka.free_ports(1)
        shutil.rmtree(os.path.join(self.folder, "data"), ignore_errors=True)

    def _start(self):
        kafka.script(os.path.join(HERE, "server.sh"), "start", self.folder, self.port, *self.options)

    def stop(self):
        kafka.script(os.path.join(HERE, "server.sh"), "stop", self.folder)

    def kill(self):
        if os.path.exists(os.path.join(self.folder, "pid")):
            kafka.script(os.path.join(HERE, "server.sh"), "kill", self.folder)

    @property
    def proxy(self):
        if not self._proxy:
            self._proxy = faults.Proxy(self.port).start()
        return self._proxy

    def url(self, database="callboard"):
        return f"http://127.0.0.1:{self._proxy.port if self._proxy else self.port}/{database}"

    def sql(self, text, data=None, database="callboard", headers=None, port=None, **settings):
        """The bytes of the answer. With data the text is a parameter, as an INSERT has it."""
        given = {"database": database, **settings}
        if data is not None:
            given["query"] = text
        request = urllib.request.Request(
            f"http://127.0.0.1:{port or self.port}/?" + urllib.parse.urlencode(given),
            text.encode() if data is None else data, headers or {})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            code = int(error.headers.get("X-ClickHouse-Exception-Code") or 0)
            raise Refused(error.code, code, error.read().decode(errors="replace")) from None

    def rows(self, text, **more):
        """The rows of a SELECT, as lists."""
        return [json.loads(line) for line in
                self.sql(text + " FORMAT JSONCompactEachRow", **{
                    "output_format_json_quote_64bit_integers": 0, **more}).splitlines()]

    def value(self, text, **more):
        return self.rows(text, **more)[0][0]


class Installation:
    """Instances in one group: .instances, each a kafka.Instance with .server. They
    reach the database by its proxy if `proxied`. Options are those of serve, of
    all instances."""

    def __init__(self, count=2, *options, partitions=4, proxied=False, name="callboard", session_ms=2000,
                 broker=None, database=None):
        self.broker = broker or kafka.Broker(partitions=partitions).start()
        self.database = database or Database().start()
        if proxied:
            self.database.proxy.clear()
        self.name = name
        self.broker.make_topics()
        self.instances = [
            kafka.Instance(self.broker, name, "--store", "clickhouse=" + self.database.url(name),
                           "--seal-age", "200ms", *options, session_ms=session_ms) for _ in range(count)]
        self._group = None

    def start(self):
        """The first one makes the tables."""
        for one in self.instances:
            one.start()
        return self

    def stop(self):
        """The exit statuses."""
        return [one.stop() for one in self.instances if one.running()]

    def running(self):
        return [one for one in self.instances if one.running()]

    def behind(self):
        """Messages that are not stored; -1: the broker does not say."""
        if not self._group:
            self._group = engine.Group(self.broker.address, self.name)
        return self._group.behind(kafka.TOPICS.values(), self.broker.partitions)

    def settled(self, seconds=60):
        """Waits until all that was acknowledged is stored; false: it is not."""
        return callboard.wait_until(lambda: self.behind() == 0, seconds)

    def sql(self, text, **more):
        return self.database.rows(text, database=self.name, **more)
