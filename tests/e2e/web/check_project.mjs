// The project: its topology, what is chosen in it, its components.
import {
  allLooks, budget, check, finish, focused, open, press, settled, shopPath, tabTo, until, EMPTY, HOSTILE, HOSTILE_SERVER,
} from "./kit.mjs";

const TOPOLOGY = "**/api/v1alpha1/metrics/runtime-topology";
const path = shopPath("project", { from: "now-6m" });
const node = (name) => `[data-node="component/acme/shop/${name}"]`;

await allLooks("project", path);
await allLooks("project, an edge", shopPath("project", {
  from: "now-6m", at: "component/acme/shop/web>component/acme/shop/inventory",
}));

// Where each node is drawn, as the graph has it.
const places = (page) =>
  page.$$eval("[data-node]", (all) => Object.fromEntries(all.map((e) => [e.dataset.node, e.getAttribute("transform")])));

// Edges that pass through a node which is none of their ends.
const behind = (page) =>
  page.evaluate(() => {
    const boxes = [...document.querySelectorAll("[data-node]")].map((e) => {
      const [, x, y] = /translate\(([-\d.]+) ([-\d.]+)\)/.exec(e.getAttribute("transform"));
      const { width, height } = e.querySelector(".cb-graph-shape").getBBox();
      return { id: e.dataset.node, x: +x, y: +y, width, height };
    });
    const found = [];
    for (const edge of document.querySelectorAll("[data-edge]")) {
      const line = edge.querySelector(".cb-graph-line");
      for (let at = 0; at <= line.getTotalLength(); at += 4) {
        const p = line.getPointAtLength(at);
        const hit = boxes.find(
          (b) => p.x > b.x + 1 && p.x < b.x + b.width - 1 && p.y > b.y + 1 && p.y < b.y + b.height - 1,
        );
        if (hit && !edge.dataset.edge.split(">").includes(hit.id))
          found.push(`${edge.dataset.edge} behind ${hit.id}`);
      }
    }
    return [...new Set(found)];
  });

{
  const page = await open(path);
  const label = await page.locator(`${node("inventory")} [role=button]`).getAttribute("aria-label");
  check(/^inventory, component, (bad|warning), .*failed, p90/.test(label), "a node says what it is and its figures", label);
  check((await page.locator(".cb-sentence").innerText()).includes("inventory"), "the sentence names the likely cause");
  const found = await behind(page);
  check(found.length === 0, "no edge runs behind a node", found);
  const pairs = await page.$$eval("[data-edge]", (all) => all.map((e) => e.dataset.edge));
  check(pairs.length > 15 && new Set(pairs).size === pairs.length, "one edge per pair of nodes", pairs.length);
  check((await page.locator('[data-node="queue/kafka/orders"]').count()) === 1 && (await page.locator(node("orders")).count()) === 1,
    "a queue and a component of one name are two nodes");

  // Another time, as on refresh: figures change, nothing moves.
  const before = await places(page);
  await page.evaluate(() => {
    history.pushState(null, "", location.href.replace("now-6m", "now-5m"));
    dispatchEvent(new PopStateEvent("popstate"));
  });
  await settled(page);
  const after = await places(page);
  const moved = Object.keys(after).filter((id) => before[id] !== after[id]);
  check(moved.length === 0 && Object.keys(after).length > 15, "nothing moves on refresh", moved);

  await page.getByRole("checkbox", { name: "gateways" }).uncheck();
  check((await page.locator('[data-node="gateway//internet"]').count()) === 0, "gateways can be left out");
  check(page.url().includes("gateways=off"), "what is left out is in the address");
  await page.goBack();
  check(await until(page, () => document.querySelector('[data-node="gateway//internet"]') !== null), "Back brings them again");

  await page.getByRole("checkbox", { name: "only trouble" }).check();
  const few = await page.locator("[data-node]").count();
  check(few > 1 && few < Object.keys(after).length, "only trouble: less nodes", few);
  await page.getByRole("button", { name: "Show as table" }).click();
  check(await page.getByRole("grid", { name: "Calls" }).isVisible(), "the same as a table");
  await page.close();
}

// With the keyboard only.
{
  const page = await open(path);
  check(await tabTo(page, ({ name }) => / component, /.test(name)), "keyboard: a node is reached by Tab");
  const start = (await focused(page)).name;
  await press(page, "ArrowLeft");
  const left = (await focused(page)).name;
  check(left !== start && / (component|gateway)/.test(left), "keyboard: to a caller", [start, left]);
  await press(page, "ArrowRight");
  await press(page, "Enter");
  check(await until(page, () => document.querySelector(".cb-panel") !== null), "keyboard: Enter shows what is chosen");
  await settled(page);
  const still = await focused(page);
  check(/ component, /.test(still.name), "keyboard: the focus stays", still);
  await press(page, "Escape");
  check(await until(page, () => document.querySelector(".cb-panel") === null), "keyboard: Escape closes it");
  await press(page, "f");
  check(await until(page, () => location.search.includes("focus=")), "keyboard: f shows only neighbours");
  await page.close();
}

