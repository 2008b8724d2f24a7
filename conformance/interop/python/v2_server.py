"""A server of the Python SDK 2.x with what the story needs, of all revisions that the SDK knows.

    python v2_server.py stdio|http STORY CALLS

Over HTTP it takes a port that is free, says its address, and keeps sessions for those who begin with a handshake.
"""

import base64
import json
import os
import sys
from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve, Sample
from mcp_types import Completion, CreateMessageResult, SamplingMessage, TextContent
from pydantic import BaseModel

import calls
from serve import serve

with open(sys.argv[2], encoding="utf-8") as file:
    story = json.load(file)

server = MCPServer("py2", version=story["version"], instructions=story["instructions"], log_level="CRITICAL")


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
    # Of any other error it says no more than that there was one.
    raise ToolError("it fails as asked")


@server.tool(structured_output=False)
async def count(key: str, steps: int, context: Context) -> str:
    await calls.count(key, steps, context.report_progress)
    return f"counted to {steps} by {os.getpid()}"


@server.tool(structured_output=False)
async def heard(key: str) -> str:
    calls.heard(key)
    return f"heard by {os.getpid()}"


@server.tool(structured_output=False)
async def slow(key: str) -> str:
    await calls.slow(key)
    return "ended"


@server.tool(structured_output=False)
def state(key: str) -> str:
    return calls.state(key)


def colour() -> Elicit[Colour]:
    return Elicit("what colour?", Colour)


@server.tool(structured_output=False)
def ask(answer: Annotated[Colour, Resolve(colour)]) -> str:
    return f"accept: {answer.colour}"


def line() -> Sample:
    message = SamplingMessage(role="user", content=TextContent(type="text", text="say a line"))
    return Sample([message], max_tokens=10)


@server.tool(structured_output=False)
def sample(answer: Annotated[CreateMessageResult, Resolve(line)]) -> str:
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
