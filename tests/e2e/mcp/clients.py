"""The clients of Python: clients.py KIND URL, KIND mcp or langchain. Prints and
waits as clients.mjs does."""
import asyncio
import json
import os
import sys

KIND, URL = sys.argv[1:3]
SCOPE = {"namespace": "acme", "project": "shop", "environment": "production"}
RANGE = {"start_time": "2025-01-15T08:00:00Z", "end_time": "2025-01-15T08:20:00Z"}


def put(name, value):
    print(json.dumps({"name": name, "value": value}), flush=True)


async def line():
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def tried(name, promise):
    try:
        put(name, (await promise).model_dump(mode="json", by_alias=True, exclude_none=True))
    except Exception as error:  # what it says is compared
        put(name, {"thrown": str(error)})


async def plain():
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with streamablehttp_client(URL) as (reader, writer, _), ClientSession(reader, writer) as session:
        hello = await session.initialize()
        put("instructions", hello.instructions)
        put("capabilities", hello.capabilities.model_dump(exclude_none=True))
        await tried("tools", session.list_tools())

        def call(name, **arguments):
            return session.call_tool(name, arguments)

        await tried("logs", call("query_component_logs", **SCOPE, **RANGE, component="inventory", log_levels=["ERROR"], limit=5))
        await tried("metrics", call("query_resource_metrics", **SCOPE, **RANGE, component="inventory", step="5m"))
        await tried("http", call("query_http_metrics", **SCOPE, **RANGE, component="inventory", step="5m"))
        await tried("events", call("query_component_events", **SCOPE, **RANGE))
        await tried("workflow", call("query_workflow_logs", namespace="acme", workflow_run_name="none", **RANGE))
        traces = await call("query_traces", **SCOPE, **RANGE, component="checkout", limit=2)
        put("traces", traces.model_dump(mode="json", by_alias=True, exclude_none=True))
        trace_id = traces.structuredContent["traces"][0]["traceId"]
        spans = await call("query_trace_spans", trace_id=trace_id, **SCOPE, **RANGE)
        put("spans", spans.model_dump(mode="json", by_alias=True, exclude_none=True))
        await tried("span", call("get_span_details", trace_id=trace_id, span_id=spans.structuredContent["spans"][0]["spanId"]))
        await tried("empty", call("query_component_logs", **SCOPE, **RANGE, component="nothing"))
        for name, arguments in json.loads(os.environ.get("TASKS", "{}")).items():
            await tried("task " + name, call(name, **arguments))
        await tried("unknown tool", call("query_nothing"))
        await tried("wrong argument", call("query_component_logs", **SCOPE, **RANGE, limit="many"))
        await tried("unknown argument", call("query_component_logs", **SCOPE, **RANGE, componet="x"))
        await tried("resources", session.list_resources())
        await tried("templates", session.list_resource_templates())
        await tried("prompts", session.list_prompts())
        await tried("unknown resource", session.read_resource("callboard://nothing/caf%C3%A9"))
        await tried("unknown prompt", session.get_prompt("nothing"))
        put("waits", None)
        await line()
        await tried("again", call("query_component_logs", **SCOPE, **RANGE, limit=1))


async def langchain():
    """As OpenChoreo's agents do: tools of LangChain, a new session for each call."""
    from langchain_mcp_adapters.client import MultiServerMCPClient

    client = MultiServerMCPClient({"observer": {"transport": "streamable_http", "url": URL}})
    tools = {tool.name: tool for tool in await client.get_tools()}
    put("names", sorted(tools))

    async def call(name, **arguments):
        answer = await tools[name].ainvoke(arguments)
        return answer if isinstance(answer, str) else "".join(part["text"] for part in answer)

    logs = await call("query_component_logs", **SCOPE, **RANGE, component="inventory", log_levels=["ERROR"], limit=5)
    put("logs", json.loads(logs))
    traces = json.loads(await call("query_traces", **SCOPE, **RANGE, component="checkout", limit=2))
    put("spans", json.loads(await call("query_trace_spans", trace_id=traces["traces"][0]["traceId"], **SCOPE, **RANGE)))
    try:
        put("wrong argument", await call("query_component_logs", **SCOPE, **RANGE, limit=5000))
    except Exception as error:
        put("wrong argument", str(error))
    put("waits", None)
    await line()
    put("again", json.loads(await call("query_component_logs", **SCOPE, **RANGE, limit=1)))


asyncio.run(plain() if KIND == "mcp" else langchain())
