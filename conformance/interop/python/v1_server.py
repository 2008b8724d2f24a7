"""A server of the Python SDK 1.x with what the story needs.

    python v1_server.py stdio|http STORY CALLS

Over HTTP it takes a port that is free, says its address, and keeps a session for each client.
"""

import base64
import json
import os
import sys

from mcp.server.fastmcp import Context, FastMCP
from mcp.types import Completion, SamplingMessage, TextContent
from pydantic import BaseModel

import calls
from serve import serve

with open(sys.argv[2], encoding="utf-8") as file:
    story = json.load(file)

server = FastMCP("py1", instructions=story["instructions"], log_level="CRITICAL")
# Its own settings know no version.
server._mcp_server.version = story["version"]


class Sum(BaseModel):
    sum: int


class Colour(BaseModel):
    colour: str


@server.tool(structured_output=False)
def echo(text: str) -> str:
    return text


@server.tool()
def add(a: int, b: int) -> Sum:
    return Sum(sum=a + b)


@server.tool(structured_output=False)
def fail() -> str:
    raise ValueError("it fails as asked")


@server.tool(structured_output=False)
async def count(key: str, steps: int, context: Context) -> str:
    await calls.count(key, steps, context.report_progress)
    return f"counted to {steps} by {os.getpid()}"


@server.tool(structured_output=False)
def heard(key: str) -> str:
    calls.heard(key)
    return f"heard by {os.getpid()}"


@server.tool(structured_output=False)
async def slow(key: str) -> str:
    await calls.slow(key)
    return "ended"


@server.tool(structured_output=False)
def state(key: str) -> str:
    return calls.state(key)


@server.tool(structured_output=False)
async def ask(context: Context) -> str:
    answer = await context.elicit("what colour?", Colour)
    return f"{answer.action}: {answer.data.colour}"


@server.tool(structured_output=False)
async def sample(context: Context) -> str:
    message = SamplingMessage(role="user", content=TextContent(type="text", text="say a line"))
    answer = await context.session.create_message([message], max_tokens=10, related_request_id=context.request_id)
    return f"sampled: {answer.content.text}"


@server.resource("note://text", mime_type="text/plain")
def note() -> str:
    return story["note"]


@server.resource("note://blob", mime_type="application/octet-stream")
def blob() -> bytes:
    return base64.b64decode(story["blob"])


@server.resource("item://{id}")
def item(id: str) -> str:
    return f"item {id}"


@server.prompt()
def greet(name: str) -> str:
    return f"hello {name}"


@server.completion()
async def complete(ref, argument, context) -> Completion:
    return Completion(values=[name for name in story["names"] if name.startswith(argument.value)])


serve(server)
