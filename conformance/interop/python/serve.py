"""How a server of either version of the Python SDK is reached: over its own streams, or at a port that is free."""

import socket
import sys

import anyio
import uvicorn


def serve(server):
    """Serves as the command line says, until it is ended."""
    if sys.argv[1] == "stdio":
        server.run("stdio")
    else:
        anyio.run(http, server.streamable_http_app())


async def http(app):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    # Connections wait from here on, so that it may be told already.
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve(sockets=[listener])
