"""A running callboard with a little traffic of the shop in it.

    with Running("--cors-origins", "http://portal.example") as server:
        server.play()
        status, headers, body = server.ask("GET", "/health")

The traffic is the same at every run: seed and times are fixed, and lie in the
past of any clock.
"""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import callboard

START, END = "2025-01-15T08:00:00Z", "2025-01-15T08:20:00Z"
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Running:
    def __init__(self, *options):
        self.options = options
        self.credential = None  # value of the header Authorization

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="callboard-e2e-")
        self.said = open(os.path.join(self.folder, "said"), "w+")
        self.process = subprocess.Popen(
            [os.environ["CALLBOARD"], "serve", "--data-dir",
             os.path.join(self.folder, "data"), "--otlp-http", "127.0.0.1:0",
             "--otlp-grpc", "127.0.0.1:0", "--query", "127.0.0.1:0", *self.options],
            stdout=self.said, stderr=subprocess.STDOUT)
        ready = r"otlp_port=(\d+) query_port=(\d+) grpc_port=(\d+)"
        for _ in range(2400):
            found = re.search(ready, self.output())
            if found or self.process.poll() is not None:
                break
            time.sleep(0.05)
        if not found:
            self.__exit__()
            sys.exit("not ok 1 - the server did not start")
        self.otlp_port, self.port, self.grpc_port = map(int, found.groups())
        if engine := callboard.second_engine():
            engine.wait_taking(self.otlp_port)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if self.process.returncode != 0:
            print(self.output())
        self.said.close()
        shutil.rmtree(self.folder)

    def output(self):
        with open(self.said.name) as file:
            return file.read()

    def play(self):
        """Twenty minutes of the shop, with a rollout and a fault. One connection:
        which operations are kept of too many, and how long a late sample counts,
        depends on what arrives first."""
        subprocess.run(
            [os.environ["SHOPGEN"], "--otlp", f"127.0.0.1:{self.otlp_port}",
             "--start", START, "--duration", "20m", "--rate", "5",
             "--rollout", "8m", "--fault", "14m", "--no-pace", "--quiet", "--connections", "1"],
            check=True, timeout=600)
        self.rest("partition_jobs_waiting") # changes are stored apart from records

    def rest(self, *gauges, seconds=60):
        """Waits until these gauges are 0, those that there are."""
        until, rests = time.monotonic() + seconds, 0
        while rests < 2 and time.monotonic() < until:
            metrics = self.ask("GET", "/metrics")[2].decode()
            values = re.findall(rf"^callboard_(?:{'|'.join(gauges)}) (\d+)$", metrics, re.M)
            rests = 0 if any(map(int, values)) else rests + 1
            time.sleep(0.1)
        if rests < 2:
            print(f"# {' and '.join(gauges)} did not come to 0 in {seconds} s", flush=True)

    def wait_for_calls(self):
        """Until no call waits for its other end, and what was found is stored:
        calls counted between two questions change the second answer. To be used
        with a short --edge-wait."""
        self.rest("unpaired_spans", "partition_jobs_waiting")

    def send(self, path, document, credential=None):
        """OTLP/JSON; the answer's status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.otlp_port,
                                                timeout=120)
        headers = {"Content-Type": "application/json"}
        if credential:
            headers["Authorization"] = credential
        connection.request("POST", path, json.dumps(document), headers)
        status = connection.getresponse().status
        connection.close()
        callboard.settle()
        return status

    def ask(self, method, path, body=None, headers=None):
        """Status, headers (names in lower case) and the body's bytes. A body
        that is not bytes goes as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        # A browser sends no credential with a preflight.
        if self.credential and method != "OPTIONS":
            headers.setdefault("Authorization", self.credential)
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=120)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return (answer.status,
                {k.lower(): v for k, v in answer.getheaders()}, data)

    def ask_json(self, method, path, body=None):
        status, _, data = self.ask(method, path, body)
        return status, json.loads(data)


class Tap:
    """Prints one line for each thing tested; exit() at the end."""

    def __init__(self):
        self.count = self.bad = 0

    def check(self, good, name, *why):
        self.count += 1
        self.bad += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good:
            for line in why:
                print("#", str(line)[:2000])
        return good

    def same(self, got, want, name):
        return self.check(got == want, name, f"{got} instead of {want}")

    def exit(self):
        sys.exit(1 if self.bad or not self.count else 0)
