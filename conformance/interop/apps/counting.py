"""A server that says the how manieth call this is, so that a call that never came here is seen.

    python3 counting.py TOOL..

A tool `turn` becomes another each time it is called: its description changes, and clients are told.
"""

import json
import sys

TOOLS = {name: "Counts" for name in sys.argv[1:]}
calls = 0


def say(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def call(name):
    global calls
    calls += 1
    if name == "turn":
        TOOLS[name] += " and turns"
        say({"method": "notifications/tools/list_changed"})
    return {"content": [{"type": "text", "text": f"call {calls}"}]}


def answer(method, params):
    if method == "initialize":
        capabilities = {"tools": {"listChanged": True}}
        info = {"name": "counting", "version": "1"}
        return {"protocolVersion": "2025-06-18", "capabilities": capabilities, "serverInfo": info}
    if method == "tools/list":
        schema = {"type": "object", "properties": {"text": {"type": "string"}}}
        return {"tools": [{"name": name, "description": TOOLS[name], "inputSchema": schema} for name in TOOLS]}
    if method == "tools/call":
        return call(params["name"])
    return None


for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    result = answer(request["method"], request.get("params"))
    if result is None:
        say({"id": request["id"], "error": {"code": -32601, "message": "no such method"}})
    else:
        say({"id": request["id"], "result": result})
