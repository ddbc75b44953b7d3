// The root cause, kept reports, and the way between them.
import {
  allLooks, check, finish, focused, open, press, settled, shopPath, tabTo, until, EMPTY, HOSTILE, HOSTILE_SERVER,
} from "./kit.mjs";

const path = shopPath("cause", { from: "now-5m" });
await allLooks("cause", path);
await allLooks("cause, nothing found", shopPath("cause", { from: "2025-01-15T08:12:00Z", to: "2025-01-15T08:17:00Z" }));

let report;
{
  const page = await open(path);
  const sentence = await page.locator(".cb-cause-sentence").innerText();
  check(/inventory is likely to blame since \d\d:\d\d: /.test(sentence.replace(/\s+/g, " ")), "the sentence names who and since when", sentence);
  const steps = await page.locator(".cb-cause-steps li").allInnerTexts();
  check(/inventory/.test(steps[0]) && /web/.test(steps[1]), "the path leads from the cause to callers", steps);
  const culprit = await page.locator(".cb-graph-culprit [role=button]").getAttribute("aria-label");
  check(/^inventory, .*step 1 of the failure/.test(culprit), "the graph marks the cause", culprit);
  check((await page.locator(".cb-graph-edge.cb-graph-onpath").count()) > 0, "the edges of the path are lit");
  check((await page.locator(".cb-graph-node.cb-graph-dimmed").count()) > 3, "what is beside it is dimmed");
  check((await page.locator(".cb-evidence figure").count()) > 0, "evidence has its series");
  check((await page.locator(".cb-evidence-traces a").count()) > 0, "evidence has traces");
  check((await page.locator(".cb-timeline-cause").count()) === 1, "the time of the cause is in what happened");

  await page.getByRole("button", { name: "Copy as text" }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  check(/^\*\*inventory\*\* is likely to blame since 2025-01-15 08:\d\d UTC/.test(text), "Copy as text: Markdown", text);
  await page.getByRole("button", { name: "Copy link" }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  check(/^http.*\/ui\/cause\?.*from=2025-01-15T/.test(link), "Copy link: times are absolute", link);

  await page.getByRole("button", { name: "Keep as report" }).click();
  check(await until(page, () => location.pathname.endsWith("/ui/report")), "it can be kept as a report");
  await settled(page);
  report = new URL(page.url()).pathname + new URL(page.url()).search;
  check(/is likely to blame/.test(await page.locator("main").innerText()), "the report has the same answer");
  const done = page.getByRole("button", { name: "Done" }).first();
  if ((await done.count()) > 0) {
    await done.click();
    check(await until(page, () => document.querySelector(".cb-action-applied") !== null), "an action can be marked as done");
    await page.reload();
    check(await until(page, () => document.querySelector(".cb-action-applied") !== null), "it stays so");
  }
  await page.close();
}
if (report) {
  await allLooks("report", report);
  const page = await open(shopPath("reports", { from: "2025-01-15T08:00:00Z", to: "2025-01-15T08:40:00Z" }));
  check((await page.getByRole("grid", { name: "Reports" }).locator("[role=row]").count()) > 1, "the list has the report");
  await page.close();
}
await allLooks("reports", shopPath("reports"));

// With the keyboard only: suspects, and the times on the chart.
{
  const page = await open(path);
  check(await tabTo(page, ({ name, role }) => role === "slider" && /Requests that fail/.test(name)), "keyboard: the chart is reached");
  await press(page, "End", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft", "Enter");
  check(await until(page, () => /from=2025-01-15T/.test(location.search)), "keyboard: the time in question is set", page.url());
  await settled(page);
  check(await tabTo(page, ({ name, role }) => role === "button" && /^▸/.test(name)), "keyboard: a folded suspect is reached", await focused(page));
  const open1 = await page.locator(".cb-suspect-body").count();
  await press(page, "Enter");
  check(await until(page, (n) => document.querySelectorAll(".cb-suspect-body").length === n, open1 + 1), "keyboard: it opens");
  check(page.url().includes("suspect="), "what is open is in the address");
  await page.close();
}

// Both times are dragged over the chart.
{
  const page = await open(path);
  await page.getByRole("radio", { name: "time before" }).check();
  const box = await page.locator(".cb-question .u-over").boundingBox();
  await page.mouse.move(box.x + box.width * 0.1, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.4, box.y + 42, { steps: 5 });
  await page.mouse.up();
  check(await until(page, () => location.search.includes("base=2025-01-15T")), "the time before is dragged", page.url());
  await settled(page);
  check(/likely to blame|No component stands out/.test(await page.locator("main").innerText()), "and asked with");
  await page.close();
}

// States.
{
  const page = await open(shopPath("cause", { from: "2025-01-15T08:12:00Z", to: "2025-01-15T08:17:00Z" }));
  const text = await page.locator("main").innerText();
  check(/No component stands out/.test(text) && /spans and .* log records were read/.test(text), "nothing found: says so, and how much was read");
  await page.close();
}
for (const [name, server, scope] of [["cause", EMPTY, {}], ["reports", EMPTY, {}],
  ["cause", HOSTILE_SERVER, { ns: HOSTILE.namespace, project: HOSTILE.project, env: undefined }]]) {
  const page = await open(shopPath(name, scope), { server });
  check((await page.locator("main").innerText()).length > 40, `${name}: says why there is nothing`);
  check((await page.locator("main img, main script").count()) === 0, `${name}: no element of hostile names`);
  await page.close();
}
for (const [status, text] of [[403, "You may not see this"], [500, "Ask again"]]) {
  const page = await open("/ui/status", { allow: [/status of/] });
  await page.route("**/api/v1/cause", (route) =>
    route.fulfill({ status, contentType: "application/json", body: JSON.stringify({ title: "no", message: "not now" }) }));
  await page.goto(new URL(path, page.url()).href);
  await page.getByRole("alert").getByText(text).first().waitFor();
  check((await page.locator("main").innerText()).includes("No component stands out") === false, `${status}: is no empty answer`);
  await page.close();
}
{
  const page = await open("/ui/status", { allow: [/ERR_FAILED/] });
  let held;
  await page.route("**/api/v1/cause", (route) => { held = route; });
  await page.goto(new URL(path, page.url()).href);
  await page.getByRole("button", { name: "Cancel" }).click();
  check(await page.getByText("Cancelled.").isVisible(), "a long question can be cancelled");
  await held?.abort();
  await page.close();
}
await finish();
