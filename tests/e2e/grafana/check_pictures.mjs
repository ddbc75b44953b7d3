// The dashboards drawn in Chromium: with the shop, with an empty server, and
// with answers that are errors; light and dark, 1400 and 800 px wide. Each
// panel must show something: marks where there is data, else words.
//
//   PICTURES=folder   keeps the pictures; those of docs/img are NAME.png there
//   ONLY=a,b          of these dashboards
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check, finish } from "./tap.mjs";
import { dashboards, panels } from "./dashboards.mjs";
import { page as pageOf } from "./draw_page.mjs";
import { Grafana } from "./grafana_client.mjs";
import { versions } from "./grafana_data.mjs";

const folder = process.env.PICTURES;
const only = process.env.ONLY?.split(",");
// Whole minutes, for the last one of the shop's would have a part of its
// requests. Callboard's own counters have one sample, just now.
const now = Date.now();
const range = { from: 0, to: Math.floor(now / 60e3) * 60e3 };
range.from = range.to - 30 * 60e3;
const start = { component: "checkout", project: "shop" };

// Not the newest: its log records may be after the last whole minute.
async function trace(grafana, all) {
  const { dashboard } = all.find(({ file }) => file === "traces.json");
  const values = await grafana.variables(dashboard);
  const [answer] = await grafana.panel(panels(dashboard).find(({ type }) => type === "table"), values);
  return answer.frames.length ? versions[0].data.toDataFrame(answer.frames[0]).fields[0].values.at(-1) : undefined;
}

async function load(grafana, dashboard, traceId) {
  const values = await grafana.variables(dashboard, (model, options) =>
    (model.name === "trace_id" ? traceId : model.includeAll || model.type !== "query" ? undefined
      : options.find(({ value }) => value === start[model.name])?.value));
  const answers = new Map();
  for (const panel of panels(dashboard))
    answers.set(panel.id, await grafana.panel(panel, values));
  const changes = (await grafana.annotations(dashboard, values)).flatMap(({ frames }) =>
    frames.flatMap((frame) => versions[0].data.toDataFrame(frame).fields.find(({ name }) => name === "time")?.values ?? []));
  return { values, answers, changes, range: grafana.range };
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

async function picture(dashboard, loaded, name, width, dark) {
  const { html, height } = pageOf(dashboard, loaded.values, loaded.answers, { width, dark, range: loaded.range, changes: loaded.changes });
  const view = await browser.newPage({ viewport: { width, height: Math.ceil(height) } });
  await view.setContent(html);
  const seen = await view.evaluate(() => [...document.querySelectorAll(".panel")].map((panel) => ({
    id: Number(panel.dataset.id),
    marks: [...panel.querySelectorAll(".mark")].filter((mark) => { const box = mark.getBoundingClientRect(); return box.width + box.height > 0; }).length,
    words: (panel.querySelector(".none, .error")?.textContent ?? "").trim(),
  })));
  if (folder && width !== 1000)
    await view.screenshot({ path: join(folder, `${name}-${width}-${dark ? "dark" : "light"}.png`) });
  if (folder && width === 1000)
    await view.screenshot({ path: join(folder, `${name}.png`), clip: { x: 0, y: 0, width, height: Math.min(height, 940) } });
  await view.close();
  return seen;
}

const failing = { error: "unknown metric 'requets'; did you mean requests?", frames: [] };

if (folder)
  mkdirSync(folder, { recursive: true });
const all = dashboards();
const traceId = await trace(new Grafana(process.env.CALLBOARD_URL, range), all);
for (const { file, dashboard } of all) {
  const name = file.replace(".json", "");
  if (only && !only.includes(name))
    continue;
  const titles = new Map(panels(dashboard).map((panel) => [panel.id, panel.title]));
  const begin = Grafana.begin(dashboard, name === "self" ? { from: range.from, to: now } : range);
  const [shop, empty] = [process.env.CALLBOARD_URL, process.env.CALLBOARD_EMPTY].map((url) => new Grafana(url, begin));
  const full = await load(shop, dashboard, traceId);
  for (const width of [1400, 800])
    for (const dark of [false, true]) {
      const blank = (await picture(dashboard, full, name, width, dark)).filter(({ marks }) => marks === 0);
      check(blank.length === 0, `${file}: no panel is blank, ${width} px, ${dark ? "dark" : "light"}`,
        blank.map(({ id, words }) => `${titles.get(id)}: ${words}`));
    }
  if (folder)
    await picture(dashboard, full, name, 1000, false);
  const bare = await load(empty, dashboard);
  const silent = (await picture(dashboard, bare, `${name}-empty`, 1400, false)).filter(({ marks, words }) => marks === 0 && !words);
  check(silent.length === 0, `${file}: panels without data say so`, silent.map(({ id }) => titles.get(id)));
  const broken = { ...full, answers: new Map([...full.answers.keys()].map((id) => [id, [failing]])) };
  const quiet = (await picture(dashboard, broken, `${name}-error`, 1400, false)).filter(({ words }) => !words);
  check(quiet.length === 0, `${file}: panels show errors`, quiet.map(({ id }) => titles.get(id)));
}
await browser.close();
finish();
