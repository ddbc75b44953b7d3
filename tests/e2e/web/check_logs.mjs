// The logs in a browser: search, levels, an opened line, pages, patterns, the live
// tail that pauses and loses nothing, keys only, hostile lines, budgets.
import {
  allLooks, budget, check, EMPTY, finish, focused, HOSTILE, HOSTILE_SERVER, logs, open, press, Server, settled,
  shopPath, SHOP_END, tabTo, until,
} from "./kit.mjs";

const rowTexts = (page) => page.locator(".cb-log-row .cb-line-text").allInnerTexts();
const param = (page, name) => new URL(page.url()).searchParams.get(name);

async function looks() {
  await allLooks("logs", shopPath("logs"));
  await allLooks("logs, opened", shopPath("logs", { level: "ERROR", wrap: "1", view: undefined, cols: "thread" }));
  await allLooks("log patterns", shopPath("logs", { view: "patterns" }));
  await allLooks("logs, nothing found", shopPath("logs", { q: "nothing has this" }));
  await allLooks("logs, hostile", shopPath("logs", { ns: HOSTILE.namespace, project: undefined, env: undefined }),
    { server: HOSTILE_SERVER });
}

async function search() {
  const page = await open(shopPath("logs"));
  check((await rowTexts(page)).length > 10, "logs: there are lines");
  await page.getByRole("button", { name: "ERROR", exact: true }).first().click();
  check(await until(page, () => {
    const levels = [...document.querySelectorAll(".cb-log-row .cb-log-level")].map((e) => e.textContent);
    return levels.length > 0 && levels.every((level) => level === "ERROR" || level === "FATAL");
  }), "logs: a level leaves lines of it only");
  check(param(page, "level") === "ERROR", "logs: the level is in the address");
  await page.getByRole("searchbox", { name: "Search in log lines" }).fill("stock of product");
  await press(page, "Enter");
  check(await until(page, () => {
    const texts = [...document.querySelectorAll(".cb-log-row .cb-line-text")].map((e) => e.textContent);
    return texts.length > 0 && texts.every((text) => text.includes("stock of product"));
  }), "logs: a phrase leaves lines that have it");
  await page.goBack();
  check(await until(page, () => !new URL(location.href).searchParams.has("q")), "logs: Back undoes the search");
  await page.close();
}

async function opened() {
  const page = await open(shopPath("logs", { level: "ERROR" }));
  await page.locator(".cb-log-row").nth(1).click();
  await page.waitForSelector(".cb-log-facts");
  check((await page.locator(".cb-log-whole").innerText()).length > 10, "logs: an opened line has its whole text");
  await page.getByRole("button", { name: /lines around/ }).click();
  check(await until(page, () => document.querySelectorAll(".cb-log-context .cb-log-row").length >= 10),
    "logs: the lines around it are there");
  check((await page.getByRole("link", { name: "Open the trace" }).getAttribute("href")).includes("trace?"),
    "logs: it leads to its trace");
  const at = param(page, "at");
  const text = await page.locator(".cb-log-whole").innerText();
  await page.close();

  const linked = await open(shopPath("logs", { at, level: "ERROR" }));
  check((await linked.locator(".cb-log-whole").innerText()) === text, "logs: a link opens the same line");
  await linked.close();
  const other = await open(shopPath("logs", { at, level: "DEBUG", q: undefined, order: "asc" }));
  await other.close();
  const far = await open(shopPath("logs", { at, order: "asc" }));
  check(await until(far, (t) => document.querySelector(".cb-notice .cb-log-whole")?.innerText === t, text),
    "logs: a link to a line that is not among those shown shows it above them");
  await far.close();
}

async function filters() {
  const page = await open(shopPath("logs", { level: "ERROR" }));
  await page.locator(".cb-log-row").first().click();
  await page.getByRole("button", { name: "Only lines with this log.iostream" }).click();
  check(await until(page, () => new URL(location.href).searchParams.get("attr.log.iostream") === "stderr"),
    "logs: + only filters by an attribute");
  await settled(page);
  await page.locator(".cb-log-row").first().click();
  await page.getByRole("button", { name: /As a column: logger.name/ }).click();
  check(await until(page, () => document.querySelector(".cb-log-column")?.textContent === "shop.RequestLog"),
    "logs: an attribute becomes a column");
  await page.getByRole("button", { name: "Without lines that have this logger.name" }).click();
  check(await until(page, () => /lines were read|No log lines/.test(document.querySelector("main").innerText)),
    "logs: − without leaves lines out and says so");
  await page.close();
}

