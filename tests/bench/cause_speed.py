"""How long a question takes that is about 60 components and an hour.

Five copies of the shop run for four hours; three hours are the baseline that
the server chooses. Rates: of requests of users, each has about 7 spans.
"""
import os
import subprocess
import time

RATES = (5, 40)
SHOPS, PODS, QUESTIONS = 5, 2, 30
DAYS_ON = 400  # apart from other runs


def play(out, otlp, rate, start):
    subprocess.run(
        [os.path.join(out, "shopgen"), "--otlp", otlp, "--shops", str(SHOPS), "--pods", str(PODS),
         "--rate", str(rate), "--start", start, "--duration", "4h", "--fault", "190m", "--kind", "cpu",
         "--no-pace", "--quiet"], check=True)


def measure(server, out, rfc3339, day_ns, played):
    """played(name): was it sent before? Marks it."""
    for number, rate in enumerate(RATES):
        start = day_ns + (number + DAYS_ON) * 86400 * 10**9
        if not played(f"speed-{rate}"):
            play(out, server.otlp, rate, rfc3339(start))
            time.sleep(8)  # until calls without an answer are settled
        times = []
        for _ in range(QUESTIONS):
            answer, seconds = server.cause({
                "searchScope": {"namespace": "acme", "project": "shop"},
                "startTime": rfc3339(start + 3 * 3600 * 10**9),
                "endTime": rfc3339(start + 4 * 3600 * 10**9)})
            times.append(seconds)
        times.sort()
        first = answer["suspects"][0]["component"] if answer["found"] else "nothing"
        print(f"--- {SHOPS * 12} components, an hour at {rate} requests/s: "
              f"seconds median {times[len(times) // 2]:.3f} max {times[-1]:.3f}; named: {first}")
