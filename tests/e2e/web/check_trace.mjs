// The view of one trace.
import {
  allLooks, budget, check, finish, logs, open, press, settled, shopPath, spans, tabTo, until,
  Server, EMPTY, HOSTILE, HOSTILE_SERVER, SHOP,
} from "./kit.mjs";

const now = Date.now();
const shop = new Server();
shop.query = SHOP;

const found = await (await fetch(
  SHOP + "/api/v1/traces?namespace=acme&project=shop&status=error&operation=POST%20%2Fcheckout" +
    "&startTime=2025-01-15T08:00:00Z&endTime=2025-01-15T08:30:00Z&limit=50",
)).json();
// The largest in which several spans failed.
let tree;
for (const { traceId } of found.traces.sort((a, b) => b.spanCount - a.spanCount)) {
  tree = await shop.ask(`/api/v1/traces/${traceId}?namespace=acme&limit=10000`);
  if (tree.summary.errorCount > 2)
    break;
}
const ID = tree.traceId;
const path = (params = {}) => shopPath("trace", { project: undefined, env: undefined, id: ID, ...params });
const rows = (page) => page.locator(".cb-span-rows .cb-span:not(.cb-span-log)");
const param = (page, name) => new URL(page.url()).searchParams.get(name);
const paramIs = (page, name, value) =>
  until(page, ([n, v]) => new URL(location.href).searchParams.get(n) === v, [name, value]);

await allLooks("trace", path());
await allLooks("trace, one span", path({ span: tree.errors[0].spanId }));
await allLooks("trace, list", path({ view: "list" }));
await allLooks("trace, flame", path({ view: "flame" }));

{
  const page = await open(path({ logs: "0" }));
  check((await rows(page).count()) === tree.spans.length, "trace: a row for each span", await rows(page).count());
  const critical = tree.spans.filter((span) => span.criticalPathNs > 0).length;
  const bars = await page.locator(".cb-span-bar:has(.cb-bar-critical)").count();
  check(bars === critical, "trace: the critical path is that of the API", [bars, critical]);
  const failed = await page.locator(".cb-bar-failed").count();
  check(failed === tree.summary.errorCount, "trace: failed spans are marked", failed);
  await press(page, "Tab");

  // Fold and unfold, find, next, failed, panel: by keys only.
  check(await tabTo(page, (f) => f.role === "treegrid"), "trace: the rows are reached by Tab");
  await press(page, "ArrowDown", "Home", "ArrowLeft");
  check(await until(page, () => new URL(location.href).searchParams.has("closed")), "trace: left folds");
  check((await rows(page).count()) < tree.spans.length, "trace: what is below a folded span is hidden");
  await press(page, "ArrowRight");
  check(await until(page, () => !new URL(location.href).searchParams.has("closed")), "trace: right unfolds");
  await press(page, "Enter");
  check(await until(page, () => document.querySelector(".cb-trace-panel")), "trace: Enter opens a span");
  const before = param(page, "span");
  check(before !== null, "trace: the open span is in the address");
  await press(page, "ArrowDown");
  check(
    await until(page, (old) => new URL(location.href).searchParams.get("span") !== old, before),
    "trace: the panel follows the row",
  );
  await press(page, "Escape");
  check(await until(page, () => !document.querySelector(".cb-trace-panel")), "trace: Esc closes it");
  await press(page, "c");
  check(await paramIs(page, "critical", "0"), "trace: c hides the critical path");
  await page.evaluate(() => document.activeElement.blur());
  await press(page, "c");
  check(await paramIs(page, "critical", null), "trace: c works from the whole page");
  await press(page, "c");
  await paramIs(page, "critical", "0");
  check(await tabTo(page, (f) => f.role === "treegrid"), "trace: the rows are reached again");
  await press(page, "c", "Home", "!");
  const origin = tree.spans.findIndex((span, row) => row > 0 && span.status.code === "error");
  check(
    await until(page, (row) => document.querySelector("[role=treegrid]").getAttribute("aria-activedescendant").endsWith("-" + row), origin),
    "trace: ! goes to the next failed span",
  );
  await press(page, "f");
  await page.keyboard.type("inventory");
  check(await paramIs(page, "find", "inventory"), "trace: what is found is in the address");
  check((await page.locator(".cb-trace-find-count").textContent()).match(/^[1-9]/), "trace: find counts");
  await press(page, "Enter");
  check((await page.locator(".cb-span-hit").count()) > 0, "trace: hits are marked");
  await page.close();
}
{
  const page = await open(path());
  const area = await page.locator(".cb-minimap-area").boundingBox();
  await page.mouse.move(area.x + area.width * 0.25, area.y + 20);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width * 0.5, area.y + 20, { steps: 5 });
  await page.mouse.up();
  check(await until(page, () => new URL(location.href).searchParams.has("zoom")), "trace: a drag over the small picture zooms");
  await page.goBack();
  check(await until(page, () => !new URL(location.href).searchParams.has("zoom")), "trace: Back undoes it");
  await page.getByRole("combobox", { name: /^Show/ }).selectOption("failed");
  check(await paramIs(page, "only", "failed"), "trace: only failed");
  check(
    await until(page, (n) => document.querySelectorAll(".cb-span-rows .cb-span:not(.cb-span-log)").length === n, tree.summary.errorCount),
    "trace: only failed spans are shown",
  );
  check((await page.locator(".cb-span-log").count()) > 0, "trace: log records are below their spans");
  await page.getByRole("button", { name: "List", exact: true }).click();
  check(await paramIs(page, "view", "list"), "trace: list");
  await page.getByRole("button", { name: "Flame", exact: true }).click();
  check(await until(page, () => document.querySelector(".cb-flame")), "trace: flame");
  await page.close();
}
{
  const span = tree.errors[0];
  const page = await open(path({ span: span.spanId }));
  const panel = page.locator(".cb-trace-panel");
  check(await until(page, () => document.querySelector(".cb-trace-panel .cb-facts")), "trace: a span of the address is open");
  check((await panel.textContent()).includes(span.spanName), "trace: it is the right one");
  await panel.getByRole("link", { name: span.component, exact: true }).click();
  check(await until(page, () => location.pathname.endsWith("/component")), "trace: its component is one click away");
  await page.close();
}
{
  const page = await open(path({ id: "00000000000000000000000000000bad" }), { allow: [/404/] });
  const text = await page.locator("main").textContent();
  check(text.includes("There is no trace") && text.includes("acme"), "trace: not found says where was searched", text);
  await page.close();
  const none = await open("/ui/trace?ns=acme", { server: EMPTY });
  check((await none.locator("main").textContent()).includes("No trace is chosen"), "trace: without an id");
  await none.close();
  const wrong = await open(path({ id: "not-hex" }), { allow: [/400/] });
  check((await wrong.locator(".cb-notice-error").count()) === 1, "trace: an id that is none is an error");
  await wrong.close();
}
{
  const hostile = (1).toString(16).padStart(32, "a");
  const place = `/ui/trace?ns=${encodeURIComponent(HOSTILE.namespace)}&id=${hostile}`;
  await allLooks("trace, hostile names", place, { server: HOSTILE_SERVER });
  const page = await open(place + "&view=list", { server: HOSTILE_SERVER });
  check((await page.locator("main script, main img").count()) === 0, "trace: names are text");
  await page.close();
}

