// The JavaScript SDK with TLS and a token, set up by the environment variables
// in docs/access.md: accepted with a right one, refused once with a wrong one,
// and told to wait above a limit of its tenant.
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import * as traceProto from "@opentelemetry/exporter-trace-otlp-proto";
import * as traceJson from "@opentelemetry/exporter-trace-otlp-http";
import * as traceGrpc from "@opentelemetry/exporter-trace-otlp-grpc";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let count = 0;
let failed = 0;

function check(good, name, seen) {
  console.log(`${good ? "ok" : "not ok"} ${++count} - ${name}`);
  if (good) return;
  failed++;
  console.log("# saw: " + JSON.stringify(seen, null, 1)?.replaceAll("\n", "\n# "));
}

const dir = mkdtempSync(join(tmpdir(), "callboard-js-access-"));
const data = join(dir, "data");
const file = (name) => join(dir, name);
const openssl = (...words) => execFileSync("openssl", words, { stdio: "ignore" });
const callboard = (...words) => execFileSync(process.env.CALLBOARD, [...words, "--data-dir", data], { stdio: ["ignore", "pipe", "ignore"] }).toString().trim();
const ask = (path) => execFileSync("curl", ["-sSf", "--unix-socket", join(data, "admin.sock"), "http://localhost" + path]).toString();

function certificate(name, extensions) {
  openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
    "-keyout", file(name + ".key"), "-out", file(name + ".csr"));
  writeFileSync(file(name + ".ext"), extensions);
  openssl("x509", "-req", "-in", file(name + ".csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
    "-CAcreateserial", "-days", "2", "-extfile", file(name + ".ext"), "-out", file(name + ".pem"));
  chmodSync(file(name + ".key"), 0o600);
}

function start(...options) {
  const server = spawn(process.env.CALLBOARD,
    ["serve", "--data-dir", data, "--otlp-http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0", "--query", "127.0.0.1:0",
     "--auth", "required", "--tls-cert", file("server.pem"), "--tls-key", file("server.key"), ...options],
    { stdio: ["ignore", "ignore", "pipe"] });
  return new Promise((resolve, reject) => {
    let text = "";
    server.stderr.on("data", (bytes) => {
      text += bytes;
      const ready = /otlp_port=(\d+) query_port=(\d+) grpc_port=(\d+)/.exec(text);
      if (ready) resolve({ server, http: ready[1], grpc: ready[3] });
    });
    server.on("exit", (code) => reject(new Error(`callboard ended (${code}): ${text}`)));
  });
}

function stop(server) {
  return new Promise((resolve) => {
    server.removeAllListeners("exit");
    server.on("exit", resolve);
    server.kill("SIGTERM");
  });
}

function makeSpans(component, count = 1) {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": component }),
    spanProcessors: [new SimpleSpanProcessor(memory)],
  });
  for (let i = 0; i < count; i++) provider.getTracer("js").startSpan("GET /x").end();
  return memory.getFinishedSpans();
}

// The result of the exporter, and the seconds that it took.
async function send(exporters, port, component, environment, spans = 1) {
  const variables = { ENDPOINT: `https://localhost:${port}`, CERTIFICATE: file("ca.pem"), ...environment };
  for (const [name, value] of Object.entries(variables)) process.env["OTEL_EXPORTER_OTLP_" + name] = value;
  const exporter = new exporters.OTLPTraceExporter();
  const began = Date.now();
  const result = await new Promise((resolve) => exporter.export(makeSpans(component, spans), resolve));
  await exporter.shutdown();
  // gRPC reads the files when it connects.
  for (const name of Object.keys(variables)) delete process.env["OTEL_EXPORTER_OTLP_" + name];
  return { code: result.code, status: result.error?.code, text: result.error?.message, seconds: (Date.now() - began) / 1000 };
}

const value = (start) => Number(ask("/metrics").split(start + " ")[1].split("\n")[0]);
const counter = (labels) => value(`callboard_auth_total{${labels}}`);
const found = (component) => JSON.parse(ask("/api/v1/components?namespace=acme")).components.some((c) => c.component === component);

const kinds = [["proto", traceProto, "http", 401, 403], ["json", traceJson, "http", 401, 403], ["grpc", traceGrpc, "grpc", 16, 7]];

