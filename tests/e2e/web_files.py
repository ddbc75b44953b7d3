"""The page at /ui/, as the daemon serves it: the files of web/dist byte for byte,
how browsers may keep them, what they may load, and what needs no credential.
"""
import glob
import gzip
import http.client
import json
import os
import re
import subprocess
import urllib.parse

from running import END, START, TOP, Running, Tap

DIST = os.path.join(TOP, "web", "dist")
PAGES = ["", "component", "project", "logs", "traces", "trace", "cause", "reports", "report", "changes", "catalog",
         "status", "signin"]
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
GZIP = {"Accept-Encoding": "gzip"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
         "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
tap = Tap()


def contents(name):
    with open(os.path.join(DIST, name), "rb") as file:
        return file.read()


def check_headers(name, headers, kind, caching):
    want = {"content-type": TYPES[kind], "cache-control": caching, "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer", "content-security-policy": POLICY, "vary": "Accept-Encoding"}
    tap.same({k: headers.get(k) for k in want}, want, f"headers of {name}")


def check_file(server, path, name, caching):
    """As gzip, inflated, HEAD, and not again."""
    status, headers, body = server.ask("GET", path, None, GZIP)
    tap.check(status == 200 and headers.get("content-encoding") == "gzip" and gzip.decompress(body) == contents(name),
              f"{path} is {name}, compressed", status, headers)
    check_headers(path, headers, name.rsplit(".", 1)[-1], caching)
    etag, size = headers.get("etag"), headers["content-length"]
    status, headers, body = server.ask("GET", path)
    tap.check(status == 200 and "content-encoding" not in headers and body == contents(name) and
              headers.get("etag") == etag, f"{path} for a client without gzip", status, headers)
    status, headers, body = server.ask("GET", path, None, {**GZIP, "If-None-Match": etag})
    tap.check(status == 304 and body == b"" and headers.get("etag") == etag and headers["cache-control"] == caching,
              f"{path} is not sent again", status, headers)
    status, headers, body = server.ask("HEAD", path, None, GZIP)
    tap.check(status == 200 and body == b"" and headers["content-length"] == size, f"HEAD {path}", status, headers)


def check_files(server):
    index = "no-cache"
    check_file(server, "/ui/", "index.html", index)
    for page in PAGES[1:]:
        status, headers, body = server.ask("GET", f"/ui/{page}?ns=acme&to=now", None, GZIP)
        tap.check(status == 200 and gzip.decompress(body) == contents("index.html") and
                  headers["cache-control"] == index, f"/ui/{page} is the same page", status, headers)
    for path in sorted(glob.glob(os.path.join(DIST, "assets", "*"))):
        name = "assets/" + os.path.basename(path)
        check_file(server, "/ui/" + name, name, "public, max-age=31536000, immutable")


def check_connection(server):
    """One connection for all of it, whatever is found."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.connect()
    socket = connection.sock
    asset = os.path.basename(glob.glob(os.path.join(DIST, "assets", "*.js"))[0])
    for method, path, want in (("GET", "/ui/", 200), ("GET", "/ui/assets/gone-AAAAAAAA.js", 404), ("HEAD", "/ui/", 200),
                               ("GET", "/ui/nowhere", 404), ("HEAD", "/ui/assets/" + asset, 200),
                               ("GET", "/ui/assets/..%2findex.html", 404), ("GET", "/ui/assets/", 404),
                               ("POST", "/ui/", 405), ("GET", "/ui/assets/" + asset, 200)):
        connection.request(method, path)
        answer = connection.getresponse()
        answer.read()
        tap.same((answer.status, connection.sock is socket), (want, True), f"{method} {path}, the connection stays")
    connection.request("GET", "/ui/assets/gone-AAAAAAAA.js", None, GZIP)
    answer = connection.getresponse()
    answer.read()
    tap.same(answer.getheader("Cache-Control"), "no-store", "an asset that is not there may come later")
    connection.close()


def check_prefix(server):
    """Behind https://host/some/prefix/ every address leads back to the server."""
    found = re.findall(rb'(?:src|href)="([^"]*)"', contents("index.html"))
    prefix = "https://host/some/prefix"
    for address in found:
        paths = {urllib.parse.urljoin(f"{prefix}/ui/{page}", address.decode()) for page in PAGES}
        path = paths.pop()
        tap.check(not paths and path.startswith(prefix + "/ui/assets/") and
                  server.ask("GET", path[len(prefix):])[0] == 200, f"{address.decode()} from all pages", path, paths)
    tap.check(len(found) >= 2, "the page has a script and a style", found)


def check_redirects(server):
    for path, headers in (("/ui", {}), ("/", BROWSER)):
        status, got, body = server.ask("GET", path, None, headers)
        tap.same((status, got.get("location"), body), (302, "ui/", b""), f"{path} leads a browser to the page")
    for accept in ("*/*", "application/json", "text/htmlx"):
        tap.same(server.ask("GET", "/", None, {"Accept": accept})[0], 200, f"/ with Accept: {accept} is JSON")


def check_origin(server):
    """A proxy may have changed Host: the browser says whose page asks."""
    body = {"startTime": START, "endTime": END, "searchScope": {"namespace": "acme"}}
    for site, want in (("same-origin", 200), ("cross-site", 403), ("same-site", 403)):
        status = server.ask("POST", "/api/v1/logs/query", body,
                            {"Origin": "https://portal.example", "Sec-Fetch-Site": site})[0]
        tap.same(status, want, f"a POST of a page that is {site}")


def check_polling(server):
    """Large answers of GET are compressed, and not sent again."""
    span = f"startTime={START}&endTime={END}"
    for path in (f"/api/v1/components?namespace=acme&{span}", f"/api/v1/components/acme/shop/checkout?{span}"):
        status, headers, plain = server.ask("GET", path)
        etag = headers.get("etag")
        tap.check(status == 200 and len(plain) > 8192 and etag, f"{path} is large, with an ETag", status, len(plain))
        status, headers, body = server.ask("GET", path, None, GZIP)
        tap.check(headers.get("content-encoding") == "gzip" and len(gzip.decompress(body)) > 8192 and
                  3 * len(body) < len(plain), f"{path} is a third at most", headers, len(body), len(plain))
        # Not one that says how long it took, which is another time as likely as not.
        again = {server.ask("GET", path, None, {**GZIP, "If-None-Match": etag or ""})[0] for _ in range(20)}
        tap.same(again, {304}, f"{path} again, when nothing has changed")


def check_off():
    with Running("--ui", "off") as server:
        asset = os.path.basename((glob.glob(os.path.join(DIST, "assets", "*")) or ["x"])[0])
        for path in ("/ui", "/ui/", "/ui/component", "/ui/assets/" + asset):
            tap.same(server.ask("GET", path)[0], 404, f"{path} with --ui off")
        tap.same(server.ask("GET", "/", None, BROWSER)[0], 200, "/ with --ui off is JSON for browsers, too")


def check_session(server):
    status, session = server.ask_json("GET", "/api/v1/session")
    tap.check(status == 200 and session["signedIn"] and not session["accessControl"] and not session["credentials"] and
              session["subject"]["kind"] == "everyone", "without access control everyone is signed in", session)
    tap.same(session["health"], {
        "errorRatioBad": 0.05, "errorRatioWarning": 0.01, "latencyFactorBad": 3, "latencyFactorWarning": 2,
        "latencyExcessBadSeconds": 0.05, "latencyExcessWarningSeconds": 0.02, "minimumRequests": 20},
        "the usual thresholds of health")


def check_status(server):
    status, answer = server.ask_json("GET", "/api/v1/status")
    signals = {row["signal"]: row for row in answer["system"]["signals"]}
    tap.check(status == 200 and answer["version"] and answer["status"] == "healthy" and
              answer["retention"] == {"tracesSeconds": 0, "logsSeconds": 0, "metricsSeconds": 0, "bytes": 10 << 30} and
              answer["limits"]["memoryBytes"] == 256 << 20 and answer["system"]["journalMaxBytes"] == 128 << 20 and
              all(signals[s]["accepted"] > 0 for s in ("traces", "logs", "metrics")), "status tells what came in", answer)


def bearer(server, name, role, namespace="acme"):
    """A header with a new token."""
    token = subprocess.run([os.environ["CALLBOARD"], "token", "create", name, "--role", role, "--namespace", namespace,
                            "--data-dir", os.path.join(server.folder, "data")],
                           check=True, capture_output=True, text=True).stdout.strip()
    return {"Authorization": "Bearer " + token}


def check_signed_in(server):
    """Strangers learn only that, and how; a reader not what the server holds."""
    def session(headers):
        return json.loads(server.ask("GET", "/api/v1/session", None, headers)[2])

    for headers, name in (({}, "no"), ({"Authorization": "Bearer cb_wrong"}, "a wrong")):
        got = session(headers)
        tap.check(got["accessControl"] and not got["signedIn"] and got["credentials"] == ["token"] and
                  "subject" not in got, f"session with {name} credential", got)
        tap.same(server.ask("GET", "/api/v1/status", None, headers)[0], 401, f"status with {name} credential")
    got = session(bearer(server, "alice", "viewer"))
    tap.check(got["signedIn"] and got["subject"]["name"] == "alice" and
              got["subject"]["grants"][0]["namespace"] == "acme", "session of a reader", got)
    for role, namespace, seen in (("viewer", "acme", False), ("operator", "acme", False), ("operator", "*", True)):
        status, _, body = server.ask("GET", "/api/v1/status", None, bearer(server, role, role, namespace))
        tap.check(status == 200 and ("system" in json.loads(body)) == seen, f"status for the {role} of {namespace}", body)


def check_access():
    with Running("--auth", "required", "--health", "errorRatioBad=0.2, minimumRequests=5") as server:
        check_signed_in(server)
        health = server.ask_json("GET", "/api/v1/session")[1]["health"]
        tap.same((health["errorRatioBad"], health["minimumRequests"], health["errorRatioWarning"]), (0.2, 5, 0.01),
                 "thresholds of one's own")
        for path, want in (("/ui/", 200), ("/ui/component", 200), ("/ui/nowhere", 404), ("/ui/assets/none", 404),
                           ("/openapi.yaml", 401), ("/api/v1/components", 401)):
            tap.same(server.ask("GET", path)[0], want, f"{path} without a credential where one is required")


def main():
    with Running() as server:
        status, headers, body = server.ask("GET", "/ui/")
        if status == 404:
            tap.check(b"make web" in body and headers["content-type"].startswith("text/plain"),
                      "without a page /ui/ says how to get one", body)
            print("ok 2 - the page # SKIP it was not built")
            tap.exit()
        check_files(server)
        check_connection(server)
        check_prefix(server)
        check_redirects(server)
        server.play()
        check_origin(server)
        check_polling(server)
        check_session(server)
        check_status(server)
    check_off()
    check_access()
    tap.exit()


main()
