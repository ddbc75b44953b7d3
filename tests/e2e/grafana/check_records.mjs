// The families that show records and answers, on the shop with its fault:
// @grafana/data digests each frame, rows and types and units are right, and the
// answers agree with the query API.
import { execFileSync } from "node:child_process";
import { versions } from "./grafana_data.mjs";
import { post as postTo } from "./post.mjs";
import { check, finish } from "./tap.mjs";

const base = process.env.CALLBOARD_URL;
const to = new Date();
const from = new Date(to - 30 * 60 * 1000);
const shop = { namespace: "acme", project: "shop", environment: "production" };
const scope = { namespace: "acme", project: "shop", environment: "production" };

const post = (path, body, url = base) => postTo(url + path, body);

const request = (target, payload, more) => ({
  range: { from: from.toISOString(), to: to.toISOString(), raw: { from: "now-30m", to: "now" } },
  intervalMs: 15000,
  maxDataPoints: 500,
  targets: [{ refId: "Q", target, payload, editorMode: "builder" }],
  ...more,
});

// A target that is wrong: the error that people see.
async function check_refused(target, payload, wanted, name) {
  const answer = await post("/grafana/query", request(target, payload, {}));
  check(answer.status === 400 && wanted.test(answer.body.message), name, answer);
}

// The frames of one target, as @grafana/data has them.
async function ask(target, payload, more = {}, url = base) {
  const { status, body: answer } = await post("/grafana/query", request(target, payload, more), url);
  check(status === 200 && Array.isArray(answer), `${target}: an array of frames`, answer);
  const frames = Array.isArray(answer) ? answer : [];
  for (const { name, data } of versions)
    for (const [i, raw] of frames.entries()) {
      const frame = data.toDataFrame(raw);
      check(
        frame.refId === "Q" && frame.fields.every((field) => field.values.length === frame.length),
        `${target}: ${name} digests frame ${i}`, raw,
      );
    }
  return frames.map((raw) => versions[0].data.toDataFrame(raw));
}

const field = (frame, name) => frame?.fields.find((one) => one.name === name);
const values = (frame, name) => field(frame, name)?.values ?? [];
const notices = (frame) => (frame?.meta?.notices ?? []).map((one) => one.text).join("; ");

// Every column has a type, numbers have a unit.
function check_columns(target, frame) {
  const bad = frame.fields.filter(
    (one) => !["time", "number", "string", "boolean", "other"].includes(one.type) ||
      (one.type === "number" && !one.config.unit),
  );
  check(bad.length === 0, `${target}: types, and units of numbers`, bad.map((one) => one.name));
}

async function ask_full(target, payload, more) {
  const frames = await ask(target, payload, more);
  check(frames.some((frame) => frame.length > 0), `${target}: rows`, frames.map(notices));
  for (const frame of frames)
    check_columns(target, frame);
  return frames;
}

// ---- logs ----

const [logs] = await ask_full("logs", { ...shop, limit: 100 });
check(logs.meta.type === "log-lines" && logs.meta.preferredVisualisationType === "logs", "logs: type of the frame", logs.meta);
check(
  ["timestamp", "body", "severity", "id", "labels"].every((name, i) => logs.fields[i]?.name === name),
  "logs: fields of log-lines", logs.fields.map((one) => one.name),
);
check(
  field(logs, "timestamp").nanos?.length === logs.length && field(logs, "timestamp").nanos.some((one) => one > 0),
  "logs: nanoseconds beside the time", field(logs, "timestamp").nanos?.slice(0, 5),
);
check(new Set(values(logs, "id")).size === logs.length, "logs: ids differ");
check(
  values(logs, "labels").every((one) => typeof one === "object" && Object.values(one).every((text) => typeof text === "string")),
  "logs: labels are texts", values(logs, "labels")[0],
);
check(values(logs, "labels")[0]?.component?.length > 0, "logs: labels name the component");
check(field(logs, "traceID").config.links?.[0]?.url.includes("callboard-traces"), "logs: a link to the trace");
check(/limit/.test(notices(logs)), "logs: a notice where the limit cut", notices(logs));
const again = (await ask("logs", { ...shop, limit: 100 }))[0];
const known = new Set(values(again, "id"));
check(values(logs, "id").filter((id) => known.has(id)).length > 50, "logs: ids are stable");
const api = await post("/api/v1/logs/query", {
  searchScope: scope, startTime: from.toISOString(), endTime: to.toISOString(), limit: 100, logLevels: ["ERROR"],
});
const [errors] = await ask_full("logs", { ...shop, level: ["error", "FATAL"], limit: 100 });
check(
  JSON.stringify(values(errors, "body")) === JSON.stringify(api.body.logs.map((one) => one.log)),
  "logs: errors are those of the query API",
);
check(values(errors, "severity").every((one) => one === "error" || one === "fatal"), "logs: the level filters");
const word = (values(errors, "body")[0] ?? "").split(" ").find((one) => /^[a-z]{4,}$/.test(one)) ?? "error";
const [found] = await ask_full("logs", { ...shop, search: word });
check(values(found, "body").every((one) => one.includes(word)), "logs: the search filters", word);
const pod = values(logs, "labels").find((one) => one.pod)?.pod;
const [of_pod] = await ask_full("logs", { ...shop }, { filters: [{ key: "pod", operator: "=", value: pod }] });
check(values(of_pod, "labels").every((one) => one.pod === pod), "logs: an ad hoc filter", pod);
const [none] = await ask("logs", { ...shop, search: "no record has this text" });
check(none.length === 0 && /match/.test(notices(none)), "logs: a reason where there are none", notices(none));
await check_refused("logs", { ...shop, level: "loud" }, /level/, "logs: a wrong level is told");
await check_refused("logs", { trace_id: "zz" }, /hexadecimal/, "logs: a wrong trace id is told");

