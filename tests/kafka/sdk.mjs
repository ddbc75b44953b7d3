// Sends with a real SDK to an OTLP/HTTP endpoint, and prints what it sent.
//
//   node sdk.mjs URL COMPONENT TRACES
//
// Of each trace: a server span with attributes of all types, a client span
// under it, and a log record of the first. Gauges once.
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";

const [url, component, traces] = process.argv.slice(2);
const label = "k8s.pod.labels.openchoreo.dev/";
const resource = resourceFromAttributes({
  "service.name": component,
  "k8s.pod.name": `${component}-pod`,
  "k8s.namespace.name": "dp-acme",
  [label + "namespace"]: "acme",
  [label + "project"]: "shop",
  [label + "component"]: component,
  [label + "environment"]: "test",
});
const attributes = {
  "http.request.method": "GET",
  "http.route": "/items/{id}",
  "server.port": 8080,
  "app.ratio": 0.25,
  "app.flag": true,
  "app.list": ["a", "b"],
  "app.text": 'quote " backslash \\ newline \n umlaut ä emoji 🎭',
};

const tracers = new BasicTracerProvider({
  resource,
  spanProcessors: [
    new BatchSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }), { maxQueueSize: 100000 }),
  ],
});
const loggers = new LoggerProvider({
  resource,
  processors: [
    new BatchLogRecordProcessor({
      exporter: new OTLPLogExporter({ url: `${url}/v1/logs` }),
      maxQueueSize: 100000,
    }),
  ],
});
const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter({ url: `${url}/v1/metrics` }),
  exportIntervalMillis: 3600000,
});
const meters = new MeterProvider({ resource, readers: [reader] });

const sent = { attributes, traces: [] };
const tracer = tracers.getTracer("kafka-test");
const logger = loggers.getLogger("kafka-test");
for (let i = 0; i < Number(traces); i++) {
  const root = tracer.startSpan("GET /items/{id}", { kind: SpanKind.SERVER, attributes });
  const inside = trace.setSpan(context.active(), root);
  const child = tracer.startSpan("SELECT items", { kind: SpanKind.CLIENT }, inside);
  child.end();
  const text = `item ${i} of ${component}`;
  logger.emit({ severityNumber: SeverityNumber.WARN, body: text, context: inside });
  if (i % 2) root.setStatus({ code: SpanStatusCode.ERROR, message: "boom" });
  root.end();
  sent.traces.push({
    traceId: root.spanContext().traceId,
    root: root.spanContext().spanId,
    child: child.spanContext().spanId,
    failed: i % 2 === 1,
    text,
  });
}
const meter = meters.getMeter("kafka-test");
meter.createGauge("container.cpu.usage", { unit: "{cpu}" }).record(0.25);
meter.createUpDownCounter("container.memory.working_set", { unit: "By" }).add(1048576);
for (const one of [tracers, loggers, meters]) {
  await one.forceFlush();
  await one.shutdown();
}
console.log(JSON.stringify(sent));
