"""callboard cause in the terminal; reports survive a restart; the same query
twice."""
import os
import subprocess
import tempfile

from running import Running, Tap

ALERT = {"namespace": "acme", "project": "shop", "environment": "production",
         "component": "web", "alert": {"id": "a 1", "value": 3, "rule": {
             "name": "errors", "condition": {"window": "5m", "threshold": 1}}}}
REPORTS = "/api/v1/rca-agent/reports/"


def cause(server, *words):
    done = subprocess.run(
        [os.environ["CALLBOARD"], "cause", *words, "--server",
         f"127.0.0.1:{server.port}"], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=30, text=True)
    return done.returncode, done.stdout


def small_memory(tap):
    """Nothing stands out at a component, so the project is analysed, too: the
    sample gets smaller, no analysis is refused."""
    with Running("--memory-limit", "64MiB") as server:
        subprocess.run(
            [os.environ["SHOPGEN"], "--otlp", f"127.0.0.1:{server.otlp_port}",
             "--history", "30m", "--duration", "30m", "--kind", "nothing",
             "--no-pace", "--quiet"], check=True, timeout=60)
        for component in ("cart", "web", "shipping"):
            alert = {**ALERT, "component": component,
                     "alert": {"id": component, "rule": {
                         "condition": {"window": "15m"}}}}
            status, made = server.ask_json(
                "POST", "/api/v1alpha1/rca-agent/analyze", alert)
            report = status == 200 and server.ask_json(
                "GET", REPORTS + made["report_id"])[1]
            tap.check(report and report["status"] == "completed",
                      f"{component} is analysed within 64 MiB", made, report)


def main():
    tap = Tap()
    small_memory(tap)
    with tempfile.TemporaryDirectory(prefix="callboard-e2e-") as data:
        with Running("--data-dir", data) as server:
            subprocess.run(
                [os.environ["SHOPGEN"], "--otlp",
                 f"127.0.0.1:{server.otlp_port}", "--history", "26m",
                 "--duration", "25m", "--fault", "20m", "--kind", "code",
                 "--rate", "5", "--pods", "3", "--no-pace", "--quiet"],
                check=True, timeout=60)
            code, text = cause(server, "shop", "--namespace", "acme",
                               "--since", "6m")
            tap.check(code == 0 and text.startswith("Cause          users: "),
                      "the culprit is named first", text)
            tap.check("cannot parse key of tenant" in text,
                      "with the line that it wrote", text)
            tap.check("Propagation    users -> web" in text and
                      "Log evidence" in text and "Window  " in text,
                      "with its propagation, log lines and times", text)
            code, text = cause(server, "shop/web", "--namespace", "acme",
                               "--since", "6m", "--json")
            tap.check(code == 0 and '"suspects":[{"rank":1' in text,
                      "JSON as it came", text)
            code, text = cause(server, "shop/usres", "--namespace", "acm")
            tap.check(code == 1 and "did you mean shop/users --namespace acme?"
                      in text, "names that nobody knows: a suggestion", text)
            code, text = cause(server, "shop", "--namespace", "acme",
                               "--environment", "nowhere")
            tap.check(code == 1 and "in namespace acme, environment nowhere; "
                      "did you mean shop --namespace acme --environment "
                      "production?" in text, "a wrong environment", text)
            code, text = cause(server, "shop", "--namespace", "acme",
                               "--since", "2d")
            tap.check(code == 0, "a window of days", text)
            code, text = cause(server, "shop/users", "--namespace", "acme",
                               "--since", "1s")
            tap.check(code == 0 and "nothing stands out" in text and
                      "no traces" in text, "nothing was there: said so", text)
            done = subprocess.run(
                [os.environ["CALLBOARD"], "cause", "shop", "--server",
                 "127.0.0.1:1"], stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=30, text=True)
            tap.check(done.returncode == 1 and "callboard serve" in done.stdout,
                      "nobody answers: what may be wrong", done.stdout)
            done = subprocess.run(
                [os.environ["CALLBOARD"], "cause", "shop", "--namespace=acme",
                 "--server", f"http://127.0.0.1:{server.port}/",
                 "--json"], stdout=subprocess.PIPE, timeout=30, text=True)
            tap.check(done.returncode == 0 and '"found":' in done.stdout,
                      "the server as a URL", done.stdout)
            code, text = cause(server, "shop", "--since", "tomorrow")
            tap.check(code == 1 and "--since" in text,
                      "a duration that is none", text)
            code, text = cause(server, "--since", "6m")
            tap.check(code == 0 and text.startswith("Cause          users: "),
                      "the only namespace and project are taken", text)
            tap.check(cause(server, "a", "b")[0] == 2, "two projects: usage")

            now = "2000-01-01T00:00:00Z"
            question = {"startTime": now, "endTime": "2000-01-01T00:00:01Z",
                        "searchScope": {"namespace": "acme",
                                        "project": "shop"}}
            twice = [server.ask("POST", "/api/v1/cause", question)[2]
                     for _ in range(2)]
            tap.check(twice[0] == twice[1] and b'"found":false' in twice[0],
                      "a window without data: the same answer twice", twice)

            status, made = server.ask_json(
                "POST", "/api/v1alpha1/rca-agent/analyze", ALERT)
            path = REPORTS + made["report_id"].replace(" ", "%20")
            status, before = server.ask_json("GET", path)
            tap.check(status == 200 and before["report"]["result"]["type"] ==
                      "root_cause_identified", "an alert is analysed", before)
            status, _, _ = server.ask("PUT", path, {"appliedIndices": [0]})
            tap.check(status == 200, "an action is marked as applied")
            status, _, said = server.ask(
                "POST", "/api/v1alpha1/rca-agent/chat",
                {"reportId": made["report_id"], "messages": [
                    {"role": "user", "content": "What can I do?"}]})
            tap.check(status == 200 and b"comp:users" in said,
                      "a chat about it", said)
        with Running("--data-dir", data) as server:
            status, after = server.ask_json("GET", path)
            actions = after["report"]["result"]["recommendations"][
                "recommended_actions"]
            tap.check(status == 200 and actions[0]["status"] == "applied",
                      "the report outlives a restart", after)
    tap.exit()


if __name__ == "__main__":
    main()