// ---- log_volume, log_templates ----

const volume = await ask_full("log_volume", shop);
check(volume.every((frame) => frame.fields[1].labels?.level), "log_volume: a level each", volume.map((frame) => frame.fields[1].labels));
check(volume.every((frame) => frame.fields[1].config.color?.fixedColor), "log_volume: colours");
check(volume.every((frame) => frame.length <= 500), "log_volume: maxDataPoints");
const total = (frames) => frames.flatMap((frame) => [...frame.fields[1].values]).reduce((a, b) => a + (b ?? 0), 0);
check(total(volume) > 100, "log_volume: counts", total(volume));
const searched = await ask_full("log_volume", { ...shop, search: word });
check(total(searched) > 0 && total(searched) < total(volume), "log_volume: of a search", [total(searched), total(volume)]);
const [templates] = await ask_full("log_templates", shop);
check(values(templates, "count").every((one, i, all) => i === 0 || one <= all[i - 1]), "log_templates: most frequent first");
check(values(templates, "new").every((one) => typeof one === "boolean"), "log_templates: whether it is new");

// ---- traces ----

const [traces] = await ask_full("traces", { ...shop, limit: 20 });
check(traces.length === 20 && /limit/.test(notices(traces)), "traces: limit and its notice", notices(traces));
const [failed] = await ask_full("traces", { ...shop, status: "error" });
check(values(failed, "failed").every((one) => one === true), "traces: those with errors");
const [slow] = await ask_full("traces", { ...shop, min_duration: "50ms" });
check(values(slow, "duration").every((one) => one >= 50e6), "traces: by duration");
const [no_trace] = await ask("traces", { ...shop, min_duration: "1h" });
check(no_trace.length === 0 && /match/.test(notices(no_trace)), "traces: a reason where none matches", notices(no_trace));
const [scatter] = await ask_full("trace_scatter", shop);
check(
  values(scatter, "duration").every((one, i) => (one === null) !== (values(scatter, "durationFailed")[i] === null)),
  "trace_scatter: errors apart",
);
// All over the time, not the newest ones alone.
const [some] = await ask_full("trace_scatter", { ...shop, limit: 40 });
const times = values(some, "time");
const quarters = [0, 1, 2, 3].map((k) => times.filter((t) => Math.floor((4 * (t - times[0])) / (times.at(-1) - times[0] + 1)) === k).length);
check(some.length === 40 && quarters.every((n) => n >= 5) && times.at(-1) - times[0] > 20 * 60e3, "trace_scatter: all over the time range", quarters);
check(/slowest, failed/.test(notices(some)), "trace_scatter: says what it shows", notices(some));
const longest = (frame) => Math.max(...["duration", "durationFailed"].flatMap((name) => values(frame, name)));
const [every] = await ask_full("traces", { ...shop, limit: 1000, min_duration: `${Math.floor(longest(some) / 1e6)}ms` });
check(longest(every) === longest(some), "trace_scatter: the slowest is among them", [longest(every), longest(some)]);
const [endpoint] = await ask("traces", { ...shop, component: "checkout" }, { filters: [{ key: "endpoint", operator: "=", value: "http" }] });
check(endpoint.length > 0, "traces: by endpoint", notices(endpoint));

