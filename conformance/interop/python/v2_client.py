"""A client of the Python SDK 2.x: goes to the servers of a plan and tells the story with each.

    python v2_client.py PLAN [legacy]

By default it finds out whether the server knows a revision without a handshake; `legacy` has it not ask.
"""

import os
import sys
from contextlib import asynccontextmanager

import anyio
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import CreateMessageResult, ElicitResult, PromptReference, TextContent

from report import visit
from story import tell

MODE = sys.argv[2] if len(sys.argv) > 2 else "auto"


class Second:
    Error = MCPError

    @asynccontextmanager
    async def open(self, target):
        async with Client(
            self.server(target), mode=MODE, elicitation_callback=self.elicit, sampling_callback=self.sample
        ) as self.client:
            yield json(self.client.server_info), self.client.instructions, self.client.protocol_version

    def server(self, target):
        if "url" in target:
            http = create_mcp_http_client(headers=target.get("headers"))
            return streamable_http_client(target["url"], http_client=http)
        env = {**os.environ, **target["env"]}
        server = StdioServerParameters(command=target["command"], args=target["args"], env=env)
        return stdio_client(server, errlog=open(os.devnull, "w"))

    async def elicit(self, context, params):
        self.asked = params.message
        return ElicitResult(action="accept", content={"colour": self.colour})

    async def sample(self, context, params):
        self.sampled = params.messages[0].content.text
        content = TextContent(type="text", text=self.line)
        return CreateMessageResult(role="assistant", model="none", content=content)

    async def tools(self):
        return json(await self.client.list_tools())

    async def call(self, name, arguments, hear=None):
        return json(await self.client.call_tool(name, arguments, progress_callback=hear))

    async def cancellable(self, name, arguments, *, task_status):
        with anyio.CancelScope() as scope:

            async def stop():
                scope.cancel()

            task_status.started(stop)
            await self.client.call_tool(name, arguments)
            raise AssertionError("the call came to its end")

    async def resources(self):
        return json(await self.client.list_resources())

    async def read(self, uri):
        return json(await self.client.read_resource(uri))

    async def templates(self):
        return json(await self.client.list_resource_templates())

    async def prompts(self):
        return json(await self.client.list_prompts())

    async def prompt(self, name, arguments):
        return json(await self.client.get_prompt(name, arguments))

    async def complete(self, prompt, argument):
        return json(await self.client.complete(PromptReference(type="ref/prompt", name=prompt), argument))

    def deaf(self, target):
        return stateless(target) and "a server without sessions cannot tell which call is cancelled"

    def silent(self, target):
        return stateless(target) and "a server without sessions cannot ask"


def stateless(target):
    """The TypeScript SDK 2 serves revisions with a handshake over HTTP without sessions."""
    return MODE == "legacy" and target["direct"] and target["server"] == "ts2" and "url" in target


def json(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def one(target, report, story):
    return await tell(Second(), target, report, story)


visit(one)
