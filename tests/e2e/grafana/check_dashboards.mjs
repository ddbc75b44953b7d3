// Every query of every panel of every dashboard, as Grafana sends it, against
// the shop: with the variables as a dashboard begins, with one value, several,
// All, and with payloads in the code editor. No panel may be empty, of a wrong
// type, without a unit, with an error, or have an override for nothing.
import { versions } from "./grafana_data.mjs";
import { check, finish } from "./tap.mjs";
import { dashboards, panels } from "./dashboards.mjs";
import { Grafana } from "./grafana_client.mjs";

const url = process.env.CALLBOARD_URL;
const now = Date.now();
const range = { from: now - 30 * 60e3, to: now };
const all = dashboards();
const variablesOf = new Map(all.map(({ dashboard }) => [dashboard.uid, dashboard.templating.list.map(({ name }) => name)]));

// The components of the shop that have most of everything.
const chosen = { namespace: "acme", project: "shop", environment: "production", component: "checkout", level: "error" };
const others = { component: ["checkout", "inventory"], level: ["error", "info"] };

async function someTrace() {
  const traces = all.find(({ file }) => file === "traces.json").dashboard;
  const grafana = new Grafana(url, range);
  const values = await grafana.variables(traces);
  const table = panels(traces).find(({ type }) => type === "table");
  const [answer] = await grafana.panel(table, values);
  const frame = versions[0].data.toDataFrame(answer.frames[0]);
  return frame.fields[0].values[0];
}

const settings = {
  "as it begins": (model) => ({ component: "checkout", project: "shop" }[model.includeAll ? "" : model.name]),
  "one value": (model, options) => (model.name === "trace_id" ? undefined
    : model.name in chosen ? (model.multi ? [chosen[model.name]] : chosen[model.name])
    : model.multi && options.length ? [options[0].value] : undefined),
  "several values": (model, options) => (model.multi && options.length > 1
    ? others[model.name] ?? options.slice(0, 2).map(({ value }) => value)
    : model.includeAll ? undefined : chosen[model.name]),
  "all": (model) => (model.includeAll ? "$__all" : chosen[model.name]),
};

const known = new Set(["time", "number", "string", "boolean", "trace", "enum", "other"]);

function unitOf(field, panel, frame, frames, data) {
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    const matches = data.fieldMatchers.get(matcher.id).get(matcher.options);
    const unit = properties.find(({ id }) => id === "unit");
    if (unit && matches(field, frame, frames))
      return unit.value;
  }
  return field.config.unit ?? panel.fieldConfig.defaults.unit;
}

// Numbers whose unit nobody reads: shares of a ring, counts in details.
const unitless = (panel, field) => panel.type === "logs" || panel.type === "traces" || panel.type === "nodeGraph" || field.name === "line";

