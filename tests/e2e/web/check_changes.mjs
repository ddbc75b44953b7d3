// Changes in a browser: lanes, list, filters, one opened with figures before and after.
import { allLooks, check, EMPTY, finish, HOSTILE, HOSTILE_SERVER, open, press, shopPath, tabTo, until } from "./kit.mjs";

await allLooks("changes", shopPath("changes"));
await allLooks("changes, hostile", shopPath("changes", { ns: HOSTILE.namespace, project: undefined, env: undefined }),
  { server: HOSTILE_SERVER });

{
  const page = await open(shopPath("changes"));
  const rows = page.locator(".cb-row-opens");
  check((await rows.count()) > 3, "changes: there are some");
  check((await page.locator(".cb-lane-mark").count()) > 0, "changes: lanes have marks");
  const image = rows.filter({ hasText: "image changed from" }).first();
  await image.click();
  await page.waitForSelector(".cb-change-figures");
  const figures = await page.locator(".cb-change-figures").innerText();
  check(/Requests/.test(figures) && /\/s/.test(figures), "changes: figures before and after are there", figures);
  check(new URL(page.url()).searchParams.has("at"), "changes: the opened one is in the address");
  const link = page.url();
  await page.close();

  const linked = await open(new URL(link).pathname + new URL(link).search);
  check((await linked.locator(".cb-panel").innerText()).includes("image changed from"),
    "changes: a link opens the same one");
  await linked.getByRole("button", { name: "Close" }).click();
  check(await until(linked, () => !document.querySelector(".cb-panel")), "changes: it can be closed");
  await linked.getByRole("button", { name: /^image \d/ }).click();
  check(await until(linked, () => {
    const found = [...document.querySelectorAll(".cb-row-opens")].map((e) => e.textContent);
    return found.length > 0 && found.every((text) => text.includes("image"));
  }), "changes: a kind leaves changes of it only");
  await linked.getByRole("searchbox", { name: "Search in changes" }).fill("no change says this");
  check(await until(linked, () => document.body.innerText.includes("No change matches the filters")),
    "changes: a filter that matches nothing is told from nothing");
  await linked.close();
}
{
  const page = await open(shopPath("changes"));
  check(await tabTo(page, (f) => f.role === "row"), "changes, keys: Tab reaches the list");
  await press(page, "j", "Enter");
  check(await until(page, () => document.querySelector(".cb-panel")), "changes, keys: Enter opens one");
  await page.close();
}
{
  const page = await open(shopPath("changes"), { server: EMPTY });
  check((await page.locator("main").innerText()).includes("Nothing changed"), "changes, empty: it says so");
  await page.close();
}
await finish();
