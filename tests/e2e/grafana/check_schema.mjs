// The dashboards as files: formatted; held against the TypeScript types of
// @grafana/schema in two major versions (members, types and words, also of the
// options and custom field settings of each kind of panel); our layout.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import ts from "typescript";
import { check, finish } from "./tap.mjs";
import { dashboards, panels, rows } from "./dashboards.mjs";

const folder = process.env.DASHBOARDS;

// ---- @grafana/schema ----

const panelTypes = {
  timeseries: "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
  stat: "stat/panelcfg/x/StatPanelCfg_types.gen",
  table: "table/panelcfg/x/TablePanelCfg_types.gen",
  logs: "logs/panelcfg/x/LogsPanelCfg_types.gen",
  heatmap: "heatmap/panelcfg/x/HeatmapPanelCfg_types.gen",
  nodeGraph: "nodegraph/panelcfg/x/NodeGraphPanelCfg_types.gen",
  traces: null, // has no options
};

// A text of JSON is not of the type of an enum, so each becomes a union of its
// values.
function unionOfEnum(all, name, body) {
  const members = [...body.matchAll(/(\w+) = ([^,\n]+)/g)];
  return `export type ${name} = ${members.map((member) => member[2]).join(" | ")};
export declare namespace ${name} { ${members.map((member) => `type ${member[1]} = ${member[2]};`).join(" ")} }`;
}

function copyTypes(from, to) {
  for (const file of readdirSync(from, { recursive: true })) {
    if (!file.endsWith(".d.ts"))
      continue;
    const text = readFileSync(join(from, file), "utf8")
      .replace(/export declare enum (\w+) \{([^}]*)\}/g, unionOfEnum)
      .replace(/export \{\s*(\w+ as \w+)/g, "export { $1");
    mkdirSync(join(to, file, ".."), { recursive: true });
    writeFileSync(join(to, file), text);
  }
}

// The lowest threshold is null in JSON: it has no infinity.
function threshold(key, value) {
  return key === "steps" && Array.isArray(value)
    ? value.map((step) => ({ ...step, value: step.value ?? Number.MIN_SAFE_INTEGER }))
    : value;
}

function source(schema, dashboard, name) {
  const kinds = Object.entries(panelTypes).filter(([, file]) => file);
  let text = `import type { Dashboard } from "./veneer/dashboard.types";\n`;
  text += kinds.map(([kind, file]) => `import type * as ${kind} from "./raw/composable/${file}";\n`).join("");
  text += `type Part<T> = T extends (infer U)[] ? Part<U>[] : T extends object ? { [K in keyof T]?: Part<T[K]> } : T;\n`;
  // Queries are of their plugins; the types of annotations know Grafana's own only.
  const plain = structuredClone(dashboard);
  for (const annotation of plain.annotations.list)
    annotation.target = { refId: "Anno" };
  text += `export const dashboard: Dashboard = ${JSON.stringify(plain, threshold, 1)};\n`;
  for (const panel of panels(dashboard)) {
    if (!panelTypes[panel.type])
      continue;
    text += `export const options${panel.id}: Part<${panel.type}.Options> = ${JSON.stringify(panel.options ?? {})};\n`;
    if (panel.fieldConfig.defaults.custom)
      text += `export const custom${panel.id}: Part<${panel.type}.FieldConfig> = ${JSON.stringify(panel.fieldConfig.defaults.custom)};\n`;
  }
  const file = join(schema, `${name}.ts`);
  writeFileSync(file, text);
  return file;
}

// ---- members that the types do not know ----

