// What stands around each view: scope, time, search, keys, live, theme, sign-in,
// and what is said when Callboard does not answer.
import http from "node:http";
import {
  allLooks, check, EMPTY, finish, focused, HOSTILE, HOSTILE_SERVER, open, press, Server, settled, shopPath, SHOP, until,
} from "./kit.mjs";

const OVERVIEW = shopPath("", { project: undefined });
const address = (page) => new URL(page.url());
const param = (page, name) => address(page).searchParams.get(name);
const text = (page) => page.evaluate(() => document.querySelector("main").innerText);

async function looks() {
  await allLooks("overview", OVERVIEW);
  await allLooks("overview without data", "/ui/", { server: EMPTY });
  await allLooks("sign in", "/ui/signin");
  await allLooks("hostile names", "/ui/?" + new URLSearchParams({ ns: HOSTILE.namespace, env: HOSTILE.html, from: "now-15m" }),
    { server: HOSTILE_SERVER });
}

async function searchAndFocus() {
  const page = await open(OVERVIEW);
  await press(page, "/");
  await page.keyboard.type("invent");
  await page.waitForSelector("[role=option]:has-text('inventory')");
  await press(page, "Enter");
  check(await until(page, () => location.pathname.endsWith("/ui/component")), "search: Enter opens the component");
  check(param(page, "component") === "inventory" && param(page, "from") === "now-30m", "search: time is kept, still relative", page.url());
  check(await until(page, () => document.title === "inventory – Component – Callboard"), "the title names the page", await page.title());
  check((await focused(page)).role === "main", "the focus is on the new page", await focused(page));
  await page.goBack();
  check(await until(page, () => location.pathname.endsWith("/ui/")), "Back returns");

  await press(page, "Control+k");
  await page.keyboard.type("0af7651916cd43dd8448eb211c80319c");
  await page.waitForSelector("[role=option]:has-text('trace')");
  await press(page, "Enter");
  check(await until(page, () => location.pathname.endsWith("/ui/trace")), "search: a trace id opens its trace");
  page.allow.push(/404/);
  await settled(page);
  await page.close();
}

async function keys() {
  const page = await open(OVERVIEW);
  await press(page, "Tab");
  check((await focused(page)).name === "Skip to the content", "the first Tab: skip to the content", await focused(page));
  await press(page, "Enter");
  check((await focused(page)).role === "main", "and it does");
  await press(page, "?");
  check((await page.getByRole("dialog", { name: "Keys" }).count()) === 1, "? lists the keys");
  await press(page, "Escape");
  check((await page.getByRole("dialog").count()) === 0, "Esc closes it");
  await press(page, "g", "l");
  check(await until(page, () => location.pathname.endsWith("/ui/logs")), "g l opens the logs");
  check(param(page, "ns") === "acme" && param(page, "env") === "production", "the scope is kept", page.url());
  await press(page, "g", "o");
  await settled(page);
  await press(page, "e");
  await page.waitForSelector("[role=combobox]");
  await press(page, "Escape");
  check((await focused(page)).name.startsWith("Environment"), "Esc gives the focus back to the button", await focused(page));
  await page.close();
}

async function time() {
  const page = await open(OVERVIEW);
  const steps = () => page.evaluate(() => history.length);
  const first = await steps();
  await press(page, "[");
  check(param(page, "to") === "2025-01-15T08:00" + param(page, "to")?.slice(16), "[ is the time before", page.url());
  await page.goBack();
  check(await until(page, () => location.search.includes("from=now-30m")), "Back: relative again");
  await press(page, "z");
  check(param(page, "from") === "now-1h", "z is twice the time", page.url());
  await press(page, "t");
  await page.getByRole("button", { name: "Last 15 minutes" }).click();
  check(param(page, "from") === "now-15m" && param(page, "to") === "now", "a preset", page.url());
  await press(page, "t");
  await page.getByLabel("From").fill("2025-01-15T08:05:00");
  await page.getByLabel("To").fill("2025-01-15T08:10:00");
  await page.getByRole("button", { name: "Show this time" }).click();
  check(param(page, "from") === "2025-01-15T08:05:00.000Z", "from and to of one's own", page.url());
  check((await page.getByRole("button", { name: /^Time:.*08:05 – 08:10$/ }).count()) === 1, "the button says it");
  await settled(page);
  check((await steps()) - first <= 3, "what follows by itself is no step of Back", await steps());
  await page.close();

  const shared = await open(shopPath("logs", { live: undefined }));
  await shared.getByRole("button", { name: "Share" }).click();
  const copied = new URL(await shared.evaluate(() => navigator.clipboard.readText()));
  const length = Date.parse(copied.searchParams.get("to")) - Date.parse(copied.searchParams.get("from"));
  check(length === 1_800_000 && copied.searchParams.get("project") === "shop", "Share copies absolute times", copied.href);
  await shared.close();
}

async function live() {
  const page = await open(shopPath("", { project: undefined, from: "now-5m" }));
  let asked = 0;
  page.on("request", (request) => request.url().includes("/api/v1/components") && asked++);
  await press(page, ".");
  check(param(page, "live") === "1", ". is live", page.url());
  check(await page.getByRole("button", { name: "Live", exact: true }).getAttribute("aria-pressed") === "true", "the button is pressed");
  const before = await page.evaluate(() => history.length);
  const waits = Date.now();
  while (asked < 2 && Date.now() - waits < 30_000)
    await page.waitForEvent("request", { timeout: 20_000 });
  check(asked >= 2, "live asks by itself", asked);
  check((await page.evaluate(() => history.length)) === before, "a refresh is no step of Back");
  await press(page, "t");
  await page.getByLabel("From").focus();
  check((await page.getByRole("button", { name: "Paused: you type" }).count()) === 1, "it pauses while one types, and says so");
  await press(page, "Escape");
  check((await page.getByRole("button", { name: /^Paused/ }).count()) === 0, "and goes on");
  await page.close();
}

