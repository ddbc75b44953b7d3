// The JSON data source: the requests that the plugin sends, and each answer
// through toDataFrame() of both versions of @grafana/data: types, units, equal
// lengths, refIds, reasons of empty frames; variables, options, tags; the
// routes of simple-json.
import { versions } from "./grafana_data.mjs";
import { post as postTo } from "./post.mjs";
import { check, finish } from "./tap.mjs";

const base = process.env.CALLBOARD_URL + "/grafana";
const empty = process.env.CALLBOARD_EMPTY + "/grafana";

const post = (path, body, url = base) => postTo(url + path, body);

const now = Date.now();
const range = { from: new Date(now - 30 * 60e3).toISOString(), to: new Date(now).toISOString(), raw: { from: "now-30m", to: "now" } };

function target(name, payload, more = {}) {
  return { refId: "A", target: name, payload, editorMode: "builder", datasource: { type: "simpod-json-datasource", uid: "x" }, ...more };
}

function query(targets, more = {}, url = base) {
  return post("/query", {
    app: "dashboard", requestId: "Q100", timezone: "browser", panelId: 2, dashboardUID: "u", panelPluginId: "timeseries",
    range, rangeRaw: range.raw, interval: "15s", intervalMs: 15000, maxDataPoints: 600, startTime: now,
    scopedVars: { __interval: { text: "15s", value: "15s" } }, filters: [], targets, ...more,
  }, url);
}

function notices(frame) {
  return (frame.schema.meta?.notices ?? []).map((n) => n.text).join("; ");
}

// What each frame must be, whatever it shows.
function checkFrames(name, answer) {
  check(answer.status === 200 && Array.isArray(answer.body), `${name}: an array of frames`, answer);
  for (const raw of Array.isArray(answer.body) ? answer.body : [])
    for (const { name: version, data } of versions) {
      const frame = data.toDataFrame(raw);
      const sound = frame.refId === raw.schema.refId && frame.fields.length === raw.schema.fields.length &&
        frame.fields.every((f) => f.values.length === frame.length && f.type !== undefined && f.type !== "other") &&
        frame.fields.filter((f) => f.type === "number").every((f) => f.config.unit) &&
        frame.fields.filter((f) => f.type === "time").every((f) => Array.from(f.values).every((v) => v === null || Number.isInteger(v)));
      check(sound, `${name}: ${version} reads it: types, units, equal lengths`, raw);
      check(frame.length > 0 || frame.meta?.notices?.length > 0, `${name}: an empty frame says why`, raw);
      const titles = frame.fields.slice(1).map((f) => data.getFieldDisplayName(f, frame));
      check(new Set(titles).size === titles.length, `${name}: display names are distinct`, titles);
    }
}

async function full(name, targetName, payload, more) {
  const answer = await query([target(targetName, payload)], more);
  checkFrames(name, answer);
  const frame = answer.body[0];
  check(frame.data.values[0]?.length > 0 && frame.data.values.slice(1).some((v) => v.some((x) => x !== null)), `${name}: has values`, frame);
  return frame;
}

// ---- families ----

const names = (frame) => frame.schema.fields.slice(1).map((f) => f.config.displayNameFromDS ?? f.name);
const units = (frame) => [...new Set(frame.schema.fields.slice(1).map((f) => f.config.unit))].join();

check(units(await full("requests", "requests", {})) === "reqps", "requests: reqps");
const byComponent = await full("requests by component", "requests", { by: ["component"] });
check(byComponent.schema.fields.length === 13, "requests by component: the twelve of the shop", names(byComponent));
check(byComponent.schema.fields[1].config.links[0].url.startsWith("/d/callboard-component?"), "a component links to its dashboard", byComponent.schema.fields[1]);
for (const by of ["endpoint", "operation", "caller", "callee", "namespace", "project", "environment", "kind"])
  await full(`requests by ${by}`, "requests", { by: [by], component: "checkout" });
check(units(await full("errors", "errors", { component: "inventory" })) === "reqps", "errors: reqps");
check(units(await full("error ratio", "error_ratio", { by: ["component"] })) === "percentunit", "error ratio: percentunit");
const latency = await full("latency", "latency", { component: "checkout" });
check(names(latency).join() === "p50,p95,p99" && units(latency) === "s", "latency: p50, p95, p99 in seconds", names(latency));
const chosen = await full("latency, chosen", "latency", { component: "checkout", quantile: ["0.9", "mean"] });
check(names(chosen).join() === "p90,mean", "latency: the chosen quantiles", names(chosen));
const heat = await full("heatmap", "latency_heatmap", { component: "checkout" });
check(heat.schema.meta.type === "heatmap-rows" && heat.schema.fields.slice(1).every((f) => f.labels.le), "heatmap: rows with le", heat.schema);
check(names(await full("CPU", "usage", { resource: "cpu", component: "checkout" })).join() === "CPU usage,CPU request,CPU limit", "usage: usage, request and limit");
check(units(await full("memory", "usage", { resource: ["memory"], by: "component" })) === "bytes", "memory: bytes");
check(units(await full("share of the limit", "usage", { resource: "cpu", relative_to: "limit", component: "inventory" })) === "percentunit", "share of the limit");
await full("restarts", "restarts", {});
check(units(await full("series", "series", { name: "http.server.request.duration", component: "checkout" })) === "s", "series: the unit of the sender");
await full("series by pod", "series", { name: "container.cpu.usage", by: "pod", component: "checkout" });
await full("callboard", "callboard", {}, { range: { from: "now-1h", to: "now" } });

