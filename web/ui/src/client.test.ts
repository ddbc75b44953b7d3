import { expect, test } from "vitest";
import { ApiError, dataOf, makeClient } from "./client";

function clientThat(answers: (address: string, parts: RequestInit) => Response) {
    const asked: [string, RequestInit][] = [];
    const client = makeClient("http://host/prefix", async (address, parts) => {
        asked.push([address, parts]);
        return answers(address, parts);
    });
    return { client, asked };
}

test("names of the path are escaped; what is undefined is not asked; a list is repeated", async () => {
    const { client, asked } = clientThat(() => Response.json({ components: [] }));
    const path = { namespace: "a/b", project: "ü", component: "c?" };
    const query = { environment: undefined, spark: 30, exemplars: false, attribute: ["x=1", "y=&"] };
    await client.GET("/api/v1/components/{namespace}/{project}/{component}", { params: { path, query } });
    expect(asked[0]![0]).toBe(
        "http://host/prefix/api/v1/components/a%2Fb/%C3%BC/c%3F" +
            "?spark=30&exemplars=false&attribute=x%3D1&attribute=y%3D%26",
    );
    expect(asked[0]![1]).toMatchObject({ method: "GET", body: undefined });
});

test("a body is JSON, and says so; without a body nothing is said", async () => {
    const { client, asked } = clientThat(() => Response.json({ found: false }));
    const body = { searchScope: { namespace: "acme", project: "shop" }, startTime: "a", endTime: "b" };
    await client.POST("/api/v1/cause", { body });
    expect(asked[0]![1]).toMatchObject({
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
    });
    await client.GET("/api/v1/status");
    expect(asked[1]![1].headers).toEqual({});
});

test("text is not read as JSON; a refusal without JSON is told all the same", async () => {
    const metrics = clientThat(() => new Response("1")).client;
    expect(await dataOf(metrics.GET("/metrics", { parseAs: "text" }))).toBe("1");
    const refuses = clientThat(
        () => new Response("<html>", { status: 502, statusText: "Bad Gateway" }),
    ).client;
    const failure = await dataOf(refuses.GET("/api/v1/status")).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status: 502, title: "Bad Gateway", message: "HTTP status 502" });
});
