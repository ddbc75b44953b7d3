// The catalogue in a browser: what is not declared, what was not seen, what would
// declare it, and that declaring it ends the difference.
import { allLooks, check, EMPTY, finish, HOSTILE, HOSTILE_SERVER, open, press, Server, shopPath, spans, tabTo, until } from "./kit.mjs";

await allLooks("catalogue", shopPath("catalog"));
await allLooks("catalogue, hostile", shopPath("catalog", { ns: HOSTILE.namespace, project: undefined, env: undefined }),
  { server: HOSTILE_SERVER });
{
  const page = await open(shopPath("catalog"), { server: EMPTY });
  check((await page.locator("main").innerText()).includes("Nothing is declared"), "catalogue, empty: it says so");
  await page.close();
}

const scope = (component) => ({ namespace: "acme", project: "shop", component, environment: "production" });
const server = await new Server().start();
const at = Date.now() - 60_000;
const traceId = "0af7651916cd43dd8448eb211c80319c";
const web = { traceId, spanId: "b7ad6b7169203331", name: "GET /", kind: 2, at, ms: 40,
  attributes: { "http.request.method": "GET", "http.route": "/" } };
const call = { traceId, spanId: "b7ad6b7169203332", parent: web.spanId, name: "GET /carts", kind: 3, at: at + 1, ms: 20,
  attributes: { "http.request.method": "GET" } };
const cart = { traceId, spanId: "b7ad6b7169203333", parent: call.spanId, name: "GET /carts", kind: 2, at: at + 2, ms: 10,
  attributes: { "http.request.method": "GET", "http.route": "/carts" } };
await server.send("traces", spans(scope("web"), [web, call]));
await server.send("traces", spans(scope("cart"), [cart]));
const PAGE = "/ui/catalog?ns=acme&project=shop&env=production&from=now-1h";
const put = (catalog) => fetch(server.query + "/api/v1/catalog?namespace=acme", {
  method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(catalog),
});
const declared = await put({ components: [
  { namespace: "acme", project: "shop", name: "web", endpoints: [{ name: "http", port: 8080 }] },
  { namespace: "acme", project: "shop", name: "ghost" },
] });
check(declared.ok, "catalogue: a part of it is declared");

const page = await open(PAGE, { server: server.query, now: null });
const differences = () => page.locator(".cb-row-opens").allInnerTexts();
const found = (await differences()).map((text) => text.replace(/\s+/g, " "));
check(found.some((text) => /not declared component cart/.test(text)), "catalogue: a component that is not declared", found);
check(found.some((text) => /not declared dependency web → cart/.test(text)), "catalogue: a call that is not declared", found);
check(found.some((text) => /not seen component ghost/.test(text)), "catalogue: a declared one that was not seen", found);
check(/not declared/.test(found[0]) && /not seen/.test(found.at(-1)), "catalogue: the worst come first", found);

check(await tabTo(page, (f) => f.role === "row"), "catalogue, keys: Tab reaches the list");
await press(page, "Enter");
check(await until(page, () => document.querySelector(".cb-panel pre")), "catalogue, keys: Enter opens a difference");
const json = JSON.parse(await page.locator(".cb-panel pre").innerText());
check(typeof json === "object", "catalogue: what declares it is JSON");

await page.getByText(/Declare all \d+ of them at once/).click();
await page.getByRole("button", { name: /Copy the catalogue with/ }).click();
await page.getByText("Copied").waitFor();
const whole = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
for (const component of whole.components)
  for (const endpoint of component.endpoints ?? [])
    endpoint.port ||= 8081;
const answer = await put(whole);
check(answer.ok, "catalogue: the server takes what was copied", answer.ok || (await answer.text()));
await page.reload();
check(await until(page, () => /not seen/.test(document.querySelector(".cb-row-opens")?.textContent ?? "")),
  "catalogue: what was put is declared now", await differences());
await page.close();
await server.stop();
server.remove();
await finish();
