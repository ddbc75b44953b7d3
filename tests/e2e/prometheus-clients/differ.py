"""Debian's Prometheus and Callboard, both without data, are asked the same:
status and body must be equal. What newer releases of Prometheus word in another
way than Debian's 2.42 is not in the list: mostly they name the parameter.
"""
import http.client
import os
import re
import socket
import subprocess
import time
import urllib.parse

from callboard import Server, Tap, new_folder, wait_until

tap = Tap()

Q = "query?query="
R = "query_range?query="
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# Paths under /api/v1.
GETS = [
    # times
    Q + "1&time=5", Q + "1&time=1.5", Q + "1&time=-1.5", Q + "1&time=1.23456", Q + "1&time=1435781451.781",
    Q + "1&time=2015-07-01T20:10:51.781Z", Q + "1&time=2020-01-01T00:00:00%2B02:00", Q + "1&time=1969-12-31T23:59:59Z",
    Q + "1&time=abc", Q + "1&time=%201", Q + "1&time=0x10", Q + "1&time=1s", Q + "1&time=2015-07-01",
    Q + "1&time=2015-07-01T20:10:51", Q + "1&time=2015-07-01t20:10:51z", Q + "1&time=2015-13-01T20:10:51Z",
    # values
    Q + "1e-7&time=5", Q + "-0.0&time=5", Q + "1e21&time=5", Q + "1e300&time=5", Q + "5e-324&time=5", Q + "NaN&time=5",
    Q + "-Inf&time=5", Q + "0.1%2B0.2&time=5", Q + "123456789012345678901&time=5", Q + '"a\\"b"&time=5',
    Q + '"%C3%A9"&time=5', R + "1e-7&start=0&end=2&step=1", R + "1e21&start=-1.5&end=0&step=0.5",
    R + "1/3&start=1.1&end=3&step=250ms", R + "NaN&start=0&end=0&step=1", R + "time()&start=0.001&end=0.1&step=0.033",
    Q + "api_none&time=5", Q + "api_none[5m]&time=5", R + "api_none&start=0&end=1&step=1",
    # durations
    R + "1&start=0&end=1&step=1m30s", R + "1&start=0&end=1&step=1h1d", R + "1&start=0&end=1&step=abc",
    R + "1&start=0&end=1", R + "1&start=0&end=1&step=", R + "1&start=0&end=1&step=0", R + "1&start=0&end=1&step=-1",
    R + "1&start=0&end=1&step=1e20", R + "1&start=0&end=1&step=1.5s", R + "1&start=0&end=1&step=1y2w3d4h5m6s7ms",
    Q + "1&timeout=abc&time=5", Q + "1&timeout=10s&time=5",
    # ranges
    "query_range", R + "1&end=1&step=1", R + "1&start=0&step=1", R + "1&start=x&end=1&step=1",
    R + "1&start=10&end=0&step=1", R + "1&start=0&end=11001&step=1", R + "1&start=0&end=11000&step=1",
    # expressions
    "query", Q + "sum(", Q + "1%2B", Q + "nope(1)", Q + "sum(1)", Q + "%7B%7D", Q + "x%7Ba=~%22*%22%7D",
    # lists
    "labels", "labels?start=abc", "labels?match[]=x", "labels?match[]=x&match[]=y&start=0&end=5", "label/job/values",
    "label/__name__/values?match[]=x", "series", "series?match[]=x",
    "series?match[]=x&start=abc", "series?match[]=x&end=abc", "metadata?metric=none",
    "query_exemplars?query=x", "query_exemplars?query=x&start=5&end=1",
    "query_exemplars?query=x&start=abc", "rules", "alerts", "targets", "alertmanagers", "targets/metadata?metric=x",
]
POSTS = [("query", "query=1&time=5"), ("query?query=2", "query=1&time=5"), ("query?query=2&time=5", ""),
         ("query", "query=%22a+b%22&time=5"), ("query_range", "query=1&start=0&end=1&step=1"), ("labels", "match[]=x"), ("labels", ""),
         ("series", "match%5B%5D=x&match%5B%5D=y"), ("series", ""), ("query_exemplars", "query=x")]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start_prometheus():
    folder, port = new_folder(), free_port()
    config = os.path.join(folder, "prometheus.yml")
    with open(config, "w") as file:
        file.write("global: {}\n")
    with open(os.path.join(folder, "log"), "wb") as log:
        child = subprocess.Popen(["prometheus", "--config.file=" + config, "--storage.tsdb.path=" + folder + "/data",
                                  f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    return child, port


def ask(port, prefix, path, form=None):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET" if form is None else "POST", prefix + "/api/v1/" + path.replace(" ", "%20").replace('"', "%22"),
                   form, {} if form is None else FORM)
    answer = client.getresponse()
    body = answer.read().decode()
    client.close()
    # Go escapes these in its errors.
    body = body.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&")
    return answer.status, body


def is_ready(port):
    try:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        client.request("GET", "/-/ready")
        return client.getresponse().status == 200
    except OSError:
        return False


def main():
    prometheus, port = start_prometheus()
    server = Server(os.path.join(new_folder(), "data"))
    try:
        assert wait_until(lambda: is_ready(port), 30), "Prometheus did not start"
        for path, form in [(path, None) for path in GETS] + POSTS:
            wanted, seen = ask(port, "", path, form), ask(server.query_port, "/prometheus", path, form)
            name = path if form is None else f"{path} with {form!r}"
            tap.check(seen == wanted, f"{urllib.parse.unquote(name)[:100]}",
                      f"{seen[0]} {seen[1][:600]}\nwanted {wanted[0]} {wanted[1][:600]}")
    finally:
        prometheus.terminate()
        prometheus.wait()
    tap.same(server.stop(), 0, "the server ends well")
    tap.end()


main()