async function theme() {
  const page = await open(OVERVIEW);
  const background = () => page.evaluate(() => getComputedStyle(document.querySelector(".cb-root")).backgroundColor);
  const light = await background();
  await page.getByRole("button", { name: "Dark colours" }).click();
  const dark = await background();
  check(light !== dark, "the theme is switched", [light, dark]);
  await page.reload();
  await settled(page);
  check((await background()) === dark, "and stored");
  await page.close();
}

async function scope() {
  const page = await open(OVERVIEW);
  await page.getByRole("button", { name: /^Project:/ }).click();
  await page.waitForSelector("[role=option]:has-text('shop')");
  await page.keyboard.type("sho");
  await press(page, "Enter");
  check(await until(page, () => location.pathname.endsWith("/ui/project")), "a project is chosen by keys alone", page.url());
  await page.close();

  const narrow = await open(OVERVIEW, { width: 320 });
  await narrow.getByRole("button", { name: "Pages" }).click();
  await narrow.getByRole("link", { name: "Changes" }).click();
  check(await until(narrow, () => location.pathname.endsWith("/ui/changes")), "320 px: pages by the menu");
  await narrow.close();
}

// A server of one's own, with a component that has just been seen.
async function sendOne(server) {
  return server.sendShop("--start", "2025-01-15T08:25:00Z", "--duration", "5m", "--rate", "2", "--no-pace");
}

async function goneAndBack() {
  const server = await new Server().start();
  await sendOne(server);
  const page = await open(OVERVIEW, { server: server.query, allow: [/ERR_CONNECTION_REFUSED|Failed to load/] });
  check((await text(page)).includes("inventory"), "a server of one's own is shown");
  await server.stop();
  await press(page, "z");
  check(await until(page, () => document.querySelector(".cb-gone") !== null), "the server is gone: it says so");
  check((await text(page)).includes("inventory"), "what was there stays");
  await server.start();
  check(await until(page, () => document.querySelector(".cb-gone") === null), "it is back: the notice goes by itself");
  check(await until(page, () => !document.querySelector("main .cb-notice-error")), "and so does the error");
  await page.close();
  await server.stop();
  server.remove();
}

async function signIn() {
  const server = await new Server({ tokens: { reader: [{ role: "viewer", namespace: "acme" }] } }).start();
  await sendOne(server);
  const page = await open(OVERVIEW, { server: server.query, settle: false, allow: [/401/] });
  await page.getByLabel("Token").waitFor();
  check(address(page).pathname === "/ui/", "without a token: sign in, at the same address");
  check((await page.getByRole("alert").count()) === 0, "nothing is told to be wrong yet");
  await page.getByLabel("Token").fill("cbt_wrong");
  await press(page, "Enter");
  await page.getByRole("alert").waitFor();
  check(true, "a wrong token is told");
  await page.getByLabel("Token").fill(server.tokens.reader);
  await press(page, "Enter");
  check(await until(page, () => document.querySelector("main").innerText.includes("inventory")), "a token opens what was asked for");
  const stored = await page.evaluate(() => [Object.keys(sessionStorage).length, JSON.stringify(localStorage).includes("cbt_"), document.cookie]);
  check(stored[0] === 1 && !stored[1] && stored[2] === "", "the token is in this tab's storage only", stored);
  await page.reload();
  check(await until(page, () => document.querySelector("main").innerText.includes("inventory")), "it stays over a reload");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  check(!(await text(page)).includes("inventory"), "signed out: nothing stays");
  await page.close();
  await server.stop();
  server.remove();
}

async function missingPart() {
  const page = await open(OVERVIEW, { allow: [/.*/] });
  await page.route("**/assets/*.js", (route) => route.abort());
  await press(page, "g", "r");
  check(await until(page, () => document.querySelector("main [role=alert]") !== null), "a part that is gone: it says so");
  check((await page.getByRole("button", { name: "Load the page again" }).count()) === 1, "and offers to load the page again");
  check((await page.getByRole("link", { name: "Logs" }).count()) > 0, "the rest of the page stays");
  await page.close();
}

async function behindPrefix() {
  const proxy = http.createServer((request, response) => {
    if (!request.url.startsWith("/some/prefix/"))
      return response.writeHead(418).end();
    const headers = { ...request.headers, host: new URL(SHOP).host };
    const up = http.request(SHOP + request.url.slice("/some/prefix".length), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(up);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const server = `http://127.0.0.1:${proxy.address().port}/some/prefix`;
  const page = await open(shopPath("component", { component: "inventory" }), { server });
  check((await text(page)).includes("inventory"), "behind a prefix: the page finds its parts and the API");
  await press(page, "g", "l");
  check(await until(page, () => location.pathname === "/some/prefix/ui/logs"), "behind a prefix: links", page.url());
  await settled(page);
  await page.close();
  proxy.closeAllConnections();
  proxy.close();
}

for (const part of [looks, searchAndFocus, keys, time, live, theme, scope, goneAndBack, signIn, missingPart, behindPrefix])
  try {
    await part();
  } catch (failure) {
    check(false, `${part.name}: no step failed`, String(failure.stack));
  }
await finish();
