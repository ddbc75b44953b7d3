// Starts three servers, and runs the checks against them, one after the other: all
// check_*.mjs beside it, or those that are named. They print TAP and find in the
// environment:
//   CALLBOARD_SHOP     query port of a server with half an hour of the shop, which ends at SHOP_END
//   CALLBOARD_EMPTY    of one without data
//   CALLBOARD_HOSTILE  of one with hostile names (otlp.mjs), up to SHOP_END
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Server } from "./server.mjs";
import { sendHostile } from "./otlp.mjs";

const START = "2025-01-15T08:00:00Z";
const END = "2025-01-15T08:30:00Z";

const catalog = ["--catalog", join(process.env.SHOP, "catalog.json")];
const [shop, empty, hostile] = await Promise.all(
  [new Server({ options: catalog }), new Server(), new Server()].map((server) => server.start()),
);
let failed = !shop.sendShop(
  "--start", START, "--duration", "30m", "--rate", "20", "--rollout", "20m", "--fault", "25m", "--no-pace",
);
if (failed)
  console.log("not ok 1 - shopgen sent the telemetry of the shop");
await sendHostile(hostile, Date.parse(END));

const named = process.argv.slice(2);
const checks = readdirSync(".").filter((file) => /^check_.*\.mjs$/.test(file)).sort();
for (const file of failed ? [] : named.length ? named : checks) {
  console.log(`# ${file}`);
  const check = spawnSync(process.execPath, [file], {
    stdio: "inherit",
    env: {
      ...process.env,
      CALLBOARD_SHOP: shop.query,
      CALLBOARD_EMPTY: empty.query,
      CALLBOARD_HOSTILE: hostile.query,
      SHOP_END: END,
    },
  });
  if (check.status !== 0)
    failed = true;
}
for (const server of [shop, empty, hostile]) {
  await server.stop();
  server.remove();
}
process.exit(failed ? 1 : 0);
