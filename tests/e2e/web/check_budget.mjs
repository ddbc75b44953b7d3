// What the page may cost: sizes always, times as medians of five.
import { gunzipSync } from "node:zlib";
import { budget, check, finish, open, settled, SHOP, shopPath } from "./kit.mjs";

// Bytes in gzip: HTML, styles, scripts.
const FIRST_VIEW = 120_000; // of /ui/
const COMPONENT = 142_000; // the same with charts
const ALL = 250_000;

async function fetchRaw(path) {
  const { default: http } = await import("node:http");
  return new Promise((resolve, reject) => {
    http.get(SHOP + "/ui/" + path, { headers: { "Accept-Encoding": "gzip" } }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => {
        const bytes = Buffer.concat(parts);
        const packed = answer.headers["content-encoding"] === "gzip";
        resolve({ size: bytes.length, text: (packed ? gunzipSync(bytes) : bytes).toString() });
      });
    }).on("error", reject);
  });
}

// The page and all parts that it, or a part of it, names.
async function sizes() {
  const found = new Map();
  const waiting = [""];
  while (waiting.length) {
    const path = waiting.pop();
    if (found.has(path))
      continue;
    const { size, text } = await fetchRaw(path);
    found.set(path, size);
    for (const [, name] of text.matchAll(/["'(./]((?:page|part|icon)-[A-Z0-9]+\.(?:js|css|svg))/g))
      waiting.push("assets/" + name);
  }
  return found;
}

const kB = (bytes) => (bytes / 1000).toFixed(1) + " kB";

// Of what the browser has loaded to show a page.
async function checkView(name, path, limit, found) {
  const page = await open(path);
  const names = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
  await page.close();
  const loaded = ["", ...names.filter((n) => n.includes("/ui/assets/")).map((n) => n.slice(n.indexOf("assets/")))];
  const size = [...new Set(loaded)].reduce((sum, part) => sum + (found.get(part) ?? 0), 0);
  check(size <= limit, `budget: ${name} in gzip: ${kB(size)} of ${kB(limit)}`, loaded);
}

async function checkSizes() {
  const found = await sizes();
  const all = [...found.values()].reduce((a, b) => a + b, 0);
  await checkView("the first page", shopPath("", { project: undefined }), FIRST_VIEW, found);
  await checkView("the component page", path, COMPONENT, found);
  check(all <= ALL, `budget: all parts in gzip: ${kB(all)} of ${kB(ALL)} in ${found.size} files`, [...found]);
}

const path = shopPath("component", { component: "inventory" });

async function firstPaint(page) {
  return page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 1e6);
}

async function checkTimes() {
  await budget("first paint of the component page, empty cache", 400, async () => {
    const page = await open(path);
    const at = await firstPaint(page);
    await page.close();
    return at;
  });
  const page = await open(path);
  await budget("first paint of the component page, cached", 200, async () => {
    await page.goto("about:blank");
    await page.goto(SHOP + path);
    await settled(page);
    return firstPaint(page);
  });
  await budget("component page readable, cached", 400, async () => {
    await page.goto("about:blank");
    await page.goto(SHOP + path, { waitUntil: "commit" });
    await page.waitForFunction(() => document.querySelectorAll(".cb-figure-value").length >= 4);
    return page.evaluate(() => performance.now());
  });
  // From the answer to charts on the screen.
  await budget("five charts", 150, async () => {
    await page.goto("about:blank");
    await page.goto(SHOP + path, { waitUntil: "commit" });
    await page.waitForFunction(() => document.querySelectorAll(".cb-plot .u-over").length >= 5);
    return page.evaluate(() => {
      const answer = performance.getEntriesByType("resource").find((entry) => entry.name.includes("/components/acme"));
      return performance.now() - answer.responseEnd;
    });
  });
  const questions = await page.evaluate(
    () => performance.getEntriesByType("resource").filter((entry) => entry.name.includes("/api/")).map((entry) => entry.name),
  );
  check(questions.length > 0, `the component page asked ${questions.length} questions`, questions);
  await page.close();
}

await checkSizes();
await checkTimes();
await finish();