async function paging() {
  const page = await open(shopPath("logs"));
  const grid = page.locator(".cb-log-rows");
  let rows = 0;
  for (let i = 0; i < 40 && rows < 1000; i++) {
    await grid.evaluate((e) => (e.scrollTop = e.scrollHeight));
    await until(page, (before) => {
      const found = /^([\d,]+) (of|lines)/.exec(document.querySelector(".cb-log-count")?.textContent ?? "");
      return found && Number(found[1].replaceAll(",", "")) > before;
    }, rows);
    rows = Number((await page.locator(".cb-log-count").innerText()).split(" ")[0].replaceAll(",", ""));
  }
  check(rows >= 1000, "logs: scrolling reads more lines", rows);
  const drawn = await page.locator(".cb-log-row").count();
  check(drawn < 200, "logs: only lines in view are in the document", drawn);
  await page.close();
}

async function keysOnly() {
  const page = await open(shopPath("logs", { level: "ERROR" }));
  check(await tabTo(page, (f) => f.role === "row"), "logs, keys: Tab reaches the lines");
  const first = (await focused(page)).name;
  await press(page, "j");
  check(await until(page, (f) => {
    const e = document.activeElement;
    return e?.getAttribute("role") === "row" && e.textContent.trim().slice(0, 200) !== f;
  }, first), "logs, keys: j goes to the next line");
  await press(page, "Enter");
  check(await until(page, () => document.querySelector(".cb-log-facts")), "logs, keys: Enter opens it");
  await press(page, "Escape");
  check(await until(page, () => !document.querySelector(".cb-log-facts")), "logs, keys: Escape closes it");
  await page.close();
}

const SCOPE = { namespace: "acme", project: "shop", component: "tail", environment: "production" };
const TAIL = "/ui/logs?ns=acme&project=shop&component=tail&env=production&live=1";

// Numbered lines, ten a request, in order.
function sender(server) {
  let n = 0;
  return async (count) => {
    for (const end = n + count; n < end;) {
      const records = [];
      for (let i = 0; i < 10 && n < end; i++)
        records.push({ at: Date.now(), body: `line number ${n++}` });
      await server.send("logs", logs(SCOPE, records));
    }
    return n;
  };
}

// The numbers that the tail holds, of the export of what is loaded.
async function heldNumbers(page) {
  await page.locator(".cb-menu summary").click();
  await page.getByRole("button", { name: "Copy as text" }).click();
  await page.getByText("Copied").waitFor();
  await page.locator(".cb-menu summary").click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  return [...text.matchAll(/line number (\d+)/g)].map((found) => Number(found[1]));
}

const inOrder = (numbers, count) => numbers.length === count && numbers.every((n, i) => n === i);
const showsText = (page, n) => until(page, (last) =>
  [...document.querySelectorAll(".cb-line-text")].some((e) => e.textContent === `line number ${last}`), n);

async function tail() {
  const server = await new Server().start();
  const send = sender(server);
  await send(20);
  const page = await open(TAIL, { server: server.query, now: null, settle: false, allow: [/Failed to load resource/] });
  check(await showsText(page, 19), "tail: it begins with the newest lines");
  let count = await send(200);
  check(await showsText(page, count - 1), "tail: lines that arrive are shown");
  const log = page.locator("[role=log]");
  check((await log.getAttribute("aria-live")) === "off", "tail: role=log is not read aloud");

  await page.locator(".cb-log-rows").hover();
  await page.mouse.wheel(0, -900);
  await page.getByText("Paused because you scrolled").waitFor();
  const top = await page.locator(".cb-log-rows").evaluate((e) => e.scrollTop);
  count = await send(140);
  check(await until(page, () => document.querySelector(".cb-log-waiting")?.textContent === "140 new"),
    "tail: while paused what arrives is counted", await page.locator(".cb-log-bar").innerText());
  check((await page.locator(".cb-log-rows").evaluate((e) => e.scrollTop)) === top, "tail: nothing moves while paused");
  await page.getByRole("button", { name: "Follow again" }).click();
  check(await showsText(page, count - 1), "tail: following again shows the newest line");
  check(inOrder(await heldNumbers(page), count), "tail: nothing is lost or repeated over a pause");

  await page.locator(".cb-log-row").last().click();
  check(await until(page, () => document.body.innerText.includes("Paused because you opened a line")),
    "tail: an opened line pauses it");
  count = await send(30);
  await page.getByRole("button", { name: "Follow again" }).click();
  check(await showsText(page, count - 1), "tail: it goes on after a line was opened");

  await server.stop();
  check(await until(page, () => document.body.innerText.includes("Callboard does not answer")),
    "tail: it says that the server is away");
  await server.start();
  count = await send(50);
  check(await showsText(page, count - 1), "tail: it goes on when the server is back");
  check(inOrder(await heldNumbers(page), count), "tail: nothing is lost or repeated over a restart of the server");

  count = await send(12_000);
  check(await until(page, () => /lines a second: one in \d+ is shown|were not shown/.test(document.body.innerText)),
    "tail: above 200 lines a second it says how many are shown");
  await page.close();
  await server.stop();
  server.remove();
}

