// What prometheus-query and codemirror-promql make of the answers, as JSON.
//   node clients.mjs URL [TOKEN]
import { PrometheusDriver } from "prometheus-query";
import { HTTPPrometheusClient } from "@prometheus-io/codemirror-promql/dist/cjs/client/prometheus.js";

const [url, token] = process.argv.slice(2);
const headers = token ? { Authorization: `Bearer ${token}` } : {};
const seen = {};

async function see(name, call) {
  try {
    seen[name] = await call();
  } catch (error) {
    seen[name] = { failed: error.error ?? error.message ?? String(error), type: error.errorType,
                   response: error.response?.data ?? error.data };
  }
}

const now = Date.now();
for (const preferPost of [false, true]) {
  const driver = new PrometheusDriver({ endpoint: url, baseURL: "/api/v1/", headers, preferPost });
  const way = preferPost ? "post" : "get";

  await see(`${way} instant`, () => driver.instantQuery("api_gauge"));
  await see(`${way} scalar`, () => driver.instantQuery("1 + 1"));
  await see(`${way} range`, () => driver.rangeQuery('api_gauge{k="a"}', now - 300000, now, 60));
  await see(`${way} long`, () => driver.instantQuery(`api_gauge{k=~"a${"|x".repeat(3000)}"}`));
  await see(`${way} bad`, () => driver.instantQuery("sum("));
  await see(`${way} series`, () => driver.series('api_gauge{k="a"}', now - 3600000, now));
  await see(`${way} names`, () => driver.labelNames());
}
const driver = new PrometheusDriver({ endpoint: url, headers });
await see("values", () => driver.labelValues("k"));
await see("metadata", () => driver.metadata());
await see("rules", () => driver.rules());
await see("alerts", () => driver.alerts());
await see("targets", () => driver.targets());
await see("alertmanagers", () => driver.alertmanagers());
await see("buildinfo", () => driver.statusBuildInfo?.() ?? driver.request("GET", "status/buildinfo"));

const errors = [];
const editor = new HTTPPrometheusClient({ url, requestHeaders: new Headers(headers),
                                          httpErrorHandler: (error) => errors.push(error.message) });
seen.editor = {
  names: await editor.metricNames(),
  labels: await editor.labelNames("api_gauge"),
  values: await editor.labelValues("k", "api_gauge"),
  series: await editor.series("api_gauge"),
  metadata: await editor.metricMetadata(),
  flags: await editor.flags(),
  errors,
};
console.log(JSON.stringify(seen));
