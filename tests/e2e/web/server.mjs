// Servers for the checks: on free ports, in a folder of their own, ended with the
// program that started them.
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const started = new Set();
process.on("exit", () => {
  for (const server of started)
    server.remove();
});
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => process.exit(1));

export class Server {
  // options: more of `callboard serve`. tokens: {name: grants}, which turns access control on.
  constructor({ options = [], tokens } = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "callboard-web-"));
    this.ports = ["0", "0", "0"];
    this.tokens = {};
    this.options = [...options];
    if (tokens) {
      const rows = Object.entries(tokens).map(([name, grants]) => {
        this.tokens[name] = makeToken();
        const sha256 = createHash("sha256").update(this.tokens[name]).digest("hex");
        return "  - " + JSON.stringify({ name, sha256, grants });
      });
      const file = join(this.folder, "tokens.yaml");
      writeFileSync(file, "tokens:\n" + rows.join("\n") + "\n", { mode: 0o600 });
      this.options.push("--auth", "required", "--auth-ingest", "none", "--tokens", file);
    }
    started.add(this);
  }

  // Again on the same ports, when it was stopped.
  async start() {
    const [http, grpc, query] = this.ports.map((port) => "127.0.0.1:" + port);
    const child = spawn(
      process.env.CALLBOARD,
      ["serve", "--data-dir", join(this.folder, "data"), "--otlp-http", http, "--otlp-grpc", grpc,
       "--query", query, ...this.options],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.child = child;
    const text = [];
    await new Promise((resolve, reject) => {
      child.stderr.on("data", (bytes) => {
        text.push(bytes);
        const ready = /otlp_port=(\d+) query_port=(\d+)/.exec(text.join(""));
        if (!ready)
          return;
        this.ports = [ready[1], /grpc_port=(\d+)/.exec(text.join(""))?.[1] ?? this.ports[1], ready[2]];
        resolve();
      });
      child.on("exit", () => reject(new Error("callboard ended: " + text.join(""))));
    });
    child.removeAllListeners("exit");
    this.otlp = `127.0.0.1:${this.ports[0]}`;
    this.query = `http://127.0.0.1:${this.ports[2]}`;
    return this;
  }

  async stop() {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null)
      return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }

  remove() {
    this.child?.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
    started.delete(this);
  }

  // Half an hour of the shop that ends at "end": the same each time.
  sendShop(...more) {
    const sent = spawnSync(process.env.SHOPGEN, ["--otlp", this.otlp, "--quiet", ...more], { stdio: "inherit" });
    return sent.status === 0;
  }

  // A request of OTLP/HTTP in JSON: signal is "traces", "logs" or "metrics".
  async send(signal, body) {
    const answer = await fetch(`http://${this.otlp}/v1/${signal}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok)
      throw new Error(`OTLP: ${answer.status} ${await answer.text()}`);
  }

  // What a GET answers, as JSON.
  async ask(path, token) {
    const headers = token ? { Authorization: "Bearer " + token } : {};
    return (await fetch(this.query + path, { headers })).json();
  }
}

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

// As docs/access.md says.
function makeToken() {
  const id = [...randomBytes(8)].map((byte) => BASE32[byte % 32]).join("");
  const begin = `cbt_${id}_${randomBytes(32).toString("base64url")}`;
  return begin + createHash("sha256").update(begin).digest().subarray(0, 3).toString("base64url");
}
