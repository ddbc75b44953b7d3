// Requests by names, when all groups at once would need too much memory: those
// with most requests are read a few at a time. Each must be what it is when it
// is asked for alone, and panels that come at the same time are not refused.
import { post } from "./post.mjs";
import { check, finish } from "./tap.mjs";

const base = process.env.CALLBOARD_URL + "/grafana";
const now = Date.now();
const day = { from: new Date(now - 24 * 3600e3).toISOString(), to: new Date(now).toISOString() };

const ask = (target, payload) =>
  post(base + "/query", { range: day, intervalMs: 60000, maxDataPoints: 1500, targets: [{ refId: "A", target, payload }] });

async function fields(target, payload) {
  const answer = await ask(target, payload);
  check(answer.status === 200, `${target} ${JSON.stringify(payload)}`, answer);
  const frame = answer.body[0];
  return frame.schema.fields.map((field, i) => ({ labels: field.labels, values: frame.data.values[i] })).slice(1);
}

// Sums of shares of a minute may be added up in another order; rates in the last
// step are over the time that has passed.
const near = (a, b) => a === b || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
const same = (a, b) => a?.length === b?.length && a.slice(0, -1).every((v, i) => near(v, b[i]));

const p95 = { quantile: ["0.95"] };
for (const [target, more] of [["latency", p95], ["requests", {}], ["error_ratio", {}]]) {
  const all = await fields(target, { by: ["component"], ...more });
  check(all.length === 12, `${target}: the twelve of the shop`, all.map((f) => f.labels));
  for (const { labels, values } of all) {
    const [alone] = await fields(target, { component: labels.component, by: [], ...more });
    check(values.length > 1000 && same(values, alone?.values), `${target} of ${labels.component} is what it is alone`);
  }
}
for (const by of [["component", "operation"], ["operation"]]) {
  const all = await fields("latency", { by, limit: 200, ...p95 });
  check(all.length > 12, `latency by ${by}: each`, all.length);
  for (const { labels, values } of all.slice(0, 8)) {
    const alone = await fields("latency", { component: labels.component ?? "", operation: labels.operation, by: [], ...p95 });
    check(same(values, alone[0]?.values), `latency by ${by} of ${labels.component ?? "all"} ${labels.operation} is what it is alone`);
  }
}
const few = await fields("latency", { by: ["component"], limit: 3, ...p95 });
const busiest = (await fields("requests", { by: ["component"], limit: 3 })).map((f) => f.labels.component);
check(few.map((f) => f.labels.component).join() === busiest.join(), "those with most requests are shown", few.map((f) => f.labels));
const calls = await fields("latency", { by: ["callee"], direction: "out", ...p95 });
check(calls.length > 3 && calls.every((f) => f.values.some((v) => v !== null)), "latency of calls by callee", calls.map((f) => f.labels));

// Grafana asks for all panels at once.
const panels = [];
for (let i = 0; i < 6; i++)
  panels.push(ask("latency", { by: ["component"] }), ask("latency", { by: ["operation"], limit: 100 }), ask("components", {}), ask("latency_heatmap", {}));
const answers = await Promise.all(panels);
check(answers.every((a) => a.status === 200 && !/memory/.test(a.text)), "panels at the same time are answered", answers.filter((a) => a.status !== 200));
finish();
