"""A client of the Python SDK 1.x: goes to the servers of a plan and tells the story with each.

    python v1_client.py PLAN
"""

import os
from contextlib import asynccontextmanager

import anyio
from mcp import ClientSession, McpError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.types import (
    CancelledNotification,
    CancelledNotificationParams,
    ClientNotification,
    CreateMessageResult,
    ElicitResult,
    PromptReference,
    TextContent,
)
from pydantic import AnyUrl

from report import visit
from story import tell


class First:
    Error = McpError

    @asynccontextmanager
    async def open(self, target):
        async with self.transport(target) as (read, write, *_):
            async with ClientSession(
                read, write, elicitation_callback=self.elicit, sampling_callback=self.sample
            ) as self.session:
                told = await self.session.initialize()
                yield json(told.serverInfo), told.instructions, told.protocolVersion

    def transport(self, target):
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
        return json(await self.session.list_tools())

    async def call(self, name, arguments, hear=None):
        return json(await self.session.call_tool(name, arguments, progress_callback=hear))

    async def cancellable(self, name, arguments, *, task_status):
        # The SDK has no words for it, and keeps the ids to itself: the next one is what it counts.
        id = self.session._request_id
        with anyio.CancelScope() as scope:

            async def stop():
                params = CancelledNotificationParams(requestId=id)
                await self.session.send_notification(ClientNotification(CancelledNotification(params=params)))
                scope.cancel()

            task_status.started(stop)
            try:
                await self.session.call_tool(name, arguments)
            except McpError:
                # Some servers answer what was cancelled.
                return
            raise AssertionError("the call came to its end")

    async def resources(self):
        return json(await self.session.list_resources())

    async def read(self, uri):
        return json(await self.session.read_resource(AnyUrl(uri)))

    async def templates(self):
        return json(await self.session.list_resource_templates())

    async def prompts(self):
        return json(await self.session.list_prompts())

    async def prompt(self, name, arguments):
        return json(await self.session.get_prompt(name, arguments))

    async def complete(self, prompt, argument):
        return json(await self.session.complete(PromptReference(type="ref/prompt", name=prompt), argument))

    def deaf(self, target):
        return stateless(target) and "a server without sessions cannot tell which call is cancelled"

    def silent(self, target):
        return stateless(target) and "a server without sessions cannot ask"


def stateless(target):
    """The TypeScript SDK 2 serves revisions with a handshake over HTTP without sessions."""
    return target["direct"] and target["server"] == "ts2" and "url" in target


def json(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def one(target, report, story):
    return await tell(First(), target, report, story)


visit(one)
