"""A root-cause query for every window of several hours. An answer depends
on which spans a block holds and in what order, so one window shows little.
`make check` runs this with AddressSanitizer, too."""
import json
import os
import subprocess

from running import Running, Tap

HOURS = [("--kind", "nothing", "--seed", "1"),
         ("--kind", "retry-storm", "--seed", "2", "--fault", "40m"),
         ("--kind", "code", "--seed", "3", "--fault", "20m", "--rollout",
          "19m", "--pods", "3")]
LENGTHS = (2, 10, 25)
SCOPE = {"namespace": "acme", "project": "shop"}


def time_of(minute):
    return f"2024-01-01T{minute // 60:02d}:{minute % 60:02d}:00Z"


def windows():
    return [(start, start + length) for length in LENGTHS
            for start in range(0, 60 - length + 1)]


def ask(server, window):
    """The answer's bytes; None if it was not 200 or the server ended."""
    try:
        status, _, body = server.ask("POST", "/api/v1/cause", {
            "startTime": time_of(window[0]), "endTime": time_of(window[1]),
            "searchScope": SCOPE})
    except OSError as error:
        return None, repr(error)
    return (body if status == 200 else None), body


def main():
    tap = Tap()
    for hour in HOURS:
        name = " ".join(hour)
        with Running("--seal-age", "1h") as server:
            subprocess.run(
                [os.environ["SHOPGEN"], "--otlp",
                 f"127.0.0.1:{server.otlp_port}", "--start", time_of(0),
                 "--duration", "60m", "--rate", "3", "--no-pace", "--quiet",
                 *hour], check=True, timeout=120)
            bad, empty, changed = [], [], []
            for window in windows():
                answer, why = ask(server, window)
                if answer is None:
                    bad.append((window, why))
                    break
                if not json.loads(answer)["read"]["tracesDuring"]:
                    empty.append(window)
                if window[0] % 5 == 0 and ask(server, window)[0] != answer:
                    changed.append(window)
            tap.check(not bad, f"{name}: each window has an answer", bad,
                      server.output()[-2000:])
            tap.check(not empty, f"{name}: traces are read in each", empty)
            tap.check(not changed, f"{name}: the same answer twice", changed)
    tap.exit()


main()
