// Starts a daemon with the shop, a backend of Backstage whose proxy adds the token,
// and the app of web/backstage/dev, and looks at them in a browser.
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { Server } from "./server.mjs";
import { check, finish } from "./tap.mjs";

const PLUGIN = process.env.PLUGIN;
const READER = "reader-of-the-portal-000001";
const START = new Date(Date.now() - 31 * 60_000).toISOString().slice(0, 19) + "Z";
const PATIENCE = 30_000;
const { serve } = await import(join(PLUGIN, "dev", "serve.mjs"));
const folder = mkdtempSync(join(tmpdir(), "callboard-backstage-"));

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

// ---- Sizes: of what a portal loads before and when the tab is opened. ----

function gzipped(entries, dynamic) {
  const outputs = JSON.parse(readFileSync(join(PLUGIN, "dist", "meta.json"), "utf8"));
  const named = new Map(Object.entries(outputs).map(([file, output]) => [file, output]));
  const seen = new Set();
  const visit = (file) => {
    if (seen.has(file) || !named.has(file)) return;
    seen.add(file);
    for (const { path, kind } of named.get(file).imports) if (kind === "import-statement") visit(path);
  };
  for (const file of Object.keys(outputs))
    if (entries.includes(outputs[file].entryPoint) || dynamic.some((name) => outputs[file].entryPoint?.endsWith(name)))
      visit(file);
  return [...seen].reduce((sum, file) => sum + gzipSync(readFileSync(join(PLUGIN, file)), { level: 9 }).length, 0);
}

const before = gzipped(["src/alpha.tsx"], []);
check(before <= 2048, `size: ${before} bytes, gzip, before the tab is opened; of 2,048`);
const opened = gzipped(["src/alpha.tsx"], ["src/tab.tsx", "views/component.tsx"]);
check(opened <= 110_000, `size: ${opened} bytes, gzip, when the tab is open; of 110,000`);

// ---- What runs. ----

const daemon = await new Server({
  options: ["--catalog", join(process.env.SHOP, "catalog.json")],
  tokens: { portal: [{ role: "viewer", namespace: "acme" }], other: [{ role: "viewer", namespace: "elsewhere" }] },
}).start();
daemon.sendShop("--start", START, "--duration", "30m", "--rate", "10", "--rollout", "18m", "--fault", "22m", "--no-pace");

const port = await freePort();
const keys = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
writeFileSync(join(folder, "public.pem"), keys.publicKey);
writeFileSync(join(folder, "private.pem"), keys.privateKey, { mode: 0o600 });
const endpoint = (token) => ({
  target: daemon.query,
  credentials: "require",
  allowedHeaders: ["Content-Type"],
  headers: { Authorization: `Bearer ${daemon.tokens[token]}` },
});
const key = { keyId: "test", algorithm: "ES256", publicKeyFile: join(folder, "public.pem"), privateKeyFile: join(folder, "private.pem") };
const config = {
  app: { title: "Portal", baseUrl: `http://127.0.0.1:${port}` },
  backend: {
    baseUrl: `http://127.0.0.1:${port}`,
    listen: { host: "127.0.0.1", port },
    database: { client: "better-sqlite3", connection: ":memory:" },
    auth: {
      pluginKeyStore: { type: "static", static: { keys: [key] } },
      externalAccess: [{ type: "static", options: { token: READER, subject: "reader" } }],
    },
  },
  proxy: { endpoints: { "/callboard": endpoint("portal"), "/refused": endpoint("other") } },
};
// JSON is YAML.
writeFileSync(join(folder, "app-config.yaml"), JSON.stringify(config));
const backend = spawn(process.execPath, [join(PLUGIN, "dev", "backend.mjs"), "--config", join(folder, "app-config.yaml")], {
  stdio: ["ignore", "pipe", "pipe"],
});
process.on("exit", () => {
  backend.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});
