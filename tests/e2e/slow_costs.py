"""Costs, recommendations and capacity, held against slow sums of the samples
that were sent: pods that come and go at any second, the same names in two
namespaces, rates that rise while pods are scaled out and in.
"""
import math
import urllib.parse

from callboard import NS, Server, Tap, attributes, gauge, metrics_request, new_folder, rfc3339, seeded, stamped

tap = Tap()
rng = seeded()
T0 = 1741600800 * NS  # 2025-03-10T10:00:00Z
GIB, MIB = 2**30, 2**20
CORE_HOUR, GIB_HOUR = 0.031611, 0.004237  # docs/costs.md


def near(seen, wanted, name, part):
    tap.check(seen is not None and abs(seen - wanted) <= part * abs(wanted), name, f"{seen}, counted {wanted}")


class Pod:
    """Samples of a pod: name -> [(seconds after T0, value)]."""

    def __init__(self, namespace, component, number):
        self.owner, self.name, self.samples = (namespace, component), f"{component}-{number}", {}

    def run(self, metric, start, end, value, step=60):
        self.samples.setdefault(metric, []).extend((at, value(at)) for at in range(start, end, step))

    def send(self, server):
        namespace, component = self.owner
        resource = stamped(component, namespace=namespace, environment="production", k8s__pod__name=self.name,
                           k8s__pod__uid=f"{namespace}-{self.name}", k8s__container__name="main")
        points = sorted((at, name, value) for name, values in self.samples.items() for at, value in values)
        for first in range(0, len(points), 2000):
            status = server.send("metrics", metrics_request(resource, [
                gauge(name, T0 + at * NS, float(value)) for at, name, value in points[first:first + 2000]])).status
            assert status == 200, status


# ---- costs ----


def integral(samples, start, end):
    """Seconds times value: a sample counts until the next one, the last one and a half times the usual distance."""
    total = 0
    for i, (at, value) in enumerate(samples):
        until = samples[i + 1][0] if i + 1 < len(samples) else at + 90
        if i + 1 < len(samples) and until - at > 300:
            until = at + 90
        total += value * max(0, min(until, end) - max(at, start))
    return total


def slow_costs(pods, start, end):
    """Seconds after T0; (CPU, memory) paid and used, in money."""
    sums = {"cpuCost": 0, "memoryCost": 0, "cpuUsedCost": 0, "memoryUsedCost": 0}
    for pod in pods:
        for kind, used, request, price in (("cpu", "container.cpu.usage", "k8s.container.cpu_request", CORE_HOUR / 3600),
                                           ("memory", "container.memory.working_set", "k8s.container.memory_request",
                                            GIB_HOUR / 3600 / GIB)):
            for hour in range(start, end, 3600):
                until = min(hour + 3600, end)
                usage, requested = (integral(pod.samples.get(name, []), hour, until) for name in (used, request))
                sums[kind + "Cost"] += max(usage, requested) * price
                sums[kind + "UsedCost"] += usage * price
    return sums


def cost_pods():
    pods = []
    for namespace, times in (("acme", 1), ("globex", 3)):
        for number, (start, end) in enumerate(((0, 47 * 3600), (1803, 20 * 3600 + 1111), (20 * 3600 + 1000, 47 * 3600))):
            pod = Pod(namespace, "cart", number)
            peak = 0.1 + 0.3 * number
            pod.run("container.cpu.usage", start, end, lambda at, peak=peak: times * peak * (1 + math.sin(at / 7000)) + rng.random() / 50)
            pod.run("container.memory.working_set", start, end,
                    lambda at, number=number: times * (200 + 90 * number + 40 * math.sin(at / 9000)) * MIB)
            pod.run("k8s.container.cpu_request", start, end, lambda at: times * 0.25)
            pod.run("k8s.container.memory_request", start, end, lambda at: times * 256 * MIB)
            pod.run("k8s.container.cpu_limit", start, end, lambda at: times * 2.0)
            pod.run("k8s.container.memory_limit", start, end, lambda at: times * 1024 * MIB)
            pods.append(pod)
    return pods


def ask(server, path, start, end, **given):
    return server.ask(path + "?" + urllib.parse.urlencode(
        {"startTime": rfc3339(T0 + start * NS), "endTime": rfc3339(T0 + end * NS), **given}))


