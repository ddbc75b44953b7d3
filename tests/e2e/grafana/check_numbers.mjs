// Figures of the dashboards Overview, Component and Root cause against those of
// the query API and of PromQL, of the same component and time: whole minutes.
import { versions } from "./grafana_data.mjs";
import { check, finish } from "./tap.mjs";
import { dashboards, panels } from "./dashboards.mjs";
import { Grafana } from "./grafana_client.mjs";
import { post as postTo } from "./post.mjs";

const base = process.env.CALLBOARD_URL;
const data = versions[1].data;
const scope = { namespace: "acme", project: "shop", environment: "production", component: "checkout" };
const minute = 60e3;

async function get(path) {
  return (await fetch(base + path)).json();
}

// The minute of the last record is not complete.
const { components: [{ lastSeen }] } = await get("/api/v1/components?namespace=acme&project=shop");
const to = Math.floor(Date.parse(lastSeen.traces) / minute) * minute;
const range = { from: to - 14 * minute, to };
const times = { startTime: new Date(range.from).toISOString(), endTime: new Date(range.to).toISOString() };

// ---- what is compared ----

const grafana = new Grafana(base, range);
const files = new Map(dashboards().map(({ file, dashboard }) => [file, dashboard]));

// Frames of the panel of this title and type.
async function frames(file, title, type = "timeseries") {
  const dashboard = files.get(file);
  const values = await grafana.variables(dashboard, ({ name, includeAll }) => (name === "component" && file !== "component.json" && includeAll ? "$__all" : scope[name]));
  const panel = panels(dashboard).find((one) => one.title === title && one.type === type);
  const answers = await grafana.panel({ ...panel, timeFrom: undefined }, values);
  return answers.flatMap((answer) => answer.frames.map((frame) => data.toDataFrame(frame)));
}

const known = (values) => values.filter((value) => value !== null && value !== undefined && Number.isFinite(value));
const sum = (values) => known(values).reduce((a, b) => a + b, 0);
const mean = (values) => sum(values) / known(values).length;
const numbers = (all) => all.flatMap(({ fields }) => fields.filter(({ type }) => type === "number"));
// Of the series with this in its name.
const named = (all, text) => all.flatMap((frame) => frame.fields.filter((field) =>
  field.type === "number" && data.getFieldDisplayName(field, frame, all).includes(text)))[0]?.values ?? [];
// Of the first series.
const first = (all) => numbers(all)[0]?.values ?? [];

const post = async (path, body) => (await postTo(base + path, { searchScope: scope, ...times, ...body })).body;

// A target of the JSON data source: one value of the whole time.
async function json(target, payload) {
  const { body } = await grafana.post("/grafana/query", { range: grafana.timeRange(), maxDataPoints: 1,
    targets: [{ refId: "A", target, payload: { ...scope, ...payload } }] });
  return body.map((frame) => data.toDataFrame(frame));
}

const labels = Object.entries(scope).map(([name, value]) => `${name}="${value}"`).join(",");

// A range begins after its start. So that the sample at the start is in it, from
// which the first minute is counted, it is a millisecond longer.
const span = "14m1ms";

// An instant query at the end of the time: one number.
async function promql(expr) {
  const form = new URLSearchParams({ query: expr.replaceAll("$labels", labels), time: String(range.to / 1000) });
  const { data: answer, error } = await (await fetch(`${base}/prometheus/api/v1/query`, { method: "POST", body: form })).json();
  if (error || answer.result.length !== 1)
    throw new Error(`${expr}: ${error ?? JSON.stringify(answer.result).slice(0, 300)}`);
  return Number(answer.result[0].value[1]);
}

// tolerance: a share of the larger one.
function equal(name, tolerance, figures) {
  const values = Object.values(figures);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  check(values.every(Number.isFinite) && most > 0 && most - least <= tolerance * most, `${name}: ${Object.entries(figures).map(([where, value]) => `${where} ${+value.toPrecision(5)}`).join(", ")}`, figures);
}

// ---- the figures ----

const query = new URLSearchParams({ environment: scope.environment, ...times });
const page = await get(`/api/v1/components/acme/shop/checkout?${query}`);
const { summary } = page;
const exact = 1e-6;
const near = 1e-4; // the millisecond, extrapolated

const requests = await frames("component.json", "Requests");
equal("requests per second", exact, { panel: mean(first(requests)), api: summary.requestRate });
equal("requests per second, PromQL", near, { panel: mean(first(requests)), promql: await promql(`sum(rate(callboard_requests_total{$labels}[${span}]))`) });

const errors = await frames("component.json", "Failed requests");
equal("failed requests", exact, { panel: sum(first(errors)) * 60, api: summary.errorRatio * summary.requestCount });

