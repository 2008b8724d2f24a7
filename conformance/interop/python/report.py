"""What a client says of each server that it is sent to: one line of JSON, with a result for each check."""

import json
import sys

import anyio

# How long one check may take before it counts as failed, in seconds: far more than it needs.
GUARD = 20


class Skip(Exception):
    """A check that cannot be made here, and why."""


def must(holds, why):
    """Asks something that must hold."""
    if not holds:
        raise AssertionError(why)


def same(actual, expected, what):
    """Compares as JSON, whatever the order of keys."""
    must(actual == expected, f"{what} is {json.dumps(actual)}, not {json.dumps(expected)}")


class Report:
    """The checks of one server, one after the other."""

    def __init__(self):
        self.checks = []

    async def check(self, name, make):
        """Makes a check; what it returns is what was seen, to be compared with what is seen elsewhere."""
        try:
            with anyio.fail_after(GUARD):
                saw = await make()
            self.checks.append({"check": name, "result": "ok", "saw": saw or ""})
        except Skip as why:
            self.checks.append({"check": name, "result": "skipped", "why": str(why)})
        except Exception as error:
            self.fail(name, error)

    def fail(self, name, error):
        """Notes that a check failed, and the first reason that there is for it."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        why = "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        self.checks.append({"check": name, "result": "failed", "why": why[:300]})


def visit(tell):
    """Goes to every server of the plan in turn, and has `tell(target, report, story)` say how it went."""
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    for target in plan["targets"]:
        report = Report()
        revision = None
        try:
            revision = anyio.run(tell, target, report, plan["story"])
        except BaseException as error:
            # What breaks a connection comes out here, whatever was being done with it.
            report.fail("connection", error)
        line = {"cell": target["cell"], "revision": revision or "", "checks": report.checks}
        print(json.dumps(line), flush=True)