// An edge: both directions, endpoints, traces.
{
  const page = await open(shopPath("project", { from: "now-6m", at: "component/acme/shop/web>component/acme/shop/inventory" }));
  const panel = page.getByRole("complementary", { name: "Chosen in the graph" });
  check((await panel.getByRole("table", { name: "Endpoints" }).innerText()).includes("grpc"), "an edge lists its endpoints");
  const traces = await panel.locator(".cb-panel-traces a").count();
  check(traces > 0 && traces <= 10, "an edge shows traces through it", traces);
  await page.close();
}

// States.
{
  const page = await open(shopPath("project"), { server: EMPTY });
  check((await page.locator("main").innerText()).includes("Nothing of shop"), "without data: says so");
  await page.close();
}
for (const [status, text] of [[403, "You may not see this"], [500, "Ask again"]]) {
  const page = await open("/ui/status", { allow: [/status of/] });
  await page.route(TOPOLOGY, (route) =>
    route.fulfill({ status, contentType: "application/json", body: JSON.stringify({ title: "no", message: "not now" }) }));
  await page.goto(new URL(path, page.url()).href);
  await page.getByText(text).first().waitFor();
  check(await page.getByRole("grid", { name: "Components" }).isVisible(), `${status}: the table of components stays`);
  await page.close();
}
{
  const page = await open(`/ui/project?${new URLSearchParams({ ns: HOSTILE.namespace, project: HOSTILE.project, from: "now-30m" })}`,
    { server: HOSTILE_SERVER });
  check((await page.locator("[data-node]").count()) >= 5, "hostile names: nodes are drawn");
  check((await page.locator("main img, main script").count()) === 0, "hostile names: no element of theirs");
  await page.locator("[data-node^=component]").first().click();
  check(await page.locator(".cb-panel").isVisible(), "hostile names: one can be chosen");
  await page.close();
}

// Budgets: from the click to the frame that has the graph.
function manyNodes(count) {
  const metrics = { requestCount: 1000, unsuccessfulRequestCount: 1, meanLatency: 0.01, latencyP50: 0.01, latencyP90: 0.02, latencyP99: 0.03 };
  const end = (i) => ({ kind: "component", namespace: "acme", project: "shop", component: `service-${i}` });
  const edges = [];
  for (let i = 1; i < count; i++)
    for (const back of i % 2 ? [1 + (i * 7) % 11] : [1 + (i * 5) % 9, 2 + (i * 3) % 12]) {
      const from = Math.max(0, i - back);
      edges.push({ id: `${from}>${i}`, source: end(from), target: end(i), protocol: "http", metrics, declared: true, observed: true });
    }
  return {
    nodes: Array.from({ length: count }, (_, i) => ({ ...end(i), metrics })),
    edges,
    summary: { startTime: "2025-01-15T08:00:00Z", endTime: "2025-01-15T08:30:00Z", generatedAt: "2025-01-15T08:30:00Z" },
  };
}
for (const [count, limit] of [[50, 120], [150, 400]]) {
  const body = JSON.stringify(manyNodes(count));
  await budget(`graph of ${count} nodes`, limit, async () => {
    const page = await open("/ui/status");
    await page.route(TOPOLOGY, (route) => route.fulfill({ contentType: "application/json", body }));
    await page.goto(new URL(shopPath("project", { view: "table" }), page.url()).href);
    await page.getByRole("grid", { name: "Calls" }).waitFor();
    await settled(page);
    const took = await page.evaluate(async (nodes) => {
      const button = document.querySelector('button[aria-label="Show as graph"]');
      const start = performance.now();
      button.click();
      while (document.querySelectorAll("[data-node]").length < nodes)
        await new Promise((resolve) => requestAnimationFrame(resolve));
      return performance.now() - start;
    }, count);
    await page.close();
    return took;
  });
}
{
  const page = await open("/ui/status");
  await page.route(TOPOLOGY, (route) =>
    route.fulfill({ contentType: "application/json", body: JSON.stringify(manyNodes(400)) }));
  await page.goto(new URL(shopPath("project"), page.url()).href);
  await page.getByRole("grid", { name: "Calls" }).waitFor();
  check((await page.locator("[data-node]").count()) === 0, "of very many nodes the table comes first");
  await page.close();
}
await finish();
