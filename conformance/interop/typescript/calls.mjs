// The tools that take a while, for both versions of the TypeScript SDK: how each call of theirs is doing, by its key.
//
// It stands in files, since one server may be several processes.

import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How long a call takes that nobody cancels. */
const LONG = 10_000;

const file = (key, what) => join(process.argv[4], `${key}.${what}`);

/** Waits until the call is cancelled, or for long. */
export function slow(key, signal) {
  writeFileSync(file(key, "state"), "running");
  return new Promise((resolve) => {
    const end = (how) => () => {
      clearTimeout(timer);
      writeFileSync(file(key, "state"), how);
      resolve();
    };
    const timer = setTimeout(end("ended"), LONG);
    signal.addEventListener("abort", end("cancelled"), { once: true });
  });
}

/** What became of it: running, ended or cancelled. */
export function state(key) {
  try {
    return readFileSync(file(key, "state"), "utf8");
  } catch {
    return "unknown";
  }
}

/** Says each step, and goes on when the client has heard of it. */
export async function count(key, steps, say) {
  for (let step = 1; step <= steps; step += 1) {
    await say(step);
    while ((statSync(file(key, "heard"), { throwIfNoEntry: false })?.size ?? 0) < step) await pause();
  }
}

/** The client has heard of one more step. */
export function heard(key) {
  appendFileSync(file(key, "heard"), ".");
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
