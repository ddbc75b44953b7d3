// The status in a browser: rates, what is to be looked at, a server that is away and back.
import { allLooks, check, EMPTY, finish, logs, open, Server, shopPath, until } from "./kit.mjs";

await allLooks("status", shopPath("status"));
await allLooks("status, empty", "/ui/status", { server: EMPTY });

const server = await new Server().start();
const scope = { namespace: "acme", project: "shop", component: "web", environment: "production" };
const page = await open("/ui/status", { server: server.query, now: null, allow: [/Failed to load resource/] });
check((await page.locator("main").innerText()).includes("Callboard is well."), "status: a new server is well");
await server.send("logs", logs(scope, [{ at: Date.now(), body: "one" }]));
check(await until(page, () => {
  const row = [...document.querySelectorAll(".cb-figures-table tr")].find((e) => e.textContent.startsWith("logs"));
  return row && !/^logs0 /.test(row.textContent) && /\/(s|min)/.test(row.textContent);
}), "status: rates come from two readings");

const answer = await fetch(`http://${server.otlp}/v1/logs`, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: "{",
});
check(answer.status === 400, "status: a request is refused");
check(await until(page, () => /requests_refused_total malformed/.test(document.querySelector(".cb-status-findings")?.textContent ?? "")),
  "status: it is to be looked at");
check((await page.locator(".cb-status-findings q").first().innerText()).includes("400, cannot be decoded"),
  "status: with the sentence of operations.md");

await server.stop();
check(await until(page, () => /cannot be reached/.test(document.querySelector("main").innerText)),
  "status: it says that the server is away");
await server.start();
check(await until(page, () => /Callboard is well/.test(document.querySelector("main").innerText)),
  "status: and that it is back");
await page.close();

const denied = await open("/ui/status", { server: server.query, now: null, settle: false, allow: [/Failed to load resource/] });
await denied.route("**/metrics", (route) => route.fulfill({
  status: 403, contentType: "application/json", body: JSON.stringify({ title: "forbidden", errorCode: "", message: "no grant" }),
}));
await denied.reload();
await denied.getByText("You may not see this").waitFor();
check(true, "status, 403: it says what may not be seen");
await denied.close();
await server.stop();
server.remove();
await finish();
