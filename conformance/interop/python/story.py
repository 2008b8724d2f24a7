"""The story that every client tells with every server, for both versions of the Python SDK.

`client` is what a version's own file makes of its SDK: `open`, `call` and the rest, each giving what it was told as the
JSON that it was, with `asked` and `sampled` for what it was asked meanwhile.
"""

import os

import anyio

from report import Skip, must, same


async def tell(client, target, report, story):
    """Tells the story with one server; returns the revision that was agreed on."""
    with anyio.fail_after(60):
        async with client.open(target) as (info, instructions, revision):
            await chapters(client, target, report, story, info, instructions)
    report.checks.append({"check": "close", "result": "ok", "saw": ""})
    return revision


async def chapters(client, target, report, story, info, instructions):
    async def connect():
        same([info["name"], info["version"]], [target["server"], story["version"]], "the server")
        same(instructions, story["instructions"], "instructions")

    async def tools():
        tools = {tool["name"]: tool for tool in (await client.tools())["tools"]}
        same(tools["echo"]["inputSchema"]["properties"]["text"]["type"], "string", "what `echo` takes")
        same(tools["add"]["outputSchema"]["properties"]["sum"]["type"], "integer", "what `add` gives")
        return " ".join(sorted(tools))

    async def echo():
        for said in [*story["texts"], "é\n" * (story["length"] // 2)]:
            same(text(await client.call("echo", {"text": said})), said, "the echo")

    async def lone():
        raise Skip("Python writes no half of a character as UTF-8")

    async def add():
        result = await client.call("add", story["sum"])
        same(result["structuredContent"], {"sum": sum(story["sum"].values())}, "the sum")

    async def fail():
        result = await client.call("fail", {})
        same(result["isError"], True, "isError")
        must("it fails as asked" in text(result), f"it says {text(result)}")
        return text(result)

    async def unknown():
        return await refusal(client, lambda: client.call("there-is-none", {}))

    key = f"{target['key']}-{os.getpid()}"
    processes = []

    async def progress():
        seen = []
        async with anyio.create_task_group() as tasks:
            # The server goes on when it is told that the step was heard of, so that nothing depends on who is faster.
            # Nothing else is read meanwhile, so that it is told by a task of its own.
            async def hear(step, total, message):
                seen.append([step, total])
                tasks.start_soon(tell_server)

            async def tell_server():
                processes.append(process(await client.call("heard", {"key": key})))

            result = await client.call("count", {"key": key, "steps": story["steps"]}, hear)
        steps = [[step + 1, story["steps"]] for step in range(story["steps"])]
        same(seen, steps, "progress before the result")
        must(text(result).startswith(f"counted to {story['steps']} by "), f"the result is {text(result)}")
        processes.append(process(result))

    async def together():
        # One process, as long as nothing asks for more.
        if not processes:
            raise Skip("nothing went on at the same time")
        must(len(set(processes)) == 1, "several processes carried it out")

    async def state():
        return text(await client.call("state", {"key": key}))

    async def cancel():
        async with anyio.create_task_group() as tasks:
            stop = await tasks.start(client.cancellable, "slow", {"key": key})
            while await state() != "running":
                await anyio.sleep(0.01)
            await stop()
        same(text(await client.call("echo", {"text": "on"})), "on", "the echo after it")

    async def cancelled():
        if cannot := client.deaf(target):
            raise Skip(cannot)
        while (now := await state()) == "running":
            await anyio.sleep(0.01)
        same(now, "cancelled", "what the server knows of the call")

    async def resources():
        resources = (await client.resources())["resources"]
        same(sorted(one["uri"] for one in resources), ["note://blob", "note://text"], "the resources")
        [note] = (await client.read("note://text"))["contents"]
        same(note["text"], story["note"], "the note")
        [blob] = (await client.read("note://blob"))["contents"]
        same(blob["blob"], story["blob"], "the blob")
        return " ".join([note["uri"], note["mimeType"], blob["uri"], blob["mimeType"]])

    async def template():
        templates = (await client.templates())["resourceTemplates"]
        same([one["uriTemplate"] for one in templates], ["item://{id}"], "the templates")
        same((await client.read("item://7"))["contents"][0]["text"], "item 7", "the item")

    async def missing():
        return await refusal(client, lambda: client.read("note://none"))

    async def prompts():
        prompts = (await client.prompts())["prompts"]
        named = [[one["name"], [of["name"] for of in one["arguments"]]] for one in prompts]
        same(named, [["greet", ["name"]]], "the prompts")
        messages = (await client.prompt("greet", {"name": 'Ada "A" é'}))["messages"]
        said = [[one["role"], one["content"]["text"]] for one in messages]
        same(said, [["user", 'hello Ada "A" é']], "the messages")

    async def complete():
        result = await client.complete("greet", {"name": "name", "value": "a"})
        same(result["completion"]["values"], story["names"], "the names")

    async def elicit():
        if cannot := client.silent(target):
            raise Skip(cannot)
        client.colour = story["colour"]
        same(text(await client.call("ask", {})), f"accept: {story['colour']}", "the answer")
        same(client.asked, "what colour?", "the question")

    async def sample():
        if cannot := client.silent(target):
            raise Skip(cannot)
        client.line = story["line"]
        same(text(await client.call("sample", {})), f"sampled: {story['line']}", "the answer")
        same(client.sampled, "say a line", "the question")

    for check in [
        connect, tools, echo, lone, add, fail, unknown, resources, template, missing, prompts, complete, elicit, sample,
        progress, together, cancel, cancelled,
    ]:  # fmt: skip
        await report.check(check.__name__, check)


async def refusal(client, ask):
    """What a refusal looks like: an error with its code, or a result that says it is one."""
    try:
        result = await ask()
    except client.Error as error:
        return f"error {error.error.code}"
    same(result.get("isError"), True, "isError")
    return f"a result: {text(result)}"


def text(result):
    """The text of a result of a call."""
    return "".join(part["text"] for part in result["content"])


def process(result):
    """The process that carried out a call: the last word that it says."""
    return text(result).split(" ")[-1]
