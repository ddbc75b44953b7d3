// The page of a component: the answer first, charts, and what leads on from them.
import { allLooks, budget, check, finish, focused, HOSTILE, HOSTILE_SERVER, open, press, Server, settled, shopPath, tabTo, until } from "./kit.mjs";

const path = (params = {}, section) => shopPath("component", { component: "inventory", ...params }, section);
const parameter = (page, name) => new URL(page.url()).searchParams.get(name);
const charts = (page) => page.locator(".cb-charts .cb-chart");
const chart = (page, title) => page.locator(".cb-charts .cb-chart", { hasText: title }).first();

await allLooks("component", path());

// Which, since when, why: in the first screen, without a click.
{
  const page = await open(path());
  const verdict = page.locator(".cb-verdict");
  await page.waitForSelector(".cb-cause, .cb-verdict-why a");
  const text = await verdict.textContent();
  check(/of requests fail \(.* before\).* since .*08:2\d/.test(text), "component: how it is, and since when", text);
  check(/Likely cause: inventory,/.test(text), "component: why", text);
  const box = await verdict.boundingBox();
  check(box.y + box.height < 450, "component: the answer is at the top", box);
  check((await charts(page).count()) === 6, "component: six charts on one axis");
  await verdict.getByRole("link", { name: "Evidence" }).click();
  check(await until(page, () => location.pathname.endsWith("/cause")), "component: the evidence is one click away");
  await page.close();
}

// At most three questions before it can be read.
{
  const page = await open("/ui/status");
  const asked = [];
  page.on("request", (request) => request.url().includes("/api/") && asked.push(request.url()));
  await page.goto(new URL(path(), page.url()).href, { waitUntil: "commit" });
  await page.waitForSelector(".cb-verdict-text");
  const own = asked.filter((url) => /components\/acme|incidents|cause/.test(url));
  check(own.length <= 4, "component: few questions before it can be read", own);
  await page.close();
}

// A brush on a chart sets the time of the page; Back undoes it.
{
  const page = await open(path());
  const before = page.url();
  const plot = chart(page, "Requests").locator(".u-over");
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  check(await until(page, () => /^2025-/.test(new URL(location.href).searchParams.get("from") ?? "")), "component: a brush sets the time");
  await page.goBack();
  check(await until(page, (url) => location.href === url, before), "component: one step of Back undoes the brush");
  await page.close();
}

// A dot opens its trace, a marker the change.
{
  const page = await open(path());
  const dot = page.getByRole("list", { name: "Latency: changes and traces" }).getByRole("button").first();
  await dot.focus();
  await press(page, "Enter");
  check(await until(page, () => location.pathname.endsWith("/trace")), "component: a dot of the latency opens its trace");
  await page.close();
}
{
  const page = await open(path({ component: "checkout" }));
  const marker = page.getByRole("list", { name: "Requests: changes and traces" }).getByRole("button", { name: /version/ });
  await marker.first().focus();
  await press(page, "Enter");
  const panel = page.getByRole("complementary", { name: "Change", exact: true });
  await panel.waitFor();
  check(await until(page, () => document.querySelector(".cb-compare")?.textContent.includes("p99")), "component: a change shows the figures around it");
  check(parameter(page, "change") !== null, "component: the change is in the address");
  await page.close();
}

// An operation filters the charts.
{
  const page = await open(path());
  await page.getByRole("grid", { name: "Operations" }).getByText("shop.Inventory/Reserve").click();
  check(parameter(page, "operation") === "shop.Inventory/Reserve", "component: an operation is in the address");
  await page.getByRole("button", { name: "Show all requests" }).click();
  check(parameter(page, "operation") === null, "component: all requests again");
  await page.close();
}

// By keyboard only: a chart, its minute, a row of traces.
{
  const page = await open(path());
  check(await tabTo(page, ({ role, name }) => role === "slider" && name.startsWith("Errors")), "component: Tab reaches a chart");
  await press(page, "End", "ArrowLeft", "v");
  await page.getByRole("complementary", { name: "Minute", exact: true }).waitFor();
  check(parameter(page, "minute") !== null, "component: v shows the minute");
  await settled(page);
  check((await page.locator("aside[aria-label=Minute] .cb-logline").count()) > 0, "component: the minute has lines or traces");
  check(await tabTo(page, ({ role }) => role === "row"), "component: Tab reaches a table");
  check((await focused(page)).role === "row", "component: rows have the focus");
  await page.close();
}

// Below the fold: asked when it comes into view.
{
  const page = await open(path({}, "errors"));
  await page.waitForSelector(".cb-loglines");
  check((await page.locator("#errors .cb-logline a").count()) > 0, "component: error lines lead to traces");
  await page.close();
}

// What is unknown, who may not, an error.
{
  const page = await open(path({ component: "nowhere" }));
  check((await page.textContent("main")).includes("This component is not known"), "component: unknown is told");
  await page.close();
}
{
  const page = await open(path({ from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z" }), { allow: [/400/] });
  check((await page.textContent("main")).includes("Ask again"), "component: an error can be asked again");
  await page.close();
}
{
  const server = await new Server({ tokens: { other: [{ role: "viewer", namespace: "other" }] } }).start();
  const page = await open(path(), { server: server.query, token: server.tokens.other, allow: [/403/] });
  check((await page.textContent("main")).includes("You may not see"), "component: a refusal is not empty");
  await page.close();
  await server.stop();
}

// Names that break pages.
for (const component of [HOSTILE.html, HOSTILE.component, HOSTILE.rtl]) {
  const query = new URLSearchParams({ ns: HOSTILE.namespace, project: HOSTILE.project, component, env: HOSTILE.html, from: "now-30m" });
  for (const width of [1400, 320]) {
    const page = await open(`/ui/component?${query}`, { server: HOSTILE_SERVER, width });
    const found = await page.evaluate(() => ({
      scripts: document.querySelectorAll("script:not([src])").length,
      images: document.querySelectorAll("main img").length,
      wide: document.documentElement.scrollWidth - innerWidth,
      verdict: document.querySelector(".cb-verdict")?.textContent ?? "",
    }));
    check(found.scripts === 0 && found.images === 0, "component: a hostile name is text", found);
    check(found.wide <= 0, `component: a hostile name does not widen the page at ${width} px`, found);
    check(found.verdict !== "", "component: a hostile name has an answer");
    await page.close();
  }
}

{
  const page = await open(path());
  await budget("component page readable, cached", 400, async () => {
    await page.reload({ waitUntil: "commit" });
    await page.waitForSelector(".cb-verdict-text");
    await page.waitForSelector(".cb-charts .u-over");
    return page.evaluate(() => performance.now());
  });
  await page.close();
}
await finish();
