// "Save & test" of the three data sources, and that both versions of
// @grafana/data load here.
import { versions } from "./grafana_data.mjs";
import { check, finish } from "./tap.mjs";

const base = process.env.CALLBOARD_URL;

async function answer(path) {
  const response = await fetch(base + path, { headers: { "content-type": "application/json" } });
  return { status: response.status, text: await response.text() };
}

const json = await answer("/grafana");
check(json.status === 200, "the JSON data source: GET of its URL is 200", json);
const info = await answer("/prometheus/api/v1/status/buildinfo");
check(info.status === 200 && JSON.parse(info.text).status === "success", "Prometheus: buildinfo", info);
const echo = await answer("/tempo/api/echo");
check(echo.status === 200 && echo.text === "echo", "Tempo: echo", echo);
for (const { name, data } of versions) {
  const frame = data.toDataFrame({ refId: "A", fields: [{ name: "time", type: "time", values: [1] }] });
  check(frame.length === 1 && frame.fields[0].type === "time", `${name} makes a frame`, frame);
}
finish();
