// Starts a server, sends it half an hour of the simulated shop with its fault,
// as tests/demo.sh, and runs the checks against it, one after the other: those
// beside it, or the programs that are named. They print TAP and find in the
// environment:
//   CALLBOARD_URL   of the query port: http://127.0.0.1:PORT
//   CALLBOARD_OTLP  of the port for OTLP/HTTP
//   CALLBOARD_EMPTY of the query port of a server without data
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "callboard-grafana-"));
const servers = [];

function start(name, ...options) {
  const server = spawn(
    process.env.CALLBOARD,
    ["serve", "--data-dir", join(folder, name), "--otlp-http", "127.0.0.1:0",
     "--otlp-grpc", "127.0.0.1:0", "--query", "127.0.0.1:0", ...options],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  servers.push(server);
  return new Promise((resolve, reject) => {
    let text = "";
    server.stderr.on("data", (bytes) => {
      text += bytes;
      const ready = /otlp_port=(\d+) query_port=(\d+)/.exec(text);
      if (ready)
        resolve({ otlp: `http://127.0.0.1:${ready[1]}`, query: `http://127.0.0.1:${ready[2]}` });
    });
    server.on("exit", () => reject(new Error("callboard ended: " + text)));
  });
}

const shop = await start("shop", "--catalog", join(process.env.SHOP, "catalog.json"));
const empty = await start("empty");
const sent = spawnSync(
  process.env.SHOPGEN,
  ["--otlp", new URL(shop.otlp).host, "--history", "30m", "--duration", "30m", "--rate", "20",
   "--rollout", "20m", "--fault", "25m", "--quiet"],
  { stdio: "inherit" },
);
let failed = sent.status !== 0;
if (failed)
  console.log("not ok 1 - shopgen sent the telemetry of the shop");
const named = process.argv.slice(2);
const checks = readdirSync(".").filter((file) => /^check_.*\.mjs$/.test(file)).sort();
for (const file of named.length ? named : checks) {
  if (failed)
    break;
  console.log(`# ${file}`);
  const [program, ...script] = file.endsWith(".mjs") ? [process.execPath, file] : [file];
  const check = spawnSync(program, script, {
    stdio: "inherit",
    env: { ...process.env, CALLBOARD_URL: shop.query, CALLBOARD_OTLP: shop.otlp, CALLBOARD_EMPTY: empty.query },
  });
  if (check.status !== 0)
    failed = true;
}
for (const server of servers) {
  server.removeAllListeners("exit");
  server.kill();
}
await Promise.all(servers.map((server) => server.exitCode ?? new Promise((resolve) => server.on("exit", resolve))));
rmSync(folder, { recursive: true });
process.exit(failed ? 1 : 0);