function typeErrors(name, dashboardList) {
  const schema = join(process.cwd(), `types-${name}`);
  rmSync(schema, { recursive: true, force: true });
  const module = name.startsWith("11") ? "@grafana/schema" : "grafana-schema-12";
  copyTypes(join("node_modules", module, "dist/esm"), schema);
  const files = dashboardList.map(({ file, dashboard }) => source(schema, dashboard, `check-${basename(file, ".json")}`));
  const program = ts.createProgram(files, {
    strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022,
    moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext,
    paths: { "@grafana/schema": [join(schema, "index")] }, baseUrl: schema,
  });
  return files.map((file) => ({
    file: basename(file, ".ts").replace("check-", ""),
    errors: ts.getPreEmitDiagnostics(program, program.getSourceFile(file))
      .map((error) => ts.flattenDiagnosticMessageText(error.messageText, "\n").slice(0, 600)),
  }));
}

const all = dashboards(folder);
check(all.length === 8, "there are eight dashboards", all.map(({ file }) => file));
for (const version of ["11.6.0", "12.0.0"])
  for (const { file, errors } of typeErrors(version, all))
    check(errors.length === 0, `${file} is a Dashboard of @grafana/schema ${version}`, errors);
// That the check can fail: a wrong member, a wrong word, a wrong option.
const spoiled = structuredClone(all[0].dashboard);
spoiled.annotation = spoiled.annotations;
spoiled.links[0].type = "dashbords";
panels(spoiled).find(({ type }) => type === "timeseries").options.legend.placement = "under";
check(typeErrors("12.0.0", [{ file: "spoiled.json", dashboard: spoiled }])[0].errors.length >= 2,
  "a dashboard with wrong members and words is told");

// ---- our rules ----

function overlap(a, b) {
  const [p, q] = [a.gridPos, b.gridPos];
  return p.x < q.x + q.w && q.x < p.x + p.w && p.y < q.y + q.h && q.y < p.y + p.h;
}

// Lines of panels between two rows are full, and their panels equally high.
function untidyLines(dashboard) {
  const lines = new Map();
  for (const { gridPos, title } of panels(dashboard)) {
    const line = lines.get(gridPos.y) ?? { width: 0, heights: new Set(), title };
    line.width += gridPos.w;
    line.heights.add(gridPos.h);
    lines.set(gridPos.y, line);
  }
  return [...lines.values()].filter(({ width, heights }) => width !== 24 || heights.size !== 1).map(({ title }) => title);
}

const uids = new Set(all.map(({ dashboard }) => dashboard.uid));
const order = ["datasource", "prometheus", "tempo", "namespace", "project", "environment", "component", "endpoint", "operation"];

