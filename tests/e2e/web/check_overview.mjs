// The overview: what is in trouble, the projects, every component.
import { allLooks, budget, check, EMPTY, finish, focused, HOSTILE, HOSTILE_SERVER, open, press, Server, settled, shopPath, SHOP_END, spans, tabTo, until } from "./kit.mjs";

const path = shopPath("", { project: undefined, env: undefined });
const names = (page) =>
  page.$$eval('[role=grid][aria-label=Components] [role=row]:not(.cb-row-head)', (rows) =>
    rows.map((row) => row.querySelector('a[href*="component="]')?.textContent));
const parameter = (page, name) => new URL(page.url()).searchParams.get(name);

await allLooks("overview", path);
await allLooks("overview without data", "/ui/", { server: EMPTY });

// What a stranger reads: which component, since when, why.
{
  const page = await open(path);
  check(await until(page, () => /Likely cause: inventory.*since \d\d:\d\d/.test(
    document.querySelector("ul[aria-label=Projects]")?.textContent.replace(/\d+ \w{3} /, "") ?? "")),
    "overview: the project says the cause and since when");
  const first = (await names(page)).slice(0, 3);
  check(first.includes("inventory"), "overview: the component at fault is among the first", first);
  check((await names(page)).length === 12, "overview: all components are listed");

  await page.getByRole("button", { name: /\d+ ok/ }).click();
  check(parameter(page, "health") === "ok", "overview: a counter filters, in the address");
  check(!(await names(page)).includes("inventory"), "overview: the filter holds");
  await page.goBack();
  check(parameter(page, "health") === null, "overview: Back undoes the filter");

  await page.getByRole("button", { name: "Component", exact: true }).click();
  check(parameter(page, "sort") === "-component", "overview: the order is in the address");
  check((await names(page))[0] === "web", "overview: sorted by name, the last first");
  await page.getByRole("searchbox", { name: /Filter components/ }).fill("cart");
  check(await until(page, () => document.querySelectorAll("[role=grid] [role=row]").length === 2), "overview: words filter");
  await page.close();
}

// A figure leads to its section.
{
  const page = await open(path);
  await page.locator('[role=grid] a[href*="component=inventory"][href$="#errors"]').click();
  await page.waitForSelector("#errors");
  check(new URL(page.url()).pathname.endsWith("/ui/component") && page.url().endsWith("#errors"), "overview: a figure opens the page at its section");
  check(await until(page, () => {
    const box = document.getElementById("errors").getBoundingClientRect();
    return box.top < innerHeight && box.bottom > 0;
  }), "overview: the section is in view");
  await page.close();
}

// By keyboard only.
{
  const page = await open(path);
  check(await tabTo(page, ({ role }) => role === "row"), "overview: Tab reaches a row");
  await press(page, "j", "k", "End");
  check((await focused(page)).role === "row", "overview: j, k and End move between rows");
  await press(page, "Home", "Enter");
  check(await until(page, () => location.pathname.endsWith("/component")), "overview: Enter opens the component");
  await page.close();
}

// Nothing was sent yet; what cannot be asked; who may not.
{
  const page = await open("/ui/", { server: EMPTY, now: null });
  check((await page.textContent("main")).includes("OTEL_EXPORTER_OTLP_ENDPOINT"), "overview: without data it says how to send");
  await page.close();
}
{
  const page = await open(shopPath("", { from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z" }), { allow: [/400/] });
  check((await page.textContent("main")).includes("Ask again"), "overview: an error says what, and can be asked again");
  await page.close();
}
{
  const server = await new Server({ tokens: { other: [{ role: "viewer", namespace: "other" }] } }).start();
  const page = await open(shopPath(""), { server: server.query, token: server.tokens.other, allow: [/403/] });
  check((await page.textContent("main")).includes("You may not see"), "overview: a refusal is not empty");
  await page.close();
  await server.stop();
}

// Names that break pages.
{
  const page = await open(`/ui/?${new URLSearchParams({ ns: HOSTILE.namespace, from: "now-30m" })}`, { server: HOSTILE_SERVER });
  check((await page.locator("script:not([src])").count()) === 0 && (await page.locator("main img").count()) === 0, "overview: names are text");
  check((await names(page)).includes(HOSTILE.html), "overview: a name of HTML is shown as it is");
  check((await names(page)).some((name) => name?.includes("\\u202e")), "overview: what turns text around is visible");
  await page.close();
}

// A thousand components: from opening the page to the sorted table.
{
  const server = await new Server().start();
  for (let i = 0; i < 1000; i += 50) {
    const each = Array.from({ length: 50 }, (_, j) => i + j).map((n) =>
      spans({ namespace: "big", project: `p${n % 40}`, component: `c${n}`, environment: "production" },
        [{ traceId: (n + 1).toString(16).padStart(32, "0"), spanId: (n + 1).toString(16).padStart(16, "0"), at: SHOP_END - 60_000, ms: n % 90, name: "GET /", failed: n % 10 === 0 }]));
    await server.send("traces", { resourceSpans: each.flatMap(({ resourceSpans }) => resourceSpans) });
  }
  const page = await open("/ui/?ns=big&from=now-30m", { server: server.query });
  await budget("1,000 components, to the sorted table", 500, async () => {
    await page.reload({ waitUntil: "commit" });
    await page.waitForSelector('[role=grid][aria-rowcount="1001"] [role=row][data-index="5"]');
    return page.evaluate(() => performance.now());
  });
  await settled(page);
  check((await page.locator("[role=grid] [role=row]").count()) < 100, "overview: only rows in view are in the page");
  await page.close();
  await server.stop();
}
await finish();
