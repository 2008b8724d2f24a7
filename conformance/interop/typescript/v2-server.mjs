// A server of the TypeScript SDK 2.x with what the story needs, of all revisions that the SDK knows.
//
//   node v2-server.mjs stdio|http STORY CALLS
//
// Over HTTP it takes a port that is free, says its address, and keeps no sessions.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { toNodeHandler } from "@modelcontextprotocol/node";
import {
  McpServer,
  ResourceTemplate,
  completable,
  createMcpHandler,
  inputRequired,
  inputResponse,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

import { count, heard, slow, state } from "./calls.mjs";

const [transport, path] = process.argv.slice(2);
const story = JSON.parse(readFileSync(path, "utf8"));
const says = (text) => ({ content: [{ type: "text", text }] });

function make() {
  const mcp = new McpServer({ name: "ts2", version: story.version }, { instructions: story.instructions });
  mcp.registerTool("echo", { inputSchema: z.object({ text: z.string() }) }, ({ text }) => says(text));
  mcp.registerTool(
    "add",
    { inputSchema: z.object({ a: z.int(), b: z.int() }), outputSchema: z.object({ sum: z.int() }) },
    ({ a, b }) => ({ ...says(String(a + b)), structuredContent: { sum: a + b } }),
  );
  mcp.registerTool("fail", {}, () => {
    throw new Error("it fails as asked");
  });
  const counting = z.object({ key: z.string(), steps: z.int() });
  mcp.registerTool("count", { inputSchema: counting }, async ({ key, steps }, { mcpReq }) => {
    const { progressToken } = mcpReq._meta ?? {};
    await count(key, steps, (progress) =>
      mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: steps } }),
    );
    return says(`counted to ${steps} by ${process.pid}`);
  });
  mcp.registerTool("heard", { inputSchema: z.object({ key: z.string() }) }, ({ key }) => {
    heard(key);
    return says(`heard by ${process.pid}`);
  });
  mcp.registerTool("slow", { inputSchema: z.object({ key: z.string() }) }, async ({ key }, { mcpReq }) => {
    await slow(key, mcpReq.signal);
    return says("ended");
  });
  mcp.registerTool("state", { inputSchema: z.object({ key: z.string() }) }, ({ key }) => says(state(key)));
  mcp.registerTool("ask", {}, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, "colour");
    if (answer.kind === "elicit") return says(`${answer.action}: ${answer.content?.colour}`);
    const requestedSchema = z.object({ colour: z.string() });
    return inputRequired({
      inputRequests: { colour: inputRequired.elicit({ message: "what colour?", requestedSchema }) },
    });
  });
  mcp.registerTool("sample", {}, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, "line");
    if (answer.kind === "sampling") return says(`sampled: ${answer.result.content.text}`);
    const messages = [{ role: "user", content: { type: "text", text: "say a line" } }];
    return inputRequired({ inputRequests: { line: inputRequired.createMessage({ messages, maxTokens: 10 }) } });
  });
  mcp.registerResource("text", "note://text", { mimeType: "text/plain" }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: "text/plain", text: story.note }],
  }));
  mcp.registerResource("blob", "note://blob", { mimeType: "application/octet-stream" }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: "application/octet-stream", blob: story.blob }],
  }));
  mcp.registerResource("item", new ResourceTemplate("item://{id}", { list: undefined }), {}, (uri, { id }) => ({
    contents: [{ uri: uri.href, text: `item ${id}` }],
  }));
  const name = completable(z.string(), (begin) => story.names.filter((one) => one.startsWith(begin)));
  mcp.registerPrompt("greet", { argsSchema: z.object({ name }) }, ({ name }) => ({
    messages: [{ role: "user", content: { type: "text", text: `hello ${name}` } }],
  }));
  return mcp;
}

if (transport === "stdio") {
  serveStdio(make);
} else {
  const http = createServer(toNodeHandler(createMcpHandler(make)));
  http.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${http.address().port}/mcp`));
}