// ---- Access, odd traces, size ----

// With the memory that a server has by default.
const own = await new Server({
  tokens: {
    reader: [{ role: "viewer", namespace: "acme" }],
    other: [{ role: "viewer", namespace: "elsewhere" }],
  },
}).start();
const id = (n) => n.toString(16).padStart(16, "0");
const scope = (component) => ({ namespace: "acme", project: "shop", component, environment: "production" });

// Sends spans {n, parent, component, at, ms, ...} of one trace.
async function sendTrace(traceId, list) {
  for (let i = 0; i < list.length; i += 5000) {
    const parts = new Map();
    for (const { n, parent, component, ...more } of list.slice(i, i + 5000)) {
      const part = parts.get(component) ?? [];
      part.push({ traceId, spanId: id(n), parent: parent ? id(parent) : undefined, name: "operation " + (n % 97), ...more });
      parts.set(component, part);
    }
    for (const [component, part] of parts)
      await own.send("traces", spans(scope(component), part));
  }
}
const ODD = "0dd".padStart(32, "0");
await sendTrace(ODD, [
  { n: 1, component: "web", kind: 2, at: now, ms: 100, failed: true },
  { n: 2, parent: 1, component: "web", kind: 3, at: now + 10, ms: 40 },
  { n: 3, parent: 2, component: "cart", kind: 2, at: now + 2, ms: 30 },
  { n: 2, parent: 1, component: "web", kind: 1, at: now + 60, ms: 5 },
  { n: 8, parent: 99, component: "search", kind: 2, at: now + 50, ms: 5 },
  { n: 10, parent: 11, component: "a", at: now + 60, ms: 5 },
  { n: 11, parent: 10, component: "a", at: now + 58, ms: 5 },
]);
const { reader, other } = own.tokens;
{
  const options = { server: own.query, now: null, token: reader };
  await allLooks("odd trace", "/ui/trace?ns=acme&id=" + ODD, options);
  const page = await open("/ui/trace?ns=acme&id=" + ODD, options);
  const tags = await page.locator(".cb-trace-tag").allTextContents();
  for (const tag of ["parent missing", "not received", "parent ring", "same id"])
    check(tags.includes(tag), `trace: ${tag} is told`, tags);
  check(tags.some((tag) => tag.startsWith("clock −")), "trace: a clock that is behind is told", tags);
  check((await page.locator(".cb-trace-remarks li").count()) >= 4, "trace: what is wrong is said at the top");
  await page.close();
  const refused = await open("/ui/trace?ns=acme&id=" + ODD, { ...options, token: other, allow: [/403/, /404/] });
  const text = await refused.locator("main").textContent();
  check(/may not|no trace/i.test(text), "trace: without permission nothing of it is shown", text);
  check((await refused.locator(".cb-span").count()) === 0, "trace: without permission there is no span");
  await refused.close();
}

