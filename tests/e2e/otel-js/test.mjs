// A real SDK sends; the query API must give back what was sent. For each
// encoding and compression a component of its own, so nothing can be mistaken.
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import {
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import * as traceProto from "@opentelemetry/exporter-trace-otlp-proto";
import * as traceJson from "@opentelemetry/exporter-trace-otlp-http";
import * as logProto from "@opentelemetry/exporter-logs-otlp-proto";
import * as logJson from "@opentelemetry/exporter-logs-otlp-http";
import * as metricProto from "@opentelemetry/exporter-metrics-otlp-proto";
import * as metricJson from "@opentelemetry/exporter-metrics-otlp-http";
import * as traceGrpc from "@opentelemetry/exporter-trace-otlp-grpc";
import * as logGrpc from "@opentelemetry/exporter-logs-otlp-grpc";
import * as metricGrpc from "@opentelemetry/exporter-metrics-otlp-grpc";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { tmpdir } from "node:os";
import { join } from "node:path";

let count = 0;
let failed = 0;

function check(good, name, seen) {
  console.log(`${good ? "ok" : "not ok"} ${++count} - ${name}`);
  if (!good) {
    failed++;
    if (seen !== undefined)
      console.log("# saw: " + JSON.stringify(seen, null, 1).replaceAll("\n", "\n# "));
  }
}

function same(seen, wanted, name) {
  check(isDeepStrictEqual(seen, wanted), name, { seen, wanted });
}

function start(dir) {
  const server = spawn(
    process.env.CALLBOARD,
    ["serve", "--data-dir", dir, "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0",
     "--query", "127.0.0.1:0"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  return new Promise((resolve, reject) => {
    let text = "";
    server.stderr.on("data", (bytes) => {
      text += bytes;
      const ready = /otlp_port=(\d+) query_port=(\d+) grpc_port=(\d+)/.exec(text);
      if (ready)
        resolve({ server, otlp: `http://127.0.0.1:${ready[1]}`, query: `http://127.0.0.1:${ready[2]}`, grpc: `http://127.0.0.1:${ready[3]}` });
    });
    server.on("exit", (code) => reject(new Error(`callboard ended (${code}): ${text}`)));
  });
}

function stop(server) {
  return new Promise((resolve) => {
    server.removeAllListeners("exit");
    server.on("exit", (code) => resolve(code));
    server.kill("SIGTERM");
  });
}

const scopeOf = (component) => ({
  namespace: "acme",
  project: "js",
  component,
  environment: "test",
});

function resourceOf(component) {
  return resourceFromAttributes({
    "service.name": component,
    "k8s.pod.name": `${component}-pod`,
    "k8s.namespace.name": "dp-acme",
    "k8s.container.name": "main",
    "k8s.pod.labels.openchoreo.dev/namespace": "acme",
    "k8s.pod.labels.openchoreo.dev/project": "js",
    "k8s.pod.labels.openchoreo.dev/component": component,
    "k8s.pod.labels.openchoreo.dev/environment": "test",
    "k8s.pod.labels.openchoreo.dev/component-uid": "5b0d0000-0000-4000-8000-000000000001",
  });
}

const serverAttributes = {
  "http.request.method": "GET",
  "http.route": "/items/{id}",
  "url.path": "/items/7",
  "server.port": 8080,
  "http.response.status_code": 500,
  "app.ratio": 0.25,
  "app.flag": true,
  "app.list": ["a", "b"],
  "app.text": 'quote " backslash \\ newline \n umlaut ä emoji 🎭',
};

// A gRPC exporter wants the host only.
const urlOf = (url, signal) => (url.grpc ? url.grpc : `${url}/v1/${signal}`);

async function sendTraces(exporters, resource, url, compression) {
  const provider = new BasicTracerProvider({
    resource,
    spanProcessors: [
      new BatchSpanProcessor(new exporters.OTLPTraceExporter({ url: urlOf(url, "traces"), compression })),
    ],
  });
  const tracer = provider.getTracer("js-test", "1.2.3");
  const root = tracer.startSpan("GET /items/{id}", { kind: SpanKind.SERVER, attributes: serverAttributes });
  const inside = trace.setSpan(context.active(), root);
  const query = tracer.startSpan(
    "SELECT items",
    { kind: SpanKind.CLIENT, attributes: { "db.system.name": "postgresql", "db.namespace": "items-db", "server.address": "db" } },
    inside,
  );
  query.end();
  const call = tracer.startSpan(
    "GET",
    {
      kind: SpanKind.CLIENT,
      attributes: { "http.request.method": "GET", "server.address": "api.partner.example" },
      links: [{ context: query.spanContext(), attributes: { why: "test" } }],
    },
    inside,
  );
  call.end();
  root.recordException(new Error("no such item"));
  root.setStatus({ code: SpanStatusCode.ERROR, message: "boom" });
  root.end();
  await provider.forceFlush();
  await provider.shutdown();
  return { root: root.spanContext(), query: query.spanContext() };
}

async function sendLogs(exporters, resource, url, compression, spanContext) {
  const provider = new LoggerProvider({
    resource,
    processors: [
      new BatchLogRecordProcessor({
        exporter: new exporters.OTLPLogExporter({ url: urlOf(url, "logs"), compression }),
      }),
    ],
  });
  const logger = provider.getLogger("js-test");
  const inside = trace.setSpan(context.active(), trace.wrapSpanContext(spanContext));
  logger.emit({ severityNumber: SeverityNumber.INFO, body: "item 7 asked for", context: inside });
  logger.emit({
    severityNumber: SeverityNumber.ERROR,
    severityText: "ERROR",
    body: "item 7 not found in 12 ms",
    attributes: { "app.item": 7 },
    context: inside,
  });
  logger.emit({ severityNumber: SeverityNumber.WARN, body: { reason: "map", n: 3 } });
  await provider.forceFlush();
  await provider.shutdown();
}

async function sendMetrics(exporters, resource, url, compression) {
  const reader = new PeriodicExportingMetricReader({
    exporter: new exporters.OTLPMetricExporter({ url: urlOf(url, "metrics"), compression }),
    exportIntervalMillis: 3600000,
  });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter("js-test");
  meter.createGauge("container.cpu.usage", { unit: "{cpu}" }).record(0.25);
  meter.createUpDownCounter("container.memory.working_set", { unit: "By" }).add(1048576);
  meter.createGauge("k8s.container.cpu_limit", { unit: "{cpu}" }).record(2);
  meter.createHistogram("app.work", { unit: "s" }).record(0.7);
  meter.createCounter("app.count").add(3);
  await provider.forceFlush();
  await provider.shutdown();
}

async function ask(query, path, body) {
  const answer = await fetch(query + path, {
    method: body ? "POST" : "GET",
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (answer.status !== 200)
    throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const range = () => ({
  startTime: new Date(Date.now() - 600000).toISOString(),
  endTime: new Date(Date.now() + 600000).toISOString(),
});

async function checkTraces(query, name, sent) {
  const searchScope = scopeOf(name);
  const list = await ask(query, "/api/v1alpha1/traces/query", { ...range(), searchScope });
  same(list.total, 1, `${name}: one trace is listed`);
  const one = list.traces[0] ?? {};
  same(one.traceId, sent.root.traceId, `${name}: it is the one that was sent`);
  same(
    [one.spanCount, one.rootSpanId, one.traceName, one.rootSpanKind, one.hasErrors],
    [3, sent.root.spanId, "GET /items/{id}", "SERVER", true],
    `${name}: count, root and error flag`,
  );
  const answer = await ask(query, `/api/v1alpha1/traces/${sent.root.traceId}/spans/query`, {
    ...range(),
    searchScope,
    includeAttributes: true,
    sortOrder: "asc",
  });
  same(answer.total, 3, `${name}: three spans`);
  const root = answer.spans.find((s) => s.spanId === sent.root.spanId) ?? {};
  same(root.attributes, serverAttributes, `${name}: every attribute comes back with its type`);
  same(root.status, { code: "error", message: "boom" }, `${name}: status`);
  same(root.resourceAttributes?.["service.name"], name, `${name}: resource attributes`);
  const child = await ask(query, `/api/v1alpha1/traces/${sent.root.traceId}/spans/${sent.query.spanId}`);
  same([child.spanName, child.parentSpanId, child.spanKind], ["SELECT items", sent.root.spanId, "CLIENT"], `${name}: one span by id`);
  check(/Z$/.test(child.startTime) && child.durationNs >= 0, `${name}: its times`, child);
}

async function checkLogs(query, name, sent) {
  const searchScope = scopeOf(name);
  const all = await ask(query, "/api/v1/logs/query", { ...range(), searchScope, sortOrder: "asc" });
  same(all.total, 3, `${name}: three log records`);
  const errors = await ask(query, "/api/v1/logs/query", { ...range(), searchScope, logLevels: ["ERROR"] });
  same(errors.logs.map((l) => l.log), ["item 7 not found in 12 ms"], `${name}: level filter`);
  const entry = errors.logs[0] ?? {};
  same(
    [entry.level, entry.traceId, entry.spanId, entry.endpoint],
    ["ERROR", sent.root.traceId, sent.root.spanId, "http"],
    `${name}: the entry has its span and the span's endpoint`,
  );
  same(
    [entry.metadata?.componentName, entry.metadata?.podName, entry.metadata?.componentUid],
    [name, `${name}-pod`, "5b0d0000-0000-4000-8000-000000000001"],
    `${name}: metadata`,
  );
  const found = await ask(query, "/api/v1/logs/query", { ...range(), searchScope, searchPhrase: "7 asked" });
  same(found.logs.map((l) => l.log), ["item 7 asked for"], `${name}: phrase search`);
  const map = all.logs.find((l) => l.level === "WARN")?.log ?? "null";
  same(JSON.parse(map), { reason: "map", n: 3 }, `${name}: a body that is a map`);
}

async function checkMetrics(query, name) {
  const searchScope = scopeOf(name);
  const seen = await ask(query, "/api/v1/metrics/query", { ...range(), metric: "resource", step: "1m", searchScope });
  const last = (series) => series.at(-1)?.value;
  same([last(seen.cpuUsage), last(seen.memoryUsage), last(seen.cpuLimits)], [0.25, 1048576, 2], `${name}: CPU, memory and limit`);
  const http = await ask(query, "/api/v1/metrics/query", { ...range(), metric: "http", step: "1m", searchScope });
  // One request: in a minute that is over, or in the part of it that has passed.
  const rates = http.requestCount.map((p) => p.value);
  const covered = 1 / rates[0]; // seconds of that minute; few where it has just begun
  check(rates.length === 1 && covered > 0 && covered <= 60 + 1e-6, `${name}: the rate of one request, from its span`, http.requestCount);
  check(http.unsuccessfulRequestCount.some((p) => p.value > 0), `${name}: and it failed`, http);
}

async function checkComponent(query, name) {
  const list = await ask(query, "/api/v1/components?namespace=acme&project=js&environment=test");
  const mine = list.components?.find((c) => c.component === name) ?? {};
  check(mine.lastSeen?.traces && mine.lastSeen?.logs && mine.lastSeen?.metrics, `${name}: is listed with all three signals`, list);
  const page = await ask(query, `/api/v1/components/acme/js/${name}?environment=test`);
  same(page.endpoints?.map((e) => e.endpoint), ["http"], `${name}: its page has the endpoint`);
  same(page.endpoints?.[0]?.operations?.[0]?.operation, "GET /items/{id}", `${name}: and the operation`);
  check(page.callees?.some((c) => c.kind === "database" && c.name === "items-db"), `${name}: and the database it calls`, page.callees);
}

const kinds = [
  ["proto", "none", traceProto, logProto, metricProto],
  ["proto", "gzip", traceProto, logProto, metricProto],
  ["json", "none", traceJson, logJson, metricJson],
  ["json", "gzip", traceJson, logJson, metricJson],
  ["grpc", "none", traceGrpc, logGrpc, metricGrpc],
  ["grpc", "gzip", traceGrpc, logGrpc, metricGrpc],
];

const dir = mkdtempSync(join(tmpdir(), "callboard-js-"));
let running = await start(dir);
const sent = {};
try {
  for (const [encoding, compression, traces, logs, metrics] of kinds) {
    const name = `${encoding}-${compression}`;
    const resource = resourceOf(name);
    const otlp = encoding === "grpc" ? { grpc: running.grpc } : running.otlp;
    sent[name] = await sendTraces(traces, resource, otlp, compression);
    await sendLogs(logs, resource, otlp, compression, sent[name].root);
    await sendMetrics(metrics, resource, otlp, compression);
  }
  const checkAll = async (when) => {
    console.log(`# ${when}`);
    for (const name of Object.keys(sent)) {
      await checkTraces(running.query, name, sent[name]);
      await checkLogs(running.query, name, sent[name]);
      await checkMetrics(running.query, name);
      await checkComponent(running.query, name);
    }
  };
  await checkAll("while it is in memory");
  same(await stop(running.server), 0, "SIGTERM ends it with status 0");
  running = await start(dir);
  await checkAll("after a restart, from blocks");
} catch (error) {
  check(false, `no exception: ${error.stack}`);
}
await stop(running.server);
rmSync(dir, { recursive: true, force: true });
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);