// ---- one trace ----

const id = values(failed, "traceID")[0];
const [trace] = await ask_full("trace", { trace_id: id });
const spans = await post(`/api/v1alpha1/traces/${id}/spans/query`, {
  searchScope: { namespace: "acme" }, startTime: from.toISOString(), endTime: to.toISOString(), limit: 1000,
  includeAttributes: true, sortOrder: "asc",
});
check(
  JSON.stringify([...values(trace, "spanID")].sort()) === JSON.stringify(spans.body.spans.map((one) => one.spanId).sort()),
  "trace: the spans of the query API", [trace.length, spans.body],
);
check(
  spans.body.spans.every((one) => {
    const row = values(trace, "spanID").indexOf(one.spanId);
    const tags = Object.fromEntries(values(trace, "tags")[row].map((tag) => [tag.key, tag.value]));

    return values(trace, "operationName")[row] === one.spanName &&
      Math.abs(values(trace, "duration")[row] * 1e6 - one.durationNs) < 2 &&
      (values(trace, "parentSpanID")[row] ?? "") === (one.parentSpanId ?? "") &&
      (values(trace, "statusCode")[row] === 2) === (one.status.code === "error") &&
      Object.keys(one.attributes ?? {}).every((key) => key in tags) &&
      values(trace, "logs")[row].length === one.events.length;
  }),
  "trace: names, durations, parents, status, tags, events agree",
);
check(trace.meta.preferredVisualisationType === "trace", "trace: a trace frame");
check(
  ["serviceTags", "tags"].every((name) => values(trace, name).every((list) => list.every((tag) => "key" in tag && "value" in tag))),
  "trace: tags are keys and values",
);
const [unknown] = await ask("trace", { trace_id: "00000000000000000000000000000bad" });
check(unknown.length === 0 && /no trace/.test(notices(unknown)), "trace: an unknown id has a reason", notices(unknown));
const [unset] = await ask("trace", { trace_id: "" });
check(unset.length === 0 && /chosen/.test(notices(unset)), "trace: no id has a reason", notices(unset));
await check_refused("trace", { trace_id: "<img src=x>" }, /hexadecimal/, "trace: a wrong id is told");
await check_refused("traces", { ...shop, min_duration: "soon" }, /duration/, "traces: a wrong duration is told");
const [lines] = await ask("logs", { trace_id: values(logs, "traceID").find((one) => one) });
check(lines.length > 0, "logs: of a trace", notices(lines));

// ---- topology ----

const [nodes, edges] = await ask_full("topology", shop);
check(nodes.meta.preferredVisualisationType === "nodeGraph" && edges.meta.preferredVisualisationType === "nodeGraph", "topology: two node graph frames");
const arcs = nodes.fields.filter((one) => one.name.startsWith("arc__"));
check(
  arcs.length >= 3 && arcs.every((one) => one.config.color?.fixedColor) &&
    values(nodes, "id").every((_, i) => Math.abs(arcs.reduce((sum, one) => sum + one.values[i], 0) - 1) < 1e-9),
  "topology: arcs sum to 1", arcs.map((one) => [...one.values]),
);
check(new Set(values(nodes, "id")).size === nodes.length && new Set(values(edges, "id")).size === edges.length, "topology: ids differ");
const ids = new Set(values(nodes, "id"));
check(
  values(edges, "source").every((one) => ids.has(one)) && values(edges, "target").every((one) => ids.has(one)),
  "topology: edges end at nodes",
);
const graph = await post("/api/v1alpha1/metrics/runtime-topology", {
  searchScope: scope, startTime: from.toISOString(), endTime: to.toISOString(), includeDeclared: true,
});
check(graph.body.nodes.length === nodes.length && graph.body.edges.length === edges.length, "topology: nodes and edges of the query API",
  [graph.body.nodes.length, nodes.length, graph.body.edges.length, edges.length]);