def check_costs(server, pods):
    for namespace in ("acme", "globex"):
        mine = [pod for pod in pods if pod.owner == (namespace, "cart")]
        path = f"/api/v1alpha1/costs/namespaces/{namespace}/environments/production"
        for start, end, what in ((0, 48 * 3600, "whole hours"), (1917, 30 * 3600 + 77, "parts of hours")):
            answer = ask(server, path, start, end, project="shop")
            wanted = slow_costs(mine, start, end)
            for name, value in wanted.items():
                near(answer["items"][0][name], value, f"{namespace}, {what}: {name}", 0.002)
            paid = wanted["cpuCost"] + wanted["memoryCost"]
            near(answer["items"][0]["efficiency"], (wanted["cpuUsedCost"] + wanted["memoryUsedCost"]) / paid,
                 f"{namespace}, {what}: efficiency", 0.002)
            days = ask(server, path, start, end, project="shop", granularity="1d")["items"]
            for name in ("cpuCost", "memoryCost"):
                near(sum(day[name] for day in days), answer["items"][0][name], f"{namespace}, {what}: days add up to {name}", 1e-6)
            sums = ask(server, "/api/v1/costs", start, end, groupBy="component", namespace=namespace)
            near(sums["totals"]["cost"], paid, f"{namespace}, {what}: the total", 0.002)


# ---- recommendations ----


def rounded(kind, value):
    step = (0.01 if value < 1 else 0.1) if kind == "cpu" else (16 if value < GIB else 128) * MIB
    return math.ceil(value / step - 1e-9) * step


def quantity(text):
    for suffix, size in (("Mi", MIB), ("Gi", GIB), ("m", 0.001)):
        if text.endswith(suffix):
            return float(text[:-len(suffix)]) * size
    return float(text)


