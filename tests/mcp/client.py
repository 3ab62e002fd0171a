"""Drives PyPI's `mcp` client as test.mjs tells it: a task as JSON on standard input, what came back on standard output.

Task: {"url", "headers", "calls": [{"name", "arguments"}]}. Answer: {"tools", "results"} or {"error": text}.
"""

import asyncio
import json
import sys

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client


# The client's own errors do not tell the status.
refusals: list[str] = []


async def note_refusal(response: httpx2.Response) -> None:
    if response.is_error:
        await response.aread()
        refusals.append(f"HTTP {response.status_code} {response.text}")


async def work(task: dict) -> dict:
    hooks = {"response": [note_refusal]}
    async with httpx2.AsyncClient(headers=task["headers"], timeout=60, trust_env=False, event_hooks=hooks) as http:
        transport = streamable_http_client(task["url"], http_client=http)
        async with Client(transport) as client:
            listed = await client.list_tools()
            results = [await client.call_tool(call["name"], call["arguments"]) for call in task["calls"]]
    dump = {"mode": "json", "by_alias": True, "exclude_none": True}
    return {
        "tools": [tool.model_dump(**dump) for tool in listed.tools],
        "results": [result.model_dump(**dump) for result in results],
    }


def texts(error: BaseException):
    """What an error says, with those that it holds or comes from."""
    yield f"{type(error).__name__}: {error}"
    for inner in getattr(error, "exceptions", ()):
        yield from texts(inner)
    if error.__cause__:
        yield from texts(error.__cause__)


def main() -> None:
    try:
        answer = asyncio.run(work(json.load(sys.stdin)))
    except Exception as error:
        answer = {"error": "\n".join([*texts(error), *refusals])}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
