// All panels of a dashboard, one request after the other as Grafana sends them.
//
//   node dashboard_speed.mjs URL DASHBOARD.json HOURS ROUNDS NAME=VALUE ...
//
// A variable's value may hold commas: the next one in each round. Prints JSON:
// {"ms": median of the sums, "panels": {title: median}, "bytes": of one round,
// "errors": what was refused}.
import { readFileSync } from "node:fs";
import { panels } from "../e2e/grafana/dashboards.mjs";
import { Grafana } from "../e2e/grafana/grafana_client.mjs";

const [url, file, hours, rounds, ...names] = process.argv.slice(2);
const dashboard = JSON.parse(readFileSync(file, "utf8"));
const chosen = Object.fromEntries(names.map((text) => text.split("=")).map(([name, values]) => [name, values.split(",")]));
const now = Date.now();
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const sums = [];
const took = {};
const errors = new Set();
let bytes;

for (let round = 0; round < Number(rounds); round++) {
  const grafana = new Grafana(url, { from: now - hours * 3600e3, to: now }, { maxDataPoints: 800 });
  const pick = ({ name }) => chosen[name]?.[round % chosen[name].length];
  const values = await grafana.variables(dashboard, pick);
  grafana.took = 0;
  bytes = 0;
  for (const panel of panels(dashboard)) {
    const before = grafana.took;
    for (const answer of await grafana.panel(panel, values)) {
      if (answer.error)
        errors.add(`${panel.title}: ${answer.error}`);
      bytes += answer.bytes;
    }
    (took[`${panel.id} ${panel.title}`] ??= []).push(grafana.took - before);
  }
  for (const answer of await grafana.annotations(dashboard, values))
    bytes += answer.bytes;
  sums.push(grafana.took);
}
console.log(JSON.stringify({ ms: median(sums), bytes, errors: [...errors],
  panels: Object.fromEntries(Object.entries(took).map(([title, times]) => [title, +median(times).toFixed(1)])) }));