def cells(pods, metric):
    """Of each pod the last sample of each five minutes."""
    return sorted(v for pod in pods for v in {(at + T0 // NS) // 300: value for at, value in pod.samples[metric]}.values())


def check_recommendations(server, pods):
    for namespace in ("acme", "globex"):
        mine = [pod for pod in pods if pod.owner == (namespace, "cart")]
        row = ask(server, f"/api/v1alpha1/costs/namespaces/{namespace}/environments/production/recommendations",
                  0, 48 * 3600, project="shop")["items"][0]
        cpu, memory = cells(mine, "container.cpu.usage"), cells(mine, "container.memory.working_set")
        p95 = cpu[math.ceil(0.95 * len(cpu)) - 1]
        seen = quantity(row["recommendation"]["cpuRequest"])
        tap.check(rounded("cpu", p95 * 1.15 / 1.05) - 1e-9 <= seen <= rounded("cpu", p95 * 1.15 * 1.05) + 1e-9,
                  f"{namespace}: CPU request", f"{seen}, p95 {p95}: {rounded('cpu', p95 * 1.15)}")
        tap.check(row["recommendation"]["cpuLimit"] == row["current"]["cpuLimit"] or
                  abs(quantity(row["recommendation"]["cpuLimit"]) / max(2 * p95 * 1.15, cpu[-1] * 1.15) - 1) < 0.15,
                  f"{namespace}: CPU limit", row)
        seen = quantity(row["recommendation"]["memoryRequest"])
        tap.check(abs(seen - rounded("memory", memory[-1] * 1.2)) < 1 or row["recommendation"]["memoryRequest"] ==
                  row["current"]["memoryRequest"], f"{namespace}: memory request",
                  f"{seen / MIB}, {rounded('memory', memory[-1] * 1.2) / MIB}")
        tap.check(quantity(row["current"]["cpuRequest"]) == (0.25 if namespace == "acme" else 0.75) and
                  quantity(row["current"]["memoryRequest"]) == (256 if namespace == "acme" else 768) * MIB,
                  f"{namespace}: what is set now", row["current"])
        paid = slow_costs(mine, 0, 48 * 3600)
        near(row["current"]["cpuCost"], paid["cpuCost"], f"{namespace}: what it costs now", 0.01)
        other = [fixed(pod, quantity(row["recommendation"]["cpuRequest"]), quantity(row["recommendation"]["memoryRequest"]))
                 for pod in mine]
        saved = slow_costs(other, 0, 48 * 3600)
        near(row["recommendation"]["cpuCost"], saved["cpuCost"], f"{namespace}: what CPU would cost", 0.03)
        near(row["recommendation"]["memoryCost"], saved["memoryCost"], f"{namespace}: what memory would cost", 0.03)
        near(row["saving"], row["current"]["cpuCost"] + row["current"]["memoryCost"] - row["recommendation"]["cpuCost"] -
             row["recommendation"]["memoryCost"], f"{namespace}: the saving is the difference", 1e-6)


def fixed(pod, cpu, memory):
    other = Pod(*pod.owner, 0)
    other.samples = dict(pod.samples)
    for name, value in (("k8s.container.cpu_request", cpu), ("k8s.container.memory_request", memory)):
        other.samples[name] = [(at, value) for at, _ in pod.samples[name]]
    return other


# ---- capacity ----

IDLE, PER_REQUEST, BYTES, PER_RATE, CPU_LIMIT, MEMORY_LIMIT = 0.08, 0.006, 150 * MIB, 0.5 * MIB, 1.0, 400 * MIB
HOURS = 16


def pods_at(at):
    """Two, four from the fifth hour on, then three."""
    return 2 if at < 5 * 3600 else 4 if at < 11 * 3600 else 3


def rate_at(at):
    return 60 + 45 * math.sin(at / 3600 * 1.7)


def send_ramp(server, component, steps):
    """Requests from the histograms of an SDK; CPU and memory as a line of the rate of each pod, and noise."""
    for number in range(4):
        pod, count, points = Pod("acme", component, number), 0, []
        times = [at for at in range(0, HOURS * 3600, 30) if number < (pods_at(at) if steps else 3)]
        for at in times:
            rate = rate_at(at) / (pods_at(at) if steps else 3)
            pod.samples.setdefault("container.cpu.usage", []).append((at, (IDLE + PER_REQUEST * rate) * rng.uniform(0.97, 1.03)))
            pod.samples.setdefault("container.memory.working_set", []).append((at, (BYTES + PER_RATE * rate) * rng.uniform(0.99, 1.01)))
            pod.samples.setdefault("k8s.container.cpu_limit", []).append((at, CPU_LIMIT))
            pod.samples.setdefault("k8s.container.memory_limit", []).append((at, MEMORY_LIMIT))
            count += round(rate * 30)
            points.append({"startTimeUnixNano": str(T0 + times[0] * NS - 30 * NS), "timeUnixNano": str(T0 + at * NS), "count": str(count),
                           "sum": count * 0.02, "bucketCounts": ["0", str(count), "0"], "explicitBounds": [0.01, 0.03],
                           "attributes": attributes({"http.route": "/", "http.request.method": "GET", "http.response.status_code": 200})})
        pod.send(server)
        resource = stamped(component, environment="production", k8s__pod__name=pod.name, k8s__pod__uid=f"acme-{pod.name}",
                           service__instance__id=pod.name)
        for first in range(0, len(points), 500):
            status = server.send("metrics", metrics_request(resource, [
                {"name": "http.server.request.duration", "unit": "s",
                 "histogram": {"aggregationTemporality": 2, "dataPoints": points[first:first + 500]}}])).status
            assert status == 200, status


def check_capacity(server, component):
    answer = ask(server, "/api/v1/capacity", 0, HOURS * 3600, namespace="acme", project="shop", component=component)
    limits = {one["kind"]: one for one in answer["limits"]}
    pods = answer["rates"]["pods"]
    near(pods, 3, f"{component}: pods now", 0)
    for kind, idle, slope, limit in (("cpu", IDLE, PER_REQUEST, CPU_LIMIT), ("memory", BYTES, PER_RATE, MEMORY_LIMIT)):
        one = limits[kind]
        near((one.get("idle") or {}).get("value"), 3 * idle, f"{component}: {kind} at no requests", 0.1)
        near((one.get("perRequestRate") or {}).get("value"), slope, f"{component}: {kind} per request", 0.05)
        wanted = 3 * (limit - idle) / slope
        near((one.get("breaksAt") or {}).get("value"), wanted, f"{component}: where {kind} breaks", 0.05)
        tap.check(one.get("breaksAt") and one["breaksAt"]["low"] <= wanted <= (one["breaksAt"]["high"] or math.inf),
                  f"{component}: {kind}: the interval has it", one)
    scale = [rate_at(at) * (3 / pods_at(at) if component == "scaled" else 1) for at in range(0, HOURS * 3600, 30)]
    near(answer["rates"]["most"], max(scale), f"{component}: the highest rate", 0.05)
    return answer


def main():
    server = Server(new_folder())
    pods = cost_pods()
    for pod in pods:
        pod.send(server)
    check_costs(server, pods)
    check_recommendations(server, pods)
    send_ramp(server, "even", False)
    send_ramp(server, "scaled", True)
    check_capacity(server, "even")
    check_capacity(server, "scaled")
    server.stop()
    tap.end()


main()