const shapes = {
  "50,000 spans": Array.from({ length: 50_000 }, (_, i) => ({
    n: i + 1, parent: i && Math.max(1, Math.floor((i + 1) / 3)), component: "c" + (i % 12), at: now + i / 1000, ms: 60 - i / 1000,
  })),
  "one parent of 50,000": Array.from({ length: 50_000 }, (_, i) => ({
    n: i + 1, parent: i && 1, component: "c" + (i % 12), at: now + i / 1000, ms: i ? 1 : 60,
  })),
  "10,000 deep": Array.from({ length: 10_000 }, (_, i) => ({
    n: i + 1, parent: i, component: "c" + (i % 12), at: now + i / 1000, ms: 60 - i / 500,
  })),
};
// Twenty attributes a span and a log record for each fourth, as instrumented programs send them.
const details = (n) =>
  Object.fromEntries(Array.from({ length: 20 }, (_, k) => [`app.attribute.${k}`, k % 3 ? `value ${k} of request ${n}` : n * k]));
const RICH = "50,000 spans";

async function sendLogs(traceId, list) {
  for (let i = 0; i < list.length; i += 20_000)
    for (let c = 0; c < 12; c++) {
      const part = list.slice(i, i + 20_000).filter((span) => span.n % 4 === 0 && span.component === "c" + c);
      if (part.length)
        await own.send("logs", logs(scope("c" + c), part.map(({ n, at }) => ({ at, traceId, spanId: id(n), body: `step ${n} is done`, attributes: { n } }))));
    }
}

// What the API answers about it within the default limit, and two questions at once.
async function askRich(traceId) {
  const path = `/api/v1/traces/${traceId}?namespace=acme&limit=10000&logs=1000`;
  const answers = await Promise.all([own.ask(path, reader), own.ask(path + "&attributes=all", reader)]);
  for (const [i, answer] of answers.entries()) {
    const what = `trace: ${RICH} at the default memory limit, ${i ? "with" : "without"} attributes`;
    check(answer.summary?.spanCount === 50_000 && answer.spans.length === 10_000, what, answer.message);
    check(answer.omitted?.spans === 40_000 && answer.summary?.logCount > 1000, what + ": what is omitted is told", answer.omitted);
  }
  const { omitted, spans } = answers[1];
  const without = spans?.filter((span) => Object.keys(span.attributes ?? {}).length === 0).length;
  check(omitted?.attributes === without && without < 10_000, "trace: spans without their attributes are counted", [omitted, without]);
}

async function measure(page) {
  return page.evaluate(async () => {
    const arranged = performance.getEntriesByName("callboard-arrange").at(-1);
    const shown = performance.getEntriesByName("callboard-rows").at(-1);
    const grid = document.querySelector(".cb-waterfall");
    const frames = [];
    for (let i = 0; i < 40; i++) {
      const start = performance.now();
      grid.scrollTop = ((grid.scrollHeight - grid.clientHeight) * ((i * 37) % 40)) / 39;
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      frames.push(performance.now() - start);
    }
    return {
      arrange: arranged.duration,
      rows: shown.startTime - arranged.startTime,
      scroll: frames.sort((a, b) => a - b)[37],
      bytes: performance.memory.usedJSHeapSize,
    };
  });
}
let n = 0;
for (const [name, list] of Object.entries(shapes)) {
  const traceId = (++n).toString(16).padStart(32, "5");
  const rich = name === RICH;
  await sendTrace(traceId, rich ? list.map((span) => ({ ...span, attributes: details(span.n) })) : list);
  if (rich) {
    await sendLogs(traceId, list);
    await askRich(traceId);
  }
  const all = { arrange: [], rows: [], scroll: [] };
  for (let i = 0; i < 5; i++) {
    const page = await open("/ui/trace?ns=acme&id=" + traceId, { server: own.query, now: null, token: reader });
    const whole = await until(page, (rows) => Number(document.querySelector(".cb-waterfall")?.getAttribute("aria-rowcount")) > rows, list.length);
    if (i === 0)
      check(whole, `trace: ${name}: all spans are there`);
    await settled(page);
    const seen = await measure(page);
    for (const key of Object.keys(all))
      all[key].push(seen[key]);
    if (i === 4)
      check(seen.bytes < 100e6, `budget: ${name}: memory of the page under 100 MB`, seen.bytes);
    await page.close();
  }
  await budget(`${name}: arranged`, 150, (i) => all.arrange[i]);
  await budget(`${name}: first rows`, 250, (i) => all.rows[i]);
  await budget(`${name}: scroll, 95 of 100 steps`, 50, (i) => all.scroll[i]);
}
await own.stop();
own.remove();
await finish();