await new Promise((ready, failed) => {
  const text = [];
  const look = (bytes) => {
    text.push(bytes);
    if (/Plugin initialization complete/.test(text.join(""))) ready();
  };
  backend.stdout.on("data", look);
  backend.stderr.on("data", look);
  backend.on("exit", () => failed(new Error("the backend ended: " + text.join("").slice(0, 3000))));
});
check(true, "a backend of Backstage runs with its proxy");

const app = (options) => serve(0, { backend: `http://127.0.0.1:${port}`, token: READER, ...options });
const base = (server) => `http://127.0.0.1:${server.address().port}`;
const settings = { callboard: { pageUrl: "https://callboard.example.com" }, app: { extensions: ["page:callboard"] } };
const [fresh, old, stranger] = await Promise.all([
  app({ config: settings }),
  app({ app: "old" }),
  app({ token: "not-a-token-of-the-portal" }),
]);

// ---- What is seen. ----

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const ENTITY = "/catalog/default/component/";

async function open(server, path, { theme = "light", width = 1400, prepare } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: theme, reducedMotion: "reduce" });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  if (prepare) await prepare(page);
  await page.goto(base(server) + path);
  return page;
}

async function shows(page, selector, name) {
  const seen = await page.waitForSelector(selector, { timeout: PATIENCE }).then(() => true, () => false);
  check(seen, name, seen ? undefined : (await page.locator("body").innerText()).slice(0, 1500));
  return seen;
}

// The tab: the component, sub-tabs, POST through the proxy, links, Back.
{
  const posts = [];
  const page = await open(fresh, ENTITY + "inventory/callboard?cb-from=now-45m", {
    prepare: (page) => page.on("response", (r) => r.request().method() === "POST" && posts.push([new URL(r.url()).pathname, r.status()])),
  });
  await shows(page, ".cb-verdict >> text=requests fail", "the tab says what is wrong with the component");
  await shows(page, "nav[aria-label=Callboard] >> text=Traces", "the tab has sub-tabs");
  await shows(page, "text=production", "the environment is that of the annotation");
  const own = await page.locator("a[href^='https://callboard.example.com/ui/']").count();
  check(own > 0, "links without an entity lead to Callboard's own page");
  await page.click("nav[aria-label=Callboard] >> text=Logs");
  await shows(page, "text=/lines loaded/", "the sub-tab of logs shows lines");
  check(/cb-page=logs/.test(page.url()) && /cb-from=now-45m/.test(page.url()), "the address names the sub-tab and keeps the time", page.url());
  check(posts.some(([path, status]) => path === "/api/proxy/callboard/api/v1/logs/query" && status === 200), "a POST with a body goes through the proxy", posts);
  await page.goBack();
  await shows(page, ".cb-verdict", "Back returns to the first sub-tab");
  await page.click("#callers a:has-text('web'), .cb-component a:has-text('web')");
  await page.waitForURL(/component\/web\/callboard/);
  await shows(page, ".cb-component h1:has-text('web')", "a link to a neighbour leads to the tab of its entity");
  check(/cb-from=now-45m/.test(page.url()), "the time is kept on the way", page.url());
  await page.context().close();
}

// Cards on the overview.
{
  const page = await open(fresh, ENTITY + "inventory");
  await shows(page, ".cb-card-figures >> text=p99", "the card of health has figures");
  check((await page.locator(".cb-card-figure").count()) === 6, "six of them");
  await shows(page, ".cb-card .cb-logline >> text=trace", "the card of errors has lines with traces");
  await shows(page, ".cb-card .cb-cause >> text=Likely cause", "the card of the cause says it");
  await page.click(".cb-card >> text=Charts, endpoints");
  await page.waitForURL(/component\/inventory\/callboard/);
  await shows(page, ".cb-verdict", "a card leads to the tab");
  await page.context().close();
}