for (const { file, text, dashboard } of all) {
  const every = [...panels(dashboard), ...rows(dashboard)];
  check(text === JSON.stringify(dashboard, null, 2) + "\n", `${file} is formatted as JSON.stringify(..., null, 2) does`);
  check(text.length < 64 * 1024, `${file} is small`, text.length);
  check(dashboard.uid === `callboard-${basename(file, ".json")}` && uids.size === all.length, `${file} has its own uid`);
  check(["id", "version", "gnetId", "iteration", "__inputs", "__requires"].every((key) => !(key in dashboard)),
    `${file} has no ids of an installation`);
  check(!/"uid": "(?!\$\{(datasource|prometheus|tempo)\}|callboard-)/.test(text), `${file} names data sources by variables only`);
  check(dashboard.schemaVersion === 39, `${file} has the schema version of Grafana 11`);
  check(new Set(every.map(({ id }) => id)).size === every.length, `${file}: ids of panels differ`);
  const clashes = every.flatMap((a, i) => every.slice(i + 1).filter((b) => overlap(a, b)).map((b) => [a.title, b.title]));
  check(clashes.length === 0, `${file}: no panels overlap`, clashes);
  check(every.every(({ gridPos: g }) => g.x >= 0 && g.x + g.w <= 24 && g.h >= 1), `${file}: panels are inside of the grid`);
  check(untidyLines(dashboard).length === 0, `${file}: lines are full and their panels equally high`, untidyLines(dashboard));
  const bare = panels(dashboard).filter((panel) => !(panel.description?.length > 10) || !panel.title || !panel.fieldConfig.defaults.noValue);
  check(bare.length === 0, `${file}: panels have a title, a description and a text for no value`, bare.map(({ title }) => title));
  const names = dashboard.templating.list.map(({ name }) => name);
  const known = names.filter((name) => order.includes(name));
  check(known.join() === order.filter((name) => names.includes(name)).join() && names[0] === "datasource",
    `${file}: variables are in the order of all dashboards`, names);
  const used = names.filter((name) => !new RegExp(`\\$\\{?${name}\\b`).test(text));
  check(used.length === 0, `${file} uses each of its variables`, used);
  const missing = [...text.matchAll(/\$\{?([a-z_]+)(?::[a-z]+)?\b/g)].map(([, name]) => name)
    .filter((name) => !names.includes(name) && !name.startsWith("__"));
  check(missing.length === 0, `${file} has the variables that it uses`, missing);
  const types = dashboard.templating.list.map(({ type }) => type)
    .filter((type) => !["custom", "query", "constant", "datasource", "interval", "textbox", "adhoc"].includes(type));
  check(types.length === 0, `${file} has kinds of variables that the JSON plugin knows only`, types);
  check(dashboard.links.some((link) => link.type === "dashboards" && link.tags.includes("callboard") && link.keepTime && link.includeVars)
    && dashboard.tags.includes("callboard"), `${file} leads to the others with time and variables`);
  const lost = [...text.matchAll(/\/d\/([\w-]+)/g)].map(([, uid]) => uid).filter((uid) => !uids.has(uid));
  check(lost.length === 0, `${file} leads to dashboards that are there`, lost);
}
// ---- PromQL by Prometheus' own grammar; provisioning ----

function promqlFault(text) {
  let fault;
  parser.parse(text).iterate({ enter: (node) => { if (node.type.isError) fault ??= `${text} at ${node.from}`; } });
  return fault;
}

// Texts after "expr: >-".
function rules(yaml) {
  return [...yaml.matchAll(/^( *)expr: >-\n((?:\1 +.*\n)+)/gm)].map(([, , text]) => text.replace(/\s+/g, " ").trim());
}

const exprs = all.flatMap(({ dashboard }) => panels(dashboard).flatMap(({ targets }) => targets))
  .filter(({ expr }) => expr).map(({ expr }) => expr.replace(/\$__\w+/g, "5m"));
const provisioning = (name) => readFileSync(join(folder, "provisioning", name, "callboard.yaml"), "utf8");
exprs.push(...rules(provisioning("alerting")));
check(exprs.length >= 4 && exprs.every((expr) => !promqlFault(expr)), "PromQL of panels and alert rules is Prometheus'",
  exprs.map(promqlFault).filter(Boolean));
check(promqlFault("sum by (a (b)") !== undefined, "wrong PromQL is told");
const sources = [...provisioning("datasources").matchAll(/^ {4}uid: (\S+)/gm)].map(([, uid]) => uid);
check(sources.join() === "callboard,callboard-prometheus,callboard-tempo", "three data sources are provisioned", sources);
const named = [provisioning("datasources"), provisioning("alerting"), ...all.map(({ text }) => text)].join("\n");
const unknown = [...named.matchAll(/(?:datasourceUid|targetUID|__dashboardUid__): (\S+)/g)].map(([, uid]) => uid)
  .filter((uid) => !sources.includes(uid) && !uids.has(uid));
check(unknown.length === 0, "data sources and dashboards that are named are there", unknown);
for (const { file, dashboard } of all)
  check(dashboard.templating.list.filter(({ type }) => type === "datasource").every(({ current }) => sources.includes(current.value)),
    `${file} begins with the data sources that are provisioned`);
for (const uid of uids)
  check(readFileSync(join(folder, "../docs/grafana.md"), "utf8").includes(uid), `docs/grafana.md has ${uid}`);
finish();
