import { expect, test, vi } from "vitest";
import { makeCallboardApi } from "./callboard_api";

function apiWith(settings: Record<string, string>, answer: Response) {
    const fetch = vi.fn(async () => answer);
    const configApi = {
        getOptionalString: (name: string) => settings[name],
        getOptionalBoolean: () => undefined,
    };
    const ways = {
        configApi,
        discoveryApi: { getBaseUrl: async () => "http://b/api/proxy" },
        fetchApi: { fetch },
    };
    return { api: makeCallboardApi(ways as never), fetch };
}
const json = (status: number, body: object) => new Response(JSON.stringify(body), { status });

test("the proxy is asked with address and parts, or Callboard itself", async () => {
    const proxied = apiWith({}, json(200, {}));
    await proxied.api.fetch("/api/v1/cause", { method: "POST", body: "{}" });
    expect(proxied.fetch).toHaveBeenCalledWith("http://b/api/proxy/callboard/api/v1/cause", {
        method: "POST",
        body: "{}",
    });
    const direct = apiWith({ "callboard.directUrl": "http://c:9097/" }, json(200, {}));
    await direct.api.fetch("/health");
    expect(direct.fetch).toHaveBeenCalledWith("http://c:9097/health", undefined);
});

test("errors of Callboard stay, those of the portal are told in words", async () => {
    const said = async (answer: Response) => (await apiWith({}, answer).api.fetch("/x")).json();
    const ours = { title: "forbidden", message: "no grant" };
    expect(await said(json(403, ours))).toEqual(ours);
    expect((await said(new Response("", { status: 504 }))).title).toBe("Callboard does not answer");
    expect((await said(new Response("", { status: 404 }))).title).toBe("The portal has no way to Callboard");
    const theirs = { error: { name: "AuthenticationError", message: "Missing credentials" } };
    expect(await said(json(401, theirs))).toEqual({
        title: "AuthenticationError",
        message: "Missing credentials",
    });
});