// Annotations: none, a wrong one, several, OpenChoreo's, a System.
{
  const page = await open(fresh, ENTITY + "undescribed/callboard");
  await shows(page, "text=callboard.dev/component: default/shop/undescribed", "the line that is missing is filled in");
  await page.goto(base(fresh) + ENTITY + "misspelt/callboard");
  await shows(page, "text=has to be namespace/project/component", "an annotation that cannot be read is told");
  await page.goto(base(fresh) + ENTITY + "two/callboard?cb-from=now-45m");
  await page.click(".cb-targets >> text=payment");
  await shows(page, ".cb-component h1:has-text('payment')", "an entity of two components has both");
  check(/cb-of=acme/.test(page.url()), "the address names which", page.url());
  await page.goBack();
  await shows(page, ".cb-component h1:has-text('cart')", "Back returns to the first");
  await page.goto(base(fresh) + ENTITY + "recommendations/callboard?cb-from=now-45m");
  await shows(page, ".cb-component h1:has-text('recommendations')", "OpenChoreo's annotations are enough");
  await page.goto(base(fresh) + "/catalog/default/system/shop/callboard?cb-from=now-45m");
  await shows(page, ".cb-tab-root >> text=inventory", "the tab of a System shows its components");
  await page.goto(base(fresh) + "/callboard?cb-from=now-45m");
  await shows(page, ".cb-page-root >> text=inventory", "the page of all components, once it is turned on");
  await page.context().close();
}

// Dark, and narrow.
{
  const ground = (page) => page.evaluate(() => getComputedStyle(document.querySelector(".cb-verdict")).color.match(/\d+/g).map(Number)[0]);
  for (const [theme, fits] of [["light", (n) => n < 100], ["dark", (n) => n > 150]]) {
    const page = await open(fresh, ENTITY + "inventory/callboard?cb-from=now-45m", { theme, width: 400 });
    await shows(page, ".cb-verdict", `${theme}: the tab is shown at 400 px`);
    const mode = await page.evaluate(() => document.body.getAttribute("data-theme-mode"));
    check(mode === theme && fits(await ground(page)), `${theme}: the colours follow the portal`, mode);
    await page.evaluate(() => document.body.setAttribute("data-theme-mode", "light"));
    check((await ground(page)) < 100, `${theme}: a portal in light colours is light whatever the system says`);
    await page.context().close();
  }
}

// The exports of the old frontend system.
{
  const page = await open(old, ENTITY + "inventory/callboard?cb-from=now-45m");
  await shows(page, ".cb-verdict", "old system: the tab");
  await page.goto(base(old) + ENTITY + "inventory");
  await shows(page, ".cb-card-figures", "old system: the card of health");
  await shows(page, ".cb-card .cb-logline", "old system: the card of errors");
  await shows(page, ".cb-card .cb-cause", "old system: the card of the cause");
  await page.context().close();
}

// Refused: by the daemon, by the portal.
{
  const page = await open(fresh, ENTITY + "cart/callboard", {
    prepare: (page) => page.route("**/api/proxy/callboard/**", (route) => route.continue({ url: route.request().url().replace("/callboard/", "/refused/") })),
  });
  await shows(page, "text=You may not see this", "403 of Callboard is told as such");
  await page.context().close();
  const second = await open(stranger, ENTITY + "cart/callboard");
  await shows(second, "text=Sign in to see this", "401 of the portal is told as such");
  await second.context().close();
}

// The daemon goes and comes back.
{
  const page = await open(fresh, ENTITY + "cart/callboard?cb-from=now-45m");
  await shows(page, ".cb-verdict", "the tab before the daemon goes");
  await daemon.stop();
  await page.click("nav[aria-label=Callboard] >> text=Traces");
  await shows(page, "text=Callboard does not answer", "a daemon that is gone is told");
  await daemon.start();
  await page.waitForSelector(".cb-gone", { state: "detached" });
  await shows(page, ".cb-tab-root a[href*='cb-page=trace'], .cb-tab-root [role=row]", "what was asked for is there when it is back");
  await page.context().close();
}

await browser.close();
for (const server of [fresh, old, stranger]) server.close();
await daemon.stop();
daemon.remove();
finish();