// ---- forms of payloads ----

const total = (frame) => frame.data.values.slice(1).flat().reduce((a, b) => a + (b ?? 0), 0);
const closed = { ...range, to: new Date(now - 5 * 60e3).toISOString() };
const same = async (name, payload, want, more) =>
  check(Math.abs(total((await query([target("requests", payload)], { range: closed, ...more })).body[0]) - want) < 1e-6, `form: ${name}`);
const pair = total((await query([target("requests", { component: ["cart", "web"] })], { range: closed })).body[0]);
check(pair > 0, "two components have requests");
for (const [name, payload, more] of [
  ["(a|b)", { component: "(cart|web)" }],
  ["a|b", { component: "cart|web" }],
  ["glob", { component: "{cart,web}" }],
  ["csv", { component: "cart,web" }],
  ["text of JSON", '{"component": ["cart", "web"]}'],
  ["pattern", { component: "ca[r]t|we.*" }],
  ["unreplaced variable", { component: "$c" }, { scopedVars: { c: { text: "cart + web", value: ["cart", "web"] } } }],
  ["filter =|", {}, { filters: [{ key: "component", operator: "=|", values: ["cart", "web"] }] }],
  ["filter =~", {}, { filters: [{ key: "component", operator: "=~", value: "cart|web" }] }],
  ["adhocFilters", {}, { adhocFilters: [{ key: "component", operator: "=~", value: "cart|web" }] }],
])
  await same(name, payload, pair, more);
const all = total((await query([target("requests", {})], { range: closed })).body[0]);
for (const value of ["", ".*", "$__all", "(.*)", [], null, ["$__all"]])
  await same(`all as ${JSON.stringify(value)}`, { component: value }, all);
const legacy = await query([{ refId: "A", target: "requests", data: { component: ["cart", "web"] } }], { range: closed });
check(Math.abs(total(legacy.body[0]) - pair) < 1e-6, "form: data, the name before 0.3");
const broken = await query([target("requests", {}, { editorMode: "code" })], { range: closed, scopedVars: { component: { text: "x", value: ["cart", "web"] } } });
check(Math.abs(total(broken.body[0]) - pair) < 1e-6 && /multi-value variable quoted/.test(notices(broken.body[0])), "a broken payload: the variables are used, and it is said", broken.body[0].schema);

// ---- reasons ----

const typo = (await query([target("requests", { component: "chekout" })])).body[0];
check(/unknown component 'chekout'; the nearest names are checkout/.test(notices(typo)), "an unknown component: the nearest names", typo.schema);
const old = (await query([target("requests", { component: "cart" })], { range: { from: "2020-01-01T00:00:00Z", to: "2020-01-01T01:00:00Z" } })).body[0];
check(/in this range; the last data came at 20/.test(notices(old)), "nothing in this range: when the last came", old.schema);
for (const name of ["requests", "latency", "usage", "series", "latency_heatmap", "restarts"])
  checkFrames(`${name} of an empty server`, await query([target(name, { name: "x" })], {}, empty));
const mixed = await query([target("nonsense", {}, { refId: "B" }), target("requests", {}, { refId: "C" }), target("requests", {}, { refId: "D", hide: true }), { refId: "E" }]);
check(mixed.status === 200 && mixed.body.map((f) => f.schema.refId).join() === "B,C", "an error is that of its target; hidden ones are not answered", mixed.body.map((f) => f.schema));
check(mixed.body[0].schema.meta.notices[0].severity === "error" && /unknown metric 'nonsense'/.test(notices(mixed.body[0])), "the error is a notice");
const failed = await query([target("nonsense", {})]);
check(failed.status === 400 && /unknown metric 'nonsense'; see \/metrics/.test(failed.body.message) && typeof failed.body.error === "string", "all failed: the message", failed);
const required = await query([target("series", {})]);
check(required.status === 400 && /write \$var without quotes/.test(required.body.message), "a missing key names the trap", required);
check((await query([])).body.length === 0, "no targets: no frames");
for (const points of [1, 2, 10, 100, 5000]) {
  const frame = (await query([target("requests", {})], { maxDataPoints: points, intervalMs: 1000 })).body[0];
  check(frame.data.values[0].length <= Math.max(points, 2), `maxDataPoints ${points} is obeyed`, frame.data.values[0].length);
}

