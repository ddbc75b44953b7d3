"""Calls of MCP's methods as a client of 2025-11-25 makes them."""
import json


class Mcp:
    def __init__(self, server):
        self.server = server

    def ask(self, method, params=None):
        """The result, or the error, and the length of the body."""
        status, _, body = self.server.ask(
            "POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}},
            {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"})
        answer = json.loads(body)
        return answer.get("result") or dict(answer["error"], status=status), len(body)

    def tools(self):
        return {tool["name"]: tool for tool in self.ask("tools/list")[0]["tools"]}

    def call(self, tool, **arguments):
        """The structured answer and its tokens; of an error its text, and 0."""
        result, size = self.ask("tools/call", {"name": tool, "arguments": arguments})
        if "content" not in result:
            return str(result), 0
        text = result["content"][0]["text"]
        if result.get("isError"):
            return text, 0
        assert json.loads(text) == result["structuredContent"]
        # A body has the answer twice, as text and as an object.
        assert size < 25_000 * 4, (tool, size)
        return result["structuredContent"], len(text) / 4