const ratio = first(await frames("component.json", "Failed, whole time range", "stat")).at(-1);
equal("share of failed requests", exact, { panel: ratio, api: summary.errorRatio });
equal("share of failed requests, PromQL", near, { panel: ratio,
  promql: await promql(`sum(increase(callboard_request_errors_total{$labels}[${span}])) / sum(increase(callboard_requests_total{$labels}[${span}]))`) });

const spans = await post("/api/v1/metrics/query", { metric: "http", step: "1m" });
const quantiles = await frames("component.json", "Response time");
const p50 = named(quantiles, "p50");
equal("median of response times, mean of minutes", exact, { panel: mean(p50), api: mean(spans.latencyP50.map(({ value }) => value)) });
const p99 = named(quantiles, "p99");
equal("99th percentile of response times, mean of minutes", exact, { panel: mean(p99), api: mean(spans.latencyP99.map(({ value }) => value)) });
const whole = await json("latency", { quantile: ["0.95"] });
equal("95th percentile of response times, PromQL", 0.01, { json: first(whole)[0],
  promql: await promql(`histogram_quantile(0.95, sum(increase(callboard_request_duration_seconds{$labels}[${span}])))`) });

const usage = await post("/api/v1/metrics/query", { metric: "resource", step: "1m" });
const cpu = named(await frames("component.json", "CPU"), "usage");
equal("CPU", exact, { panel: mean(cpu), api: mean(usage.cpuUsage.map(({ value }) => value)) });
const memory = await frames("component.json", "Memory");
equal("memory", exact, { panel: mean(named(memory, "usage")), api: mean(usage.memoryUsage.map(({ value }) => value)) });
equal("limit of memory", exact, { panel: named(memory, "limit").at(-1), api: usage.memoryLimits.at(-1).value });

const logs = await frames("component.json", "Log records");
const count = async (body) => (await post("/api/v1/logs/query", { limit: 1, ...body })).total;
const all = numbers(logs).map(({ values }) => sum(values)).reduce((a, b) => a + b);
equal("log records", near, { panel: all, api: await count({}), promql: await promql(`sum(increase(callboard_log_records_total{$labels}[${span}]))`) });
equal("log records of level error", exact, { panel: sum(named(logs, "error")), api: await count({ logLevels: ["ERROR"] }) });

// A table's first row with this value in a column: by name.
function rowOf(all, column, value) {
  const at = all[0].fields.find(({ name }) => name === column).values.indexOf(value);
  return Object.fromEntries(all[0].fields.map(({ name, values }) => [name, values[at]]));
}

const { traces } = await post("/api/v1alpha1/traces/query", { limit: 1000, sortOrder: "desc" });
const failed = traces.filter(({ hasErrors }) => hasErrors);
const [table] = await frames("component.json", "Failed traces", "table");
const ids = table.fields.find(({ name }) => name === "traceID").values;
equal("traces with errors", exact, { panel: table.length, api: Math.min(failed.length, 25) });
check(ids.join() === failed.slice(0, 25).map(({ traceId }) => traceId).join(), "the failed traces are those of the query API", ids);
equal("duration of the first failed trace", exact, { panel: table.fields.find(({ name }) => name === "duration").values[0], api: failed[0].durationNs });

const { components } = await get(`/api/v1/components?${new URLSearchParams({ namespace: "acme", project: "shop", ...times })}`);
const listed = components.find(({ component }) => component === scope.component);
const shown = rowOf(await frames("overview.json", "Components", "table"), "component", scope.component);
for (const [name, api] of Object.entries({ requests: listed.requestRate, errors: listed.errorRatio, p50: listed.latency.p50, p99: listed.latency.p99 }))
  equal(`Overview: ${name} of checkout`, exact, { panel: shown[name], api });
equal("Overview: requests of the project", exact, { panel: mean(first(await frames("overview.json", "Requests"))),
  api: components.reduce((total, { requestRate }) => total + requestRate, 0) });
const ofProject = first(await frames("overview.json", "Failed requests", "stat"));
equal("Overview: failed requests of the last minute", near, { panel: ofProject.at(-1), promql:
  await promql('sum(increase(callboard_request_errors_total{project="shop"}[1m1ms])) / sum(increase(callboard_requests_total{project="shop"}[1m1ms]))') });

const cause = await get(`/api/v1/cause?${new URLSearchParams({ namespace: "acme", project: "shop", ...times })}`);
const [suspects] = await frames("cause.json", "Likely causes", "table");
const names = suspects.fields.find(({ name }) => name === "component").values;
// The panel has those with evidence that counts.
const ranked = cause.suspects.slice(0, names.length).map(({ component }) => component);
check(names.length > 1 && names.join() === ranked.join(), `ranked causes are those of the query API: ${names}`, ranked);
const [answer] = await frames("cause.json", "Answer", "table");
equal("confidence in the cause (rounded by the API)", 0.006, { panel: answer.fields.find(({ name }) => name === "confidence").values[0], api: cause.confidence });
finish();