// ---- lists ----

const options = async (query, more) => (await post("/variable", { payload: { target: query }, range, ...more })).body;
const texts = (list) => list.map((o) => o.__text).join();
check(texts(await options("namespaces")).includes("acme"), "variable: namespaces");
for (const text of ["components", "components(acme)", "components(acme, shop)", "components(production)", "components(namespace=acme, project=shop)", '{"target":"components","project":"shop"}'])
  check((await options(text)).length === 12, `variable: ${text}`);
check(texts((await post("/variable", { payload: { target: "components", namespace: "(acme|x)" }, range })).body).includes("cart"), "variable: a JSON object");
check(texts(await options("endpoints(component=(cart|checkout))")) === "http", "variable: endpoints");
check(texts(await options("operations(acme, shop, production, checkout)")) === "POST /orders", "variable: operations");
for (const list of ["pods", "versions", "log levels", "series names", "projects", "environments"])
  check((await options(list)).length > 0, `variable: ${list}`);
const wrong = await post("/variable", { payload: { target: "nonsense" }, range });
check(wrong.status === 400 && /components/.test(wrong.body.message), "variable: an unknown list names those there are", wrong);

const metrics = (await post("/metrics", {})).body;
check(metrics.length >= 10 && metrics.every((m) => m.value && m.label && Array.isArray(m.payloads)), "/metrics", metrics.length);
check(metrics.every((m) => m.payloads.every((p) => p.name && p.label && ["input", "select", "multi-select", "textarea"].includes(p.type))), "/metrics: fields");
for (const metric of metrics)
  for (const field of metric.payloads.filter((p) => p.type.endsWith("select") && !p.options)) {
    const list = await post("/metric-payload-options", { metric: metric.value, payload: { namespace: ["acme"] }, name: field.name });
    check(list.status === 200 && Array.isArray(list.body) && list.body.every((o) => typeof o.value === "string"), `options of ${metric.value}.${field.name}`, list);
  }
const keys = (await post("/tag-keys", undefined)).body.map((k) => k.text);
check(["namespace", "project", "component", "environment", "endpoint", "operation", "version", "pod", "k8s.pod.name"].every((k) => keys.includes(k)), "/tag-keys", keys);
check((await post("/tag-values", { key: "component", filters: [], timeRange: range })).body.length === 12, "/tag-values of component");
check((await post("/tag-values", { key: "k8s.pod.name" })).body.length > 12, "/tag-values of an attribute");

// ---- filters that nothing can answer ----

const unapplied = (await query([target("requests", {})], { filters: [{ key: "no.such", operator: "=", value: "x" }] })).body[0];
check(/filter on no.such is not applied/.test(notices(unapplied)), "a filter that is not applied is told", unapplied.schema);
const pods = (await query([target("requests", {}), target("usage", { resource: "cpu" }, { refId: "B" })], { filters: [{ key: "pod", operator: "=~", value: "checkout-.*" }] })).body;
check(/by pod, version or another attribute/.test(notices(pods[0])) && total(pods[0]) < all && pods[1].data.values[0].length > 0, "a filter on pods", pods[0].schema);
check((await query([target("usage", { resource: "gpu" })])).status === 400, "an unknown resource is refused");

// ---- flat rows ----

const rows = (await query([target("requests", { by: "component" })], { format: "rows" })).body;
check(rows.length > 100 && rows.every((r) => r.time > 1e12 && r.name && r.component && "value" in r), "rows of series", rows[0]);
const tableRows = (await query([target("components", {})], { format: "rows" })).body;
check(tableRows.length === 12 && tableRows.every((r) => typeof r === "object" && r.refId === "A"), "rows of a table", tableRows[0]);

// ---- simple-json ----

check((await post("/search", { target: "" })).body.includes("requests"), "/search");
const series = (await query([{ refId: "A", target: "requests", type: "timeserie", payload: {} }])).body;
check(series[0].target === "requests" && series[0].datapoints[0].length === 2 && series[0].datapoints[0][1] > 1e12, "datapoints", series[0]);
const table = (await query([{ refId: "A", target: "requests", type: "table", payload: {} }])).body;
check(table[0].type === "table" && table[0].rows[0].length === table[0].columns.length, "table", table[0]);
for (const { name, data } of versions)
  check([...series, ...table].every((f) => data.toDataFrame(f).length > 0), `${name} reads the old shapes`);
const annotations = await post("/annotations", { range, annotation: { name: "Changes", query: "changes", enable: true } });
check(annotations.status === 200 && Array.isArray(annotations.body) && annotations.body.every((a) => a.annotation.name === "Changes" && a.time > 1e12), "/annotations", annotations);
finish();