check(values(nodes, "icon").includes("database"), "topology: a database has its icon", [...values(nodes, "icon")]);
check(values(edges, "detail__drift").includes("declared"), "topology: declared dependencies", [...values(edges, "detail__drift")]);
const [wide, wide_edges] = await ask_full("topology", { namespace: "acme" });
check(
  wide.length === nodes.length && wide_edges.length === edges.length &&
    [...values(wide_edges, "detail__drift")].sort().join() === [...values(edges, "detail__drift")].sort().join(),
  "topology: of all projects and environments, with what is declared", [wide.length, nodes.length, wide_edges.length, edges.length],
);
const [around] = await ask_full("topology", { ...shop, component: "checkout" });
check(around.length > 1 && around.length < nodes.length, "topology: callers and callees of a component", [around.length, nodes.length]);

// ---- components, changes, events ----

const [components] = await ask_full("components", shop);
const list = await (await fetch(`${base}/api/v1/components?namespace=acme&project=shop&environment=production`)).json();
check(components.length === list.components.length, "components: those of the query API", [components.length, list.components.length]);
check(field(components, "component").config.links?.[0]?.url.includes("/d/callboard-component"), "components: a link to the dashboard");
check(values(components, "version").filter((one) => one).length > 3, "components: versions", [...values(components, "version")]);
const [two] = await ask_full("components", { ...shop, component: ["cart", "checkout"] });
check(two.length === 2, "components: several values", [...values(two, "component")]);
const [changes] = await ask_full("changes", shop);
check(values(changes, "kind").includes("version") && values(changes, "component").includes("checkout"), "changes: the new version", [...values(changes, "text")]);
check(values(changes, "timeEnd").some((one) => one > 0), "changes: a release is a region", [...values(changes, "timeEnd")]);
const [events] = await ask_full("events", shop);
check(values(events, "reason").every((one) => one), "events: reasons");

// ---- cause ----

const recent = { range: { from: new Date(to - 5 * 60 * 1000).toISOString(), to: to.toISOString() } };
const [cause] = await ask_full("cause", shop, recent);
check(values(cause, "component")[0] === "inventory", "cause: the component with the fault is first", [...values(cause, "component")]);
check(values(cause, "score").every((one, i, all) => i === 0 || one <= all[i - 1]), "cause: by score");
check(values(cause, "why")[0]?.length > 20 && values(cause, "since")[0] > 0, "cause: why and since when");
const evidence = await ask_full("cause_evidence", shop, recent);
check(evidence.length > 0 && evidence.every((frame) => frame.fields[0].type === "time" && frame.fields[1].config.unit), "cause_evidence: series with units");
check(evidence.some((frame) => frame.fields[0].values.at(-1) > to - 5 * 60 * 1000 && frame.fields[0].values[0] < to - 5 * 60 * 1000),
  "cause_evidence: before and after");
const [summary] = await ask_full("cause_summary", shop, recent);
check(summary.length === 1 && values(summary, "summary")[0].includes("inventory"), "cause_summary: the sentence", [...values(summary, "summary")]);
const calm = { range: { from: new Date(to - 20 * 60 * 1000).toISOString(), to: new Date(to - 15 * 60 * 1000).toISOString() } };
const [nothing] = await ask("cause", shop, calm);
check(nothing.length > 0 || notices(nothing).length > 20, "cause: a reason where nothing is wrong", notices(nothing));
const [only] = await ask("cause", {}, recent);
check(only.length > 0 || /choose/.test(notices(only)), "cause: one project, or a reason", notices(only));

// ---- incidents as regions ----

const [incidents] = await ask_full("changes", { ...shop, kind: ["incident"] }, recent);
check(values(incidents, "kind").includes("incident") && values(incidents, "timeEnd")[0] > values(incidents, "time")[0],
  "changes: an incident is a region", [...values(incidents, "text")]);
const asked = await post("/grafana/annotations", {
  range: { from: from.toISOString(), to: to.toISOString() },
  annotation: { name: "Changes", enable: true, query: "changes" },
});
check(
  asked.status === 200 && asked.body.length > 0 && asked.body.every((one) => one.time > 0 && one.text && one.title && one.tags),
  "annotations: changes", asked.body,
);

// ---- hostile names ----