function faults(panel, frames, data) {
  const found = [];
  const shown = new Set(frames.flatMap((frame) => frame.fields.map((field) => data.getFieldDisplayName(field, frame, frames))));
  for (const { id, options } of panel.transformations ?? [])
    for (const name of id !== "organize" ? [] : [...Object.keys(options.excludeByName), ...Object.keys(options.indexByName)])
      if (!shown.has(name))
        found.push(`column ${name} is not there`);
  if (frames.reduce((rows, frame) => rows + frame.length, 0) === 0)
    found.push("no rows");
  for (const frame of frames) {
    const names = frame.fields.map((field) => data.getFieldDisplayName(field, frame, frames));
    if (new Set(names).size !== names.length)
      found.push(`two fields of one name: ${names}`);
    for (const notice of frame.meta?.notices ?? [])
      if (notice.severity !== "info")
        found.push(`notice: ${notice.text}`);
    for (const field of frame.fields) {
      if (!known.has(field.type))
        found.push(`${field.name} is of type ${field.type}`);
      if (field.values.length !== frame.length)
        found.push(`${field.name} has ${field.values.length} of ${frame.length} values`);
      const value = field.values.find((one) => one !== null && one !== undefined);
      if (value === undefined)
        continue;
      if (field.type === "time" && !(typeof value === "number" && value > 1e12 && value < 1e14))
        found.push(`${field.name} is no time: ${value}`);
      if (field.type === "number" && typeof value !== "number")
        found.push(`${field.name} is no number: ${value}`);
      if (field.type === "string" && typeof value !== "string")
        found.push(`${field.name} is no text: ${JSON.stringify(value)}`);
      if (field.type === "number" && !unitless(panel, field)) {
        const unit = unitOf(field, panel, frame, frames, data);
        if (!unit)
          found.push(`${field.name} has no unit`);
        else if (unit !== "none" && unit !== "short" && data.getValueFormat(unit)(1).text === undefined)
          found.push(`${field.name} has the unknown unit ${unit}`);
      }
      for (const link of field.config.links ?? []) {
        const uid = /\/d\/([\w-]+)/.exec(link.url)?.[1];
        if (uid && !variablesOf.has(uid))
          found.push(`${field.name} leads to ${uid}, which is not there`);
        for (const [, name] of uid ? link.url.matchAll(/[?&]var-(\w+)=/g) : [])
          if (!variablesOf.get(uid)?.includes(name))
            found.push(`${field.name} leads to ${uid} with ${name}, which it has not`);
        if (!link.title)
          found.push(`${field.name} has a link without title`);
      }
    }
    if (panel.type === "timeseries" && frame.length && !(frame.fields[0].type === "time" && frame.fields.some(({ type }) => type === "number")))
      found.push("no time and number");
  }
  if (panel.type === "timeseries" && frames.reduce((n, { fields }) => n + fields.length - 1, 0) > 60)
    found.push("more series than a person can read");
  for (const { matcher } of panel.fieldConfig.overrides) {
    const matches = data.fieldMatchers.get(matcher.id).get(matcher.options);
    if (!frames.some((frame) => frame.fields.some((field) => matches(field, frame, frames))))
      found.push(`override ${matcher.options} matches nothing`);
  }
  for (const { id, options } of panel.transformations ?? [])
    if (id === "renameByRegex" && ![...shown].some((name) => new RegExp(options.regex).test(name)))
      found.push(`no field is renamed by ${options.regex}`);
  for (const { displayName } of panel.options?.sortBy ?? [])
    if (!frames.some((frame) => frame.fields.some((field) => data.getFieldDisplayName(field, frame, frames) === displayName)))
      found.push(`sorted by ${displayName}, which is not there`);
  return found;
}

const trace = await someTrace().catch((error) => String(error));
let slowest = { took: 0 };

async function run(file, dashboard, setting, code) {
  const grafana = new Grafana(url, Grafana.begin(dashboard, range));
  const choose = (model, options) => (model.name === "trace_id" ? trace : settings[setting](model, options));
  let values;
  try {
    values = await grafana.variables(dashboard, choose);
  } catch (error) {
    check(false, `${file}: variables, ${setting}`, String(error));
    return;
  }
  const empty = dashboard.templating.list.filter(({ type, name }) => type === "query" && !values[name].options.length);
  check(empty.length === 0, `${file}: variables have options, ${setting}`, empty.map(({ name }) => name));
  // What a row of a table or the axis of a graph shows when it is full is
  // asked of the settings in which the shop has all of it.
  const title = `${setting}${code ? ", code editor" : ""}`;
  for (const panel of panels(dashboard)) {
    const start = performance.now();
    const answers = await grafana.panel(panel, values, { code });
    const took = performance.now() - start;
    if (took > slowest.took)
      slowest = { took, title: `${file}: ${panel.title}, ${title}` };
    const errors = answers.filter(({ error }) => error).map(({ error, status, expr }) => ({ status, error, expr }));
    const seen = errors.length ? errors : versions.flatMap(({ name, data }) => {
      try {
        return faults(panel, answers.flatMap(({ frames }) => frames.map((frame) => data.toDataFrame(frame))), data);
      } catch (error) {
        return [`${name}: ${error.message}`];
      }
    });
    check(seen.length === 0, `${file}: ${panel.title}, ${title}`, [...new Set(seen)]);
  }
  for (const { name, error, frames } of await grafana.annotations(dashboard, values)) {
    const data = versions[0].data;
    const all = error ? [] : frames.map((frame) => data.toDataFrame(frame));
    const names = new Set(all.flatMap((frame) => frame.fields.map((field) => field.name)));
    check(!error && ["time", "title", "text"].every((name) => names.has(name)), `${file}: annotation ${name}, ${title}`, error ?? [...names]);
  }
}

for (const { file, dashboard } of all) {
  for (const setting of Object.keys(settings))
    await run(file, dashboard, setting, false);
  await run(file, dashboard, "several values", true);
  await run(file, dashboard, "as it begins", true);
}
console.log(`# slowest panel: ${slowest.took.toFixed(0)} ms, ${slowest.title}`);
finish();