async function byToken() {
  const running = await start();
  const writer = callboard("token", "create", "ci", "--role", "ingest", "--namespace", "acme");
  const reader = callboard("token", "create", "eye", "--role", "viewer", "--namespace", "acme");
  const wrong = writer.slice(0, -1) + (writer.endsWith("A") ? "B" : "A");
  for (const [name, exporters, port, missing, denied] of kinds) {
    const headers = (token) => ({ HEADERS: "authorization=Bearer%20" + token });
    const good = await send(exporters, running[port], "js-" + name, headers(writer));
    check(good.code === 0 && found("js-" + name), `${name}: with a token it is of the token's namespace`, good);
    const blank = await send(exporters, running[port], "js-blank-" + name, { HEADERS: "authorization=Bearer " + writer });
    check(blank.code === 0 && found("js-blank-" + name), `${name}: so it is with a blank for %20`, blank);
    for (const [what, labels, variables, status] of [
      ["a wrong token", 'kind="token",outcome="unknown"', headers(wrong), missing],
      ["no token", 'kind="none",outcome="missing"', {}, missing],
      ["a token that only reads", 'kind="token",outcome="denied"', headers(reader), denied],
    ]) {
      const before = counter(labels);
      const result = await send(exporters, running[port], "never", variables);
      check(result.code === 1 && result.status === status, `${name}, ${what}: the exporter shows ${status}`, result);
      check(counter(labels) - before === 1 && result.seconds < 5, `${name}, ${what}: and sends once`, result);
    }
  }
  check(!found("never"), "nothing of what was refused is there");
  check((await stop(running.server)) === 0, "the server ends well");
}

async function byCertificate() {
  writeFileSync(file("grants.yaml"), "grants:\n  - {certificate: 'spiffe://acme/ci', roles: [ingest], namespace: acme}\n", { mode: 0o600 });
  certificate("client", "subjectAltName=URI:spiffe://acme/ci\nextendedKeyUsage=clientAuth\n");
  const running = await start("--grants", file("grants.yaml"), "--tls-client-ca", file("ca.pem"), "--tls-clients", "required");
  for (const [name, exporters, port] of kinds) {
    const result = await send(exporters, running[port], "js-cert-" + name,
      { CLIENT_CERTIFICATE: file("client.pem"), CLIENT_KEY: file("client.key") });
    check(result.code === 0 && found("js-cert-" + name), `${name}: with a client certificate`, result);
  }
  check((await stop(running.server)) === 0, "the server ends well");
}

// 600 spans at 100 a second: the burst of ten seconds' worth takes two batches
// and goes into debt, so the third one is told to come again in 3 s, and does.
async function byLimit() {
  writeFileSync(file("limits.yaml"), "defaults: {recordsPerSecond: 100}\n");
  const running = await start("--limits", file("limits.yaml"));
  for (const [name, exporters, port] of kinds.filter(([name]) => name !== "grpc")) {
    const token = callboard("token", "create", "limit-" + name, "--role", "ingest", "--namespace", "limit-" + name);
    const results = [];
    for (let i = 0; i < 3; i++)
      results.push(await send(exporters, running[port], "js-limit", { HEADERS: "authorization=Bearer%20" + token }, 600));
    check(results.every((r) => r.code === 0), `${name}: above recordsPerSecond every batch is stored in the end`, results);
    check(results[2].seconds >= 1.5, `${name}: after a wait of Retry-After`, results);
    const of = `{namespace="limit-${name}",`;
    check(value(`callboard_tenant_records_total${of}outcome="accepted"}`) === 1800, `${name}: and once`);
    check(value(`callboard_tenant_requests_refused_total${of}reason="rate"}`) >= 1, `${name}: it was refused meanwhile`);
  }
  check((await stop(running.server)) === 0, "the server ends well");
}

try {
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=ca", "-keyout", file("ca.key"), "-out", file("ca.pem"));
  certificate("server", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
  await byToken();
  await byCertificate();
  await byLimit();
} catch (error) {
  check(false, `no exception: ${error.stack}`);
}
rmSync(dir, { recursive: true, force: true });
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);