const hostile = {
  namespace: "hostile", project: `<img src=x onerror="alert(1)">`, environment: "prod\u0001\u001b[31m\"\\",
  component: "\u6f22\u5b57 \u{1f600} \u202e" + "x".repeat(300),
};
const text = (value) => ({ stringValue: value });
const resource = {
  attributes: Object.entries(hostile).map(([key, value]) => ({ key: `openchoreo.dev/${key}`, value: text(value) }))
    .concat([{ key: "service.name", value: text("</script><b>") }, { key: "k8s.pod.name", value: text("a&b=c#d%20") }]),
};
const ns = (time) => String(BigInt(time) * 1000000n);
const hostile_id = "ab".repeat(16);
const name = "GET /<svg onload=alert(1)>\u0000\u0007\ud83d\ude00";
async function send(path, body) {
  const answer = await post(path, body, process.env.CALLBOARD_OTLP);
  check(answer.status === 200, `hostile: ${path} is taken`, answer.text);
}
const odd = [
  { key: "a\"b\\c\n", value: text("\u0000\u001f</td>") },
  { key: "nested", value: { kvlistValue: { values: [{ key: "<i>", value: { arrayValue: { values: [{ intValue: "9007199254740993" }, { boolValue: true }] } } }] } } },
  { key: "error", value: text("yes") },
  { key: "nan", value: { doubleValue: "NaN" } },
];
const at = Date.now() - 60000;
await send("/v1/traces", { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "<scope>" }, spans: [{
  traceId: hostile_id, spanId: "cd".repeat(8), name, kind: 2, startTimeUnixNano: ns(at), endTimeUnixNano: ns(at + 5),
  status: { code: 2, message: "<failed>\u0000" }, attributes: odd,
  events: [{ timeUnixNano: ns(at + 1), name: "<event>", attributes: odd }],
  links: [{ traceId: "ef".repeat(16), spanId: "01".repeat(8), attributes: odd }],
}] }] }] });
await send("/v1/logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [
  { timeUnixNano: ns(at), severityNumber: 17, body: text("<b>bold</b> \u001b[1m \u0000 \u{1f4a5} ${__value.raw}"), attributes: odd, traceId: hostile_id },
  { timeUnixNano: ns(at), body: { kvlistValue: { values: odd } } },
] }] }] });
if (process.env.SETTLE) // on ClickHouse, what was taken is found when its block is stored
  execFileSync("python3", ["-B", process.env.SETTLE, "settle"]);
const there = { range: { from: new Date(at - 600000).toISOString(), to: new Date(at + 120000).toISOString() } };
const [odd_logs] = await ask_full("logs", { namespace: "hostile" }, there);
check(odd_logs.length === 2 && values(odd_logs, "body").some((one) => one.includes("${__value.raw}")), "hostile: log lines", [...values(odd_logs, "body")]);
const odd_labels = values(odd_logs, "labels").find((one) => one.nan);
check(odd_labels.project === hostile.project && odd_labels["a\"b\\c\n"] !== undefined, "hostile: labels are as they were sent", odd_labels);
const [odd_trace] = await ask_full("trace", { trace_id: hostile_id });
check(values(odd_trace, "operationName")[0].includes("<svg onload"), "hostile: the span", [...values(odd_trace, "operationName")]);
check(
  values(odd_trace, "tags")[0].filter((tag) => tag.key === "error").length === 1 &&
    values(odd_trace, "tags")[0].some((tag) => tag.key === "error" && tag.value === true),
  "hostile: one tag says that it failed", values(odd_trace, "tags")[0],
);
check(values(odd_trace, "references")[0][0].traceID === "ef".repeat(16), "hostile: links are references");
check(values(odd_trace, "logs")[0][0].fields[0].value === "<event>", "hostile: events are logs");
const [odd_traces] = await ask_full("traces", { namespace: "hostile" }, there);
check(values(odd_traces, "component")[0].startsWith("\u6f22\u5b57"), "hostile: the component", [...values(odd_traces, "component")]);
for (const target of ["topology", "components", "log_volume", "log_templates", "trace_scatter"])
  await ask_full(target, { namespace: "hostile" }, there);
for (const target of ["changes", "events", "cause", "cause_evidence", "cause_summary"])
  await ask(target, { namespace: "hostile", project: hostile.project }, there);

// ---- a server without data ----

for (const target of ["log_volume", "logs", "log_templates", "traces", "trace_scatter", "trace", "topology", "components",
  "changes", "events", "cause", "cause_evidence", "cause_summary"]) {
  const frames = await ask(target, { ...shop }, {}, process.env.CALLBOARD_EMPTY);
  check(frames.length > 0 && (frames.some((frame) => notices(frame)) || frames.some((frame) => frame.length > 0)),
    `${target}: a reason on an empty server`, frames);
}
finish();
