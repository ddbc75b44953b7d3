// Tempo's answers as Grafana's Tempo data source reads them: the table of a
// search with its spans inside, the trace view, the tags of the search builder;
// and a failed trace found the way a user does.
import { versions } from "./grafana_data.mjs";
import { check, finish } from "./tap.mjs";
import { dashboards, panels } from "./dashboards.mjs";
import { Grafana, replace } from "./grafana_client.mjs";

const base = process.env.CALLBOARD_URL + "/tempo";
const now = Math.floor(Date.now() / 1000);
const window = { start: now - 3600, end: now + 60 };

async function ask(path, params = {}, accept = "application/json") {
  const response = await fetch(`${base}${path}?${new URLSearchParams({ ...window, ...params })}`, { headers: { accept } });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

const ask_json = async (path, params) => JSON.parse((await ask(path, params)).text);
const search = (q, more) => ask_json("/api/search", { q, ...more });

// What Grafana shows of an attribute: the first of these that is there.
const shown = (v) => v.stringValue ?? v.intValue ?? v.doubleValue ?? v.boolValue;

// One row a trace; a nested frame for each of its sets of spans.
function table(data, traces) {
  const nested = (trace) => trace.spanSets.map((set) => {
    const keys = [...new Set(set.spans.flatMap((s) => (s.attributes ?? []).map((a) => a.key)))].sort();
    const column = (name, type, of) => ({ name, type, values: set.spans.map(of) });

    return data.toDataFrame({
      fields: [
        column("traceIdHidden", "string", () => trace.traceID),
        column("spanID", "string", (s) => s.spanID),
        column("time", "time", (s) => parseInt(s.startTimeUnixNano, 10) / 1e6),
        column("name", "string", (s) => s.name),
        ...keys.map((key) => column(key, "string", (s) => {
          const found = (s.attributes ?? []).find((a) => a.key === key);
          return found && shown(found.value);
        })),
        column("duration", "number", (s) => parseInt(s.durationNanos, 10)),
      ],
    });
  });

  return data.toDataFrame({
    fields: [
      { name: "traceID", type: "string", values: traces.map((t) => t.traceID) },
      { name: "startTime", type: "time", values: traces.map((t) => parseInt(t.startTimeUnixNano, 10) / 1e6) },
      { name: "traceService", type: "string", values: traces.map((t) => t.rootServiceName) },
      { name: "traceName", type: "string", values: traces.map((t) => t.rootTraceName) },
      { name: "traceDuration", type: "number", values: traces.map((t) => t.durationMs) },
      { name: "nested", type: "nestedFrames", values: traces.map(nested) },
    ],
  });
}

const hex = (base64) => Buffer.from(base64 ?? "", "base64").toString("hex");

// One row a span, as the trace view has it.
function trace_frame(data, batches) {
  const rows = batches.flatMap((batch) => batch.scopeSpans.flatMap((scope) => scope.spans.map((span) => ({
    traceID: hex(span.traceId), spanID: hex(span.spanId), parentSpanID: hex(span.parentSpanId),
    operationName: span.name,
    serviceName: batch.resource.attributes.find((a) => a.key === "service.name")?.value.stringValue,
    kind: span.kind?.split("_").pop().toLowerCase(),
    startTime: Number(span.startTimeUnixNano) / 1e6,
    duration: (Number(span.endTimeUnixNano) - Number(span.startTimeUnixNano)) / 1e6,
  }))));
  const names = Object.keys(rows[0]);

  return data.toDataFrame({
    meta: { preferredVisualisationType: "trace" },
    fields: names.map((name) => ({
      name, type: name === "startTime" || name === "duration" ? "number" : "string", values: rows.map((r) => r[name]),
    })),
  });
}

const all = await search("{}", { limit: 50 });
const failed = await search("{ status = error && kind = server } | select(span.http.route, resource.service.name, status)");
check(all.traces.length === 50, "{} finds traces", all.metrics);
check(failed.traces.length > 0, "failed traces are found", failed.metrics);
for (const { name, data } of versions) {
  const frame = table(data, failed.traces);
  const inner = frame.fields[5].values[0][0];
  const columns = inner.fields.map((f) => f.name);

  check(frame.length === failed.traces.length && frame.fields[4].values.every((v) => v >= 0)
    && frame.fields[2].values.every((v) => v) && frame.fields[1].values.every((v) => v > (now - 7200) * 1000),
    `${name}: the table of traces`, failed.traces[0]);
  check(["service.name", "status"].every((c) => columns.includes(c))
    && inner.fields.find((f) => f.name === "status").values.every((v) => v === "error")
    && inner.fields.at(-1).values.every((v) => v >= 0), `${name}: spans inside, with what select() names`, columns);
}

const id = failed.traces[0].traceID;
const trace = await ask_json(`/api/traces/${id}`);
const second = await ask_json(`/api/v2/traces/${id}`);
check(JSON.stringify(trace.batches) === JSON.stringify(second.trace.resourceSpans), "both versions have the same spans");
for (const { name, data } of versions) {
  const frame = trace_frame(data, trace.batches);
  const column = (n) => frame.fields.find((f) => f.name === n).values;
  const ids = new Set(column("spanID"));
  const spans = Object.values(failed.traces[0].serviceStats).reduce((n, s) => n + s.spanCount, 0);

  check(frame.length === spans && ids.size === spans, `${name}: the trace has the spans that serviceStats count`, frame.length);
  check(column("parentSpanID").every((p) => p === "" || ids.has(p)) && column("serviceName").every((s) => s)
    && column("duration").every((d) => d >= 0) && column("traceID").every((t) => t === id), `${name}: they are a tree`);
  check(failed.traces[0].spanSets[0].spans.every((s) => ids.has(s.spanID)), `${name}: the spans of the search are in it`);
}

const binary = await ask(`/api/v2/traces/${id}`, {}, "application/protobuf");
check(binary.status === 200 && binary.type === "application/protobuf", "protobuf for Grafana's server", binary.type);
const missing = await ask("/api/v2/traces/" + "9".repeat(32), {}, "application/protobuf");
check(missing.status === 404, "a trace that is not there");

const scopes = (await ask_json("/api/v2/search/tags")).scopes;
const tags = Object.fromEntries(scopes.map((s) => [s.name, s.tags]));
check(tags.resource.includes("service.name") && tags.span.includes("http.route") && tags.intrinsic.includes("duration"),
  "the search builder has tags", tags);
for (const tag of ["resource.service.name", "resource.component", "span.http.route", "name", "status", "kind"]) {
  const values = (await ask_json(`/api/v2/search/tag/${encodeURIComponent(tag)}/values`)).tagValues;
  check(values.length > 0 && values.every((v) => v.type && v.value), `${tag} has values`, values.slice(0, 3));
  // What the builder writes of the first one is a query that finds something.
  const value = values[0].type === "keyword" ? values[0].value : JSON.stringify(values[0].value);
  const found = await search(`{${tag}=${value}}`, { limit: 1 });
  check(found.traces.length === 1, `{${tag}=${value}} finds a trace`, found);
}
const bad = await ask("/api/search", { q: "{ nonsense" });
check(bad.status === 400 && bad.text.includes("column 3"), "an error names the place", bad);
// ---- links of the dashboard Traces to Explore ----

const { dashboard } = dashboards().find(({ file }) => file === "traces.json");
const [first] = (await search("{ }")).traces;
const begin = { project: "shop", trace_id: first.traceID };

// What Explore asks for after a click on this link: a query and seconds.
async function clicked(url, component) {
  const grafana = new Grafana(process.env.CALLBOARD_URL, { from: window.start * 1000, to: window.end * 1000 });
  const values = await grafana.variables(dashboard, ({ name }) => (name === "component" ? component : begin[name]));
  const panes = JSON.parse(new URL(replace(url, values, "raw"), "http://grafana").searchParams.get("panes"));
  const [{ datasource, queries: [query], range }] = Object.values(panes);
  check(datasource === "callboard-tempo" && query.datasource.uid === datasource && query.datasource.type === "tempo",
    "a link leads to the Tempo data source", panes);
  return { query: query.query, start: Math.floor(range.from / 1000), end: Math.ceil(range.to / 1000) };
}

const { url } = dashboard.links.find(({ type }) => type === "link");
for (const component of ["$__all", "checkout", ["checkout", "inventory"]]) {
  const { query, ...times } = await clicked(url, component);
  const found = (await search(query, times)).traces ?? [];
  const wanted = [component].flat().filter((name) => name !== "$__all");
  // All are all components of the project: not what was sent without one, nor
  // what another check has sent.
  const { traces } = await search(wanted.length ? `{ resource.component =~ "${wanted.join("|")}" }` : "{ resource.project = \"shop\" && resource.component != nil }", times);
  check(found.length > 0 && found.map(({ traceID }) => traceID).join() === traces.map(({ traceID }) => traceID).join(),
    `the link to Explore finds the traces of ${component}`, query);
}
const one = await clicked(panels(dashboard).find(({ type }) => type === "traces").links[0].url, "$__all");
const opened = await ask_json(`/api/v2/traces/${one.query}`);
check(one.query === first.traceID && opened.trace.resourceSpans.length > 0, "the link of the trace opens it in Explore", one);
finish();
