import { cleanup, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { showAt } from "../test_host";
import { ChooseScope } from "./choose_scope";

afterEach(cleanup);

const figures = { requestCount: 100, requestRate: 1, errorRatio: 0, clientErrorRatio: 0, latency: null };
const row = (namespace: string, project: string, component: string, errorRatio = 0) => ({
    ...figures,
    namespace,
    project,
    component,
    environment: "production",
    rule: "stamped",
    declared: true,
    errorRatio,
    previous: figures,
});
const list = (components: object[]) => ({
    "/api/v1/components": {
        components,
        total: components.length,
        unassigned: { resources: 0 },
        window: { startTime: "2025-01-15T08:00:00Z", endTime: "2025-01-15T09:00:00Z" },
        tookMs: 1,
    },
});
const view = <ChooseScope of="project" what="No project is chosen." why="It needs one." />;

it("lists the projects, the worst first", async () => {
    const shown = showAt(
        view,
        { page: "cause", params: {} },
        list([row("acme", "blog", "web"), row("acme", "shop", "web"), row("acme", "shop", "cart", 0.2)]),
    );
    await screen.findByText("blog");
    const links = screen.getAllByRole("link");
    expect(links.map((link) => link.textContent)).toEqual(["shop", "blog"]);
    expect(links[0]!.getAttribute("href")).toBe("cause?ns=acme&project=shop");
    expect(shown.gone).toEqual([]);
});

it("takes the only one, which Back does not return from", async () => {
    const shown = showAt(view, { page: "cause", params: {} }, list([row("acme", "shop", "web")]));
    await waitFor(() => expect(shown.gone).toHaveLength(1));
    expect(shown.gone[0]).toMatchObject({
        page: "cause",
        params: { ns: "acme", project: "shop" },
        how: "replace",
    });
});
