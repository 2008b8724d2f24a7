"""The tools that take a while, for both versions of the Python SDK: how each call of theirs is doing, by its key.

It stands in files, since one server may be several processes.
"""

import sys
from pathlib import Path

import anyio

# How long a call takes that nobody cancels, in seconds.
LONG = 10


def file(key, what):
    return Path(sys.argv[3]) / f"{key}.{what}"


async def slow(key):
    """Waits until the call is cancelled, or for long."""
    file(key, "state").write_text("running")
    try:
        await anyio.sleep(LONG)
        file(key, "state").write_text("ended")
    except anyio.get_cancelled_exc_class():
        file(key, "state").write_text("cancelled")
        raise


def state(key):
    """What became of it: running, ended or cancelled."""
    try:
        return file(key, "state").read_text()
    except FileNotFoundError:
        return "unknown"


async def count(key, steps, say):
    """Says each step, and goes on when the client has heard of it."""
    for step in range(1, steps + 1):
        await say(step, steps)
        while not file(key, "heard").exists() or file(key, "heard").stat().st_size < step:
            await anyio.sleep(0.01)


def heard(key):
    """The client has heard of one more step."""
    with file(key, "heard").open("a") as steps:
        steps.write(".")
