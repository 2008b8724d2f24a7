// What a client says of each server that it is sent to: one line of JSON, with a result for each check.

import { readFileSync } from "node:fs";

/** How long one check may take before it counts as failed: far more than it needs. */
const GUARD = 20_000;

/** A check that cannot be made here, and why. */
export class Skip extends Error {}

/** Asks something that must hold. */
export function must(holds, why) {
  if (!holds) throw new Error(why);
}

/** Compares as JSON, whatever the order of keys. */
export function same(actual, expected, what) {
  const [is, should] = [sorted(actual), sorted(expected)].map((value) => JSON.stringify(value) ?? "nothing");
  must(is === should, `${what} is ${short(is)}, not ${short(should)}`);
}

/** The checks of one server, one after the other. */
export class Report {
  checks = [];

  /** Makes a check; what it returns is what was seen, to be compared with what is seen elsewhere. */
  async check(name, make) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("no answer")), GUARD);
    });
    try {
      const saw = await Promise.race([make(), late]);
      this.checks.push({ check: name, result: "ok", saw: saw ?? "" });
      return true;
    } catch (error) {
      const result = error instanceof Skip ? "skipped" : "failed";
      this.checks.push({ check: name, result, why: short(String(error.message ?? error)) });
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Goes to every server of the plan in turn, and has `tell(target, report, story)` say how it went. */
export async function visit(tell) {
  const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
  for (const target of plan.targets) {
    const report = new Report();
    const revision = await tell(target, report, plan.story);
    console.log(JSON.stringify({ cell: target.cell, revision: revision ?? "", checks: report.checks }));
  }
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

function short(text) {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
