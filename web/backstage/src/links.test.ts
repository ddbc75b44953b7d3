import type { PageName } from "@callboard/ui";
import { withParams } from "@callboard/ui/address";
import { expect, test } from "vitest";
import { readPlace, writeQuery } from "./address";
import { spotOf, wayTo, type Surroundings } from "./links";
import type { Target } from "./target";

const cart: Target = { namespace: "acme", project: "shop", component: "cart", environment: "production" };
const shop: Target = { namespace: "acme", project: "shop" };
const RECORDS: PageName[] = ["logs", "traces", "trace", "changes", "cause"];
const pages: PageName[] = ["component", ...RECORDS];

const around = (target: Target | undefined, more: Partial<Surroundings> = {}): Surroundings => ({
    target,
    spot: spotOf(target),
    pages,
    path: "/catalog/default/component/cart/callboard",
    tabPath: "/callboard",
    search: "?cb-from=now-15m&other=1",
    entityOf: (_namespace, _project, component) =>
        component === "web"
            ? {
                  path: "/catalog/default/component/web",
                  target: { namespace: "acme", project: "shop", component },
              }
            : undefined,
    ...more,
});
const params = { ns: "acme", project: "shop", component: "cart", env: "production", from: "now-15m" };

test("the address has what the entity does not say, and leaves other tabs' parameters", () => {
    const spot = spotOf(cart);
    expect(writeQuery("?other=1&cb-q=old", "logs", { ...params, level: "ERROR" }, spot)).toBe(
        "?other=1&cb-page=logs&cb-from=now-15m&cb-level=ERROR",
    );
    const place = readPlace("?other=1&cb-page=logs&cb-level=ERROR&level=x", "#a%20b", spot, pages);
    expect(place).toEqual({
        page: "logs",
        params: { ns: "acme", project: "shop", component: "cart", env: "production", level: "ERROR" },
        section: "a b",
    });
});

test("all environments can be chosen although the entity names one", () => {
    const query = writeQuery("", "component", withParams(params, { env: undefined }), spotOf(cart));
    expect(query).toContain("cb-env=*");
    expect(readPlace(query, "", spotOf(cart), pages).params.env).toBeUndefined();
});

test("a page that the tab lacks, and a broken address, show the first", () => {
    expect(readPlace("?cb-page=status", "#%E0%A4%A", spotOf(cart), pages).page).toBe("component");
});

test("links about the entity stay in its tab", () => {
    expect(wayTo(around(cart), "logs", params)).toEqual({
        inside: "/catalog/default/component/cart/callboard?other=1&cb-page=logs&cb-from=now-15m",
    });
    expect(wayTo(around(cart), "trace", { ns: "acme", id: "1" })).toHaveProperty("inside");
});

test("links to others lead to their entity, else to our own page, else nowhere", () => {
    const web = { ...params, component: "web" };
    expect(wayTo(around(cart), "component", web)).toEqual({
        inside: "/catalog/default/component/web/callboard?cb-env=production&cb-from=now-15m",
    });
    const pay = { ...params, component: "payment" };
    expect(wayTo(around(cart), "component", pay)).toBeUndefined();
    const own = around(cart, { pageUrl: "https://callboard.example.com" });
    expect(wayTo(own, "component", pay)).toEqual({
        outside:
            "https://callboard.example.com/ui/component?ns=acme&project=shop&component=payment&env=production&from=now-15m",
    });
    expect(wayTo(own, "signin", params)).toBeUndefined();
});

test("a project shows its components in its own tab if they have none", () => {
    const system = around(shop, { pages: ["project", "component", ...RECORDS] });
    expect(wayTo(system, "component", { ...params, component: "web" })).toHaveProperty(
        "inside",
        "/catalog/default/component/web/callboard?cb-env=production&cb-from=now-15m",
    );
    expect(wayTo(system, "component", params)).toHaveProperty(
        "inside",
        expect.stringContaining("cb-page=component&cb-component=cart"),
    );
    expect(wayTo(system, "logs", params)).toHaveProperty(
        "inside",
        expect.stringContaining("cb-component=cart"),
    );
});
