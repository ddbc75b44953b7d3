// The view of traces.
import {
  allLooks, check, finish, open, press, settled, shopPath, tabTo, until,
  Server, EMPTY, HOSTILE, HOSTILE_SERVER, SHOP,
} from "./kit.mjs";

const path = (params = {}) => shopPath("traces", params);
const param = (page, name) => new URL(page.url()).searchParams.get(name);
const paramIs = (page, name, value) =>
  until(page, ([n, v]) => new URL(location.href).searchParams.get(n) === v, [name, value]);
const listRows = (page) => page.getByRole("grid", { name: "Traces", exact: true }).getByRole("row");

await allLooks("traces", path());
await allLooks("traces, filtered", path({ errors: "1", min: "5ms", "attr.rpc.system": "grpc" }));

{
  const page = await open(path());
  check(/sample of/.test(await page.locator(".cb-traces-summary").textContent()), "traces: a sample says so");
  // The sample covers the whole time: marks are drawn in the first quarter of the picture, too.
  const drawn = await page.evaluate(() => {
    const canvas = document.querySelector(".cb-scatter-canvas");
    const context = canvas.getContext("2d");
    const colour = (x) => {
      const { data } = context.getImageData(x, 20, Math.floor(canvas.width / 5), canvas.height - 60);
      let count = 0;
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 60 && data[i + 2] > data[i] + 40) count++;
      return count;
    };
    return [colour(Math.floor(canvas.width * 0.06)), colour(Math.floor(canvas.width * 0.75))];
  });
  check(drawn.every((count) => count > 100), "traces: the sample is spread over the time", drawn);

  const area = await page.locator(".cb-scatter-area").boundingBox();
  await page.mouse.move(area.x + area.width * 0.4, area.y + 40);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width * 0.6, area.y + area.height - 60, { steps: 5 });
  await page.mouse.up();
  check(await until(page, () => new URL(location.href).searchParams.has("box")), "traces: a dragged box is in the address");
  await settled(page);
  const [from, to] = param(page, "box").split(",").map((text) => Date.parse(text));
  const times = await page.locator(".cb-traces [role=gridcell] time").evaluateAll((all) => all.map((t) => Date.parse(t.dateTime)));
  check(times.length > 0 && times.every((t) => t >= from - 1 && t <= to + 1), "traces: the list is that of the box", times.slice(0, 3));
  await page.goBack();
  check(await until(page, () => !new URL(location.href).searchParams.has("box")), "traces: Back undoes the box");

  await page.getByRole("button", { name: /^Duration/ }).click();
  check(await paramIs(page, "sort", "duration"), "traces: sorted by duration");
  await settled(page);
  const slowest = await fetch(SHOP + "/api/v1alpha1/traces/query", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      searchScope: { namespace: "acme", project: "shop", environment: "production" },
      startTime: "2025-01-15T08:00:00Z", endTime: "2025-01-15T08:30:05Z", sortBy: "duration", limit: 1,
    }),
  }).then((answer) => answer.json());
  const first = await listRows(page).nth(1).locator("a").first().getAttribute("href");
  check(first.includes(slowest.traces[0].traceId), "traces: the slowest of all is first", first);
  await page.close();
}
{
  // A click on a mark opens it.
  const page = await open(path());
  const spot = await page.evaluate(() => {
    const canvas = document.querySelector(".cb-scatter-canvas");
    const ratio = canvas.width / canvas.clientWidth;
    const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) {
      const x = (i / 4) % width;
      if (x > 80 * ratio && data[i + 3] > 100 && data[i + 2] > data[i] + 60)
        return { x: x / ratio + 1, y: Math.floor(i / 4 / width) / ratio + 2 };
    }
    return null;
  });
  const area = await page.locator(".cb-scatter-canvas").boundingBox();
  await page.mouse.click(area.x + spot.x, area.y + spot.y);
  check(await until(page, () => location.pathname.endsWith("/trace")), "traces: a click on a mark opens the trace");
  await page.close();
}
{
  // By keys only: from the filters to a trace.
  const page = await open(path({ errors: "1" }));
  check(await tabTo(page, (f) => f.name === "failed only" || f.role === "input"), "traces: filters are reached by Tab");
  await page.getByLabel("from", { exact: true }).fill("10 bananas");
  check((await page.locator("input[aria-invalid=true]").count()) === 1, "traces: a duration that is none is marked");
  await page.getByLabel("from", { exact: true }).fill("1ms");
  await press(page, "Enter");
  check(await paramIs(page, "min", "1ms"), "traces: the shortest duration is in the address");
  await settled(page);
  const words = await listRows(page).locator("[role=img]").evaluateAll((all) => all.map((mark) => mark.getAttribute("aria-label")));
  check(words.length > 0 && words.every((word) => word === "failed"), "traces: failed only", words.slice(0, 5));
  await listRows(page).nth(1).focus();
  await press(page, "ArrowDown", "Enter");
  check(await until(page, () => location.pathname.endsWith("/trace")), "traces: Enter opens the row's trace");
  await page.goBack();
  check(await until(page, () => location.pathname.endsWith("/traces")), "traces: Back returns");
  await page.close();
}
{
  const page = await open(path());
  const marks = page.getByRole("checkbox", { name: /^Mark the trace/ });
  await marks.nth(0).check();
  await marks.nth(1).check();
  check(await until(page, () => document.querySelector("#compare [role=grid]")), "traces: two marked are compared");
  check((await page.locator("#compare [role=row]").count()) > 1, "traces: spans of both are listed");
  await page.getByRole("button", { name: /web POST \/checkout/ }).first().click();
  check(await paramIs(page, "op", "POST /checkout"), "traces: a group is a filter");
  await page.close();
}
{
  const page = await open("/ui/traces?ns=nobody", { server: EMPTY });
  const text = await page.locator("main").textContent();
  check(text.includes("No trace matches"), "traces: empty says so", text);
  await page.close();
  const filtered = await open(path({ "attr.nothing": "such" }));
  await filtered.getByRole("button", { name: "Drop the filters" }).click();
  check(await until(filtered, () => document.querySelector(".cb-scatter")), "traces: filters that match nothing can be dropped");
  await filtered.close();
}
{
  const place = `/ui/traces?from=now-30m&ns=${encodeURIComponent(HOSTILE.namespace)}`;
  await allLooks("traces, hostile names", place, { server: HOSTILE_SERVER });
}
{
  const own = await new Server({ tokens: { other: [{ role: "viewer", namespace: "elsewhere" }] } }).start();
  const page = await open("/ui/traces?ns=acme", { server: own.query, now: null, token: own.tokens.other, allow: [/403/] });
  const text = await page.locator("main").textContent();
  check(text.includes("may not") && !text.includes("No trace matches"), "traces: without permission is not empty", text);
  await page.close();
  await own.stop();
  own.remove();
  const unknown = await open("/ui/traces", { server: EMPTY });
  check((await unknown.locator("main").textContent()).length > 0, "traces: without a namespace something is said");
  await unknown.close();
}
await finish();
