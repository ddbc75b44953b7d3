// The dashboards through the JSON plugin's own class, where its source is:
// PLUGIN_SOURCE names the folder (src/ of simpod-json-datasource).
import { check, finish } from "./tap.mjs";
import { dashboards, panels } from "./dashboards.mjs";
import { Grafana } from "./grafana_client.mjs";
import { versions } from "./grafana_data.mjs";

const folder = process.env.PLUGIN_SOURCE;
if (!folder) {
  console.log("ok 1 - the plugin's own class # SKIP PLUGIN_SOURCE is not set");
  process.exit(0);
}
const { loadPlugin } = await import("./plugin_source.mjs");
const url = process.env.CALLBOARD_URL;
const now = Date.now();
const range = { from: now - 30 * 60e3, to: now };
const chosen = { component: "checkout", project: "shop" };

function request(grafana, panel, targets) {
  const { data } = versions[0];
  const time = { from: data.dateTime(range.from), to: data.dateTime(range.to), raw: { from: "now-30m", to: "now" } };
  return { app: "dashboard", requestId: "Q1", timezone: "browser", panelId: panel.id, range: time, rangeRaw: time.raw, interval: "60s",
    intervalMs: grafana.intervalMs, maxDataPoints: grafana.maxDataPoints, startTime: now, scopedVars: {}, targets: structuredClone(targets) };
}

for (const { name, data } of versions) {
  const state = { values: {}, variables: [] };
  const DataSource = loadPlugin(folder, url + "/grafana", state, data);
  const source = new DataSource({ id: 1, uid: "callboard", name: "Callboard", type: "simpod-json-datasource", url: url + "/grafana", jsonData: {} });
  const query = (options) => (source.oldQuery ?? source.query).call(source, options);
  for (const { file, dashboard } of dashboards()) {
    const grafana = new Grafana(url, range);
    state.values = {};
    for (const model of dashboard.templating.list.filter(({ type }) => type === "query")) {
      state.values = await grafana.variables({ ...dashboard, templating: { list: dashboard.templating.list } },
        (one) => (one.includeAll || one.type !== "query" ? undefined : chosen[one.name]));
      const options = await source.metricFindQuery(model.query, { range: undefined });
      check(options.length > 0 && options.every(({ text, value }) => text && value), `${name}, ${file}: variable ${model.name}`, options.slice(0, 3));
    }
    state.values = { ...grafana.globals(), ...state.values };
    state.variables = dashboard.templating.list.map((model) => ({ ...model, id: model.name, current: state.values[model.name] ?? { text: "", value: "" },
      options: [{ text: "All", value: "$__all" }, ...(state.values[model.name]?.options ?? [])] }));
    for (const panel of panels(dashboard)) {
      const targets = panel.targets.filter(({ datasource }) => datasource.type === "simpod-json-datasource");
      if (!targets.length)
        continue;
      const answer = await query(request(grafana, panel, targets)).catch((error) => ({ data: [], error }));
      check(!answer.error && answer.data.length > 0, `${name}, ${file}: ${panel.title}`, answer.error);
    }
  }
}
finish();
