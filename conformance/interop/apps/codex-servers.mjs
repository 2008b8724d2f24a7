// Asks Codex which servers it is connected to: `codex mcp list` reads its file and no more.
//
//   node codex-servers.mjs CODEX
//
// A line for each that has introduced itself: what Codex calls it, what it calls itself, and its tools.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const codex = spawn(process.argv[2], ["app-server"], { stdio: ["pipe", "pipe", "ignore"] });
const say = (message) => codex.stdin.write(`${JSON.stringify(message)}\n`);

say({ id: 1, method: "initialize", params: { clientInfo: { name: "interop", version: "0" } } });
for await (const line of createInterface({ input: codex.stdout })) {
  const { id, result, error } = JSON.parse(line);
  if (error) throw new Error(error.message);
  if (id === 1) {
    say({ method: "initialized" });
    say({ id: 2, method: "mcpServerStatus/list", params: {} });
  } else if (id === 2) {
    for (const { name, serverInfo, tools } of result.data) {
      if (serverInfo) console.log(name, serverInfo.name, Object.keys(tools).sort().join(","));
    }
    break;
  }
}
codex.stdin.end();
codex.kill();
