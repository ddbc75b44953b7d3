// The kit of the browser checks. A check of a view is a file check_NAME.mjs:
//
//   import { allLooks, check, finish, open, SHOP, shopPath } from "./kit.mjs";
//   const path = shopPath("logs", { level: "ERROR" });  // scope and time of the shop are added
//   await allLooks("logs", path);          // both themes, wide and 320 px: axe, errors, width
//   const page = await open(path);         // a Page of Playwright; options below
//   check((await page.locator(".cb-log").count()) > 0, "logs: there are lines");
//   await page.close();                    // fails if the console had an error
//   await finish();
//
// The page's clock stands at SHOP_END when it is opened, and goes on, so that
// "now-15m" is the last quarter of the shop's half hour. Wait until something is
// so (until, page.waitForSelector); never for a time. Run one:
//   OUT=$PWD/build/release CALLBOARD=... SHOPGEN=... sh tests/e2e/web/run.sh check_logs.mjs
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { check, finish as finishTap } from "./tap.mjs";

export { check } from "./tap.mjs";
export { Server } from "./server.mjs";
export * from "./otlp.mjs";

export const SHOP = process.env.CALLBOARD_SHOP;
export const EMPTY = process.env.CALLBOARD_EMPTY;
export const HOSTILE_SERVER = process.env.CALLBOARD_HOSTILE;
export const SHOP_END = Date.parse(process.env.SHOP_END);

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = 20_000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});

// Closes the browser and ends the program with its status.
export async function finish() {
  await browser.close();
  finishTap();
}

function query(params) {
  const known = Object.entries(params).filter(([, value]) => value !== undefined);
  return known.length ? "?" + new URLSearchParams(known) : "";
}

// The address of a page ("" is the overview) about the shop. undefined takes a parameter away.
export function shopPath(page, params = {}, section) {
  const scope = { ns: "acme", project: "shop", env: "production", from: "now-30m", to: "now" };
  return "/ui/" + page + query({ ...scope, ...params }) + (section ? "#" + section : "");
}

// The page's clock: the time given when it is opened, going on from there.
function shiftClock(shift) {
  const Real = Date;
  class Shifted extends Real {
    constructor(...args) {
      if (args.length === 0) super(Real.now() + shift);
      else super(...args);
    }
    static now() {
      return Real.now() + shift;
    }
  }
  window.Date = Shifted;
}

// Opens a page and waits until it has settled. Options:
//   server   its query port (SHOP)
//   width, height, theme ("light", "dark"), zone ("UTC")
//   now      the clock in ms (SHOP_END; null: the real one)
//   token    the reader is signed in with it
//   allow    regular expressions of console errors that are expected
//   settle   false: does not wait
export async function open(path, options = {}) {
  const { server = SHOP, width = 1400, height = 900, theme = "light", zone = "UTC", now = SHOP_END } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    timezoneId: zone,
    locale: "en-GB",
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(PATIENCE);
  if (now !== null)
    await context.addInitScript(shiftClock, now - Date.now());
  if (options.token)
    await context.addInitScript((token) => sessionStorage.setItem("callboard-token", token), options.token);
  const page = await context.newPage();
  const errors = [];
  page.errors = errors;
  page.allow = [...(options.allow ?? [])];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error.stack)));
  page.on("dialog", (dialog) => {
    errors.push("a dialog of the browser: " + dialog.message());
    dialog.dismiss();
  });
  const close = context.close.bind(context);
  page.close = async () => {
    const found = errors.filter((text) => !page.allow.some((pattern) => pattern.test(text)));
    if (found.length)
      check(false, `${path}: no error in the console`, found);
    await close();
  };
  await page.goto(server + path);
  if (options.settle !== false)
    await settled(page);
  return page;
}

// Waits until a condition in the page holds; false after PATIENCE.
export async function until(page, condition, argument) {
  try {
    await page.waitForFunction(condition, argument, { timeout: PATIENCE });
    return true;
  } catch {
    return false;
  }
}

// Until the view is there and nothing is loading, twice in a row.
export async function settled(page) {
  const calm = () => {
    const main = document.querySelector("main");
    const quiet = main && main.childElementCount > 0 && !document.querySelector("[aria-busy=true]");
    window.calmTimes = quiet ? (window.calmTimes ?? 0) + 1 : 0;
    return window.calmTimes > 5;
  };
  const done = await until(page, calm);
  await page.evaluate(() => (window.calmTimes = 0));
  return done;
}

// Violations of WCAG A, AA, 2.2 AA and best practices, in short.
export async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const result = await window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    });
    return result.violations.map(({ id, help, nodes }) => ({
      id, help, nodes: nodes.slice(0, 5).map((node) => [node.html.slice(0, 200), node.failureSummary?.slice(0, 300)]),
    }));
  });
  return found;
}

// How far the page is wider than the window, in px.
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

// A page in both themes, wide and at 320 px: no violation, no error, no sideways scrolling.
export async function allLooks(name, path, options = {}) {
  for (const theme of ["light", "dark"])
    for (const width of [1400, 320]) {
      const page = await open(path, { ...options, theme, width });
      const title = `${name}, ${theme}, ${width} px`;
      const found = await violations(page);
      check(found.length === 0, `${title}: axe finds nothing`, found);
      const wide = await overflow(page);
      check(wide <= 0, `${title}: nothing is wider than the window`, wide);
      await page.close();
    }
}

// The element that has the focus: its role (or tag), its name, and a part of its text.
export function focused(page) {
  return page.evaluate(() => {
    const e = document.activeElement;
    const labels = e?.getAttribute("aria-labelledby")?.split(" ").map((id) => document.getElementById(id)?.textContent);
    return {
      role: e?.getAttribute("role") ?? e?.tagName.toLowerCase(),
      name: (e?.getAttribute("aria-label") ?? labels?.join(" ") ?? e?.textContent ?? "").trim().slice(0, 200),
    };
  });
}

// Presses Tab until what is focused fits; false if it never does.
export async function tabTo(page, fits, most = 200) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    if (fits(await focused(page)))
      return true;
  }
  return false;
}

export async function press(page, ...keys) {
  for (const key of keys)
    await page.keyboard.press(key);
}

// The median of five runs of a function that returns milliseconds, held against a
// budget: strictly with BUDGETS=strict, else five times as much, for machines differ.
export async function budget(name, limitMs, run) {
  const times = [];
  for (let i = 0; i < 5; i++)
    times.push(await run(i));
  const median = times.sort((a, b) => a - b)[2];
  const limit = process.env.BUDGETS === "strict" ? limitMs : 5 * limitMs;
  check(median <= limit, `budget: ${name}: ${median.toFixed(0)} ms, of ${limitMs}`, times);
  return median;
}