async function hostile() {
  const server = await new Server().start();
  const bodies = [
    "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>",
    "\u001b[1;31mred\u001b[0m \u001b]0;title\u0007 plain \u0000 \u202eevil",
    JSON.stringify({ level: "info", msg: "<b>json message</b>", order: { id: 7 } }),
    "m".repeat(1_000_000),
    "\u0645\u0631\u062d\u0628\u0627 shalom",
  ];
  const scope = { ...SCOPE, component: "<b>" + "c".repeat(300) };
  for (const [i, body] of bodies.entries())
    await server.send("logs", logs(scope, [{ at: Date.now() + i, body, attributes: { "<i>name</i>": "<u>value</u>" } }]));
  const page = await open("/ui/logs?ns=acme", { server: server.query, now: null });
  check((await page.locator(".cb-log-row").count()) >= 4, "hostile lines: they are shown");
  check((await page.locator("main img, main script, main b b").count()) === 0, "hostile lines: nothing of them becomes markup");
  check(!(await page.title()).includes("hit"), "hostile lines: nothing of them runs");
  check((await page.locator(".cb-ansi-red").innerText()) === "red", "hostile lines: colours of terminals are styles");
  check((await page.getByText("\\u202eevil").count()) > 0, "hostile lines: what turns text around is visible");
  await page.getByText("<b>json message</b>").first().click();
  await page.waitForSelector(".cb-log-facts");
  check((await page.locator(".cb-log-whole").innerText()).includes('"id": 7'), "hostile lines: JSON is set out");
  check((await page.getByText("<i>name</i>").count()) > 0, "hostile lines: names of attributes are text");
  await press(page, "Escape");
  const long = page.locator(".cb-log-row", { hasText: "mmmmmmmm" });
  if ((await long.count()) > 0) {
    await long.first().click();
    await page.waitForSelector(".cb-log-facts");
    const all = page.getByRole("button", { name: /Show all of it/ });
    check((await all.count()) === 1, "hostile lines: of a megabyte the begin is shown first");
    await all.click();
    check(await until(page, () => document.querySelector(".cb-log-whole").textContent.length >= 60_000),
      "hostile lines: and all of it when asked for");
  }
  await page.close();
  await server.stop();
  server.remove();
}

// Ten thousand lines in one answer, some long.
function manyLines() {
  const entries = Array.from({ length: 10_000 }, (_, i) => ({
    timestamp: new Date(SHOP_END - i).toISOString().replace("Z", String(i % 1000).padStart(6, "0") + "Z"),
    log: i % 7 ? `level=info thread=worker-${i % 16} msg="line ${i}"` : `line ${i} ` + "long words of a line ".repeat(40),
    level: i % 50 ? "INFO" : "ERROR",
    metadata: { componentName: "web", namespaceName: "acme", projectName: "shop" },
  }));
  return JSON.stringify({ logs: entries, total: 1000, totalIsLowerBound: true, tookMs: 1 });
}

async function budgets() {
  const answer = manyLines();
  const page = await open("/ui/status");
  await page.route("**/api/v1/logs/query", (route) => route.fulfill({ body: answer, contentType: "application/json" }));
  await page.goto(new URL(shopPath("logs", { wrap: "1", chart: "off" }), page.url()).href);
  await page.waitForSelector(".cb-log-row");
  await settled(page);
  const drawAgain = () => page.evaluate(() => new Promise((done) => {
    const toggle = [...document.querySelectorAll("button")].find((e) => e.textContent === "Wrap");
    const begin = performance.now();
    toggle.click();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - begin)));
  }));
  await budget("10,000 log lines, drawn", 50, drawAgain);
  if (param(page, "wrap") !== "1")
    await drawAgain();
  const scroll = () => page.evaluate(async () => {
    const grid = document.querySelector(".cb-log-rows");
    const frames = [];
    let last = performance.now();
    for (let i = 0; i < 60; i++) {
      grid.scrollTop += 700;
      await new Promise((next) => requestAnimationFrame(next));
      const now = performance.now();
      frames.push(now - last);
      last = now;
    }
    return frames.sort((a, b) => a - b)[Math.floor(frames.length * 0.95)];
  });
  await budget("10,000 log lines, scroll p95", 40, scroll);
  await page.close();
}

async function states() {
  const empty = await open(shopPath("logs"), { server: EMPTY });
  check(/No log lines/.test(await empty.locator("main").innerText()), "logs, empty: it says so and why");
  await empty.close();
  for (const [status, text] of [[403, "You may not see this"], [500, "Ask again"]]) {
    const page = await open(shopPath("logs"), { settle: false, allow: [/Failed to load resource/] });
    await page.route("**/api/v1/logs/**", (route) => route.fulfill({
      status, contentType: "application/json", body: JSON.stringify({ title: "t", errorCode: "", message: "because" }),
    }));
    await page.reload();
    await page.getByText(text).first().waitFor();
    const shown = await page.locator("main").innerText();
    check(!/No log lines/.test(shown), `logs, ${status}: it is not called empty`);
    await page.close();
  }
}

await looks();
await states();
await search();
await opened();
await filters();
await paging();
await keysOnly();
await tail();
await hostile();
await budgets();
await finish();
