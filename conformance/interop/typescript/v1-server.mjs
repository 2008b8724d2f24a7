// A server of the TypeScript SDK 1.x with what the story needs.
//
//   node v1-server.mjs stdio|http STORY CALLS
//
// Over HTTP it takes a port that is free, says its address, and keeps a session for each client.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { completable } from "@modelcontextprotocol/sdk/server/completable.js";
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

import { count, heard, slow, state } from "./calls.mjs";

const [transport, path] = process.argv.slice(2);
const story = JSON.parse(readFileSync(path, "utf8"));
const says = (text) => ({ content: [{ type: "text", text }] });

function make() {
  const mcp = new McpServer({ name: "ts1", version: story.version }, { instructions: story.instructions });
  mcp.registerTool("echo", { inputSchema: { text: z.string() } }, ({ text }) => says(text));
  mcp.registerTool(
    "add",
    { inputSchema: { a: z.int(), b: z.int() }, outputSchema: { sum: z.int() } },
    ({ a, b }) => ({ ...says(String(a + b)), structuredContent: { sum: a + b } }),
  );
  mcp.registerTool("fail", {}, () => {
    throw new Error("it fails as asked");
  });
  mcp.registerTool("count", { inputSchema: { key: z.string(), steps: z.int() } }, async ({ key, steps }, extra) => {
    const { progressToken } = extra._meta ?? {};
    await count(key, steps, (progress) =>
      extra.sendNotification({ method: "notifications/progress", params: { progressToken, progress, total: steps } }),
    );
    return says(`counted to ${steps} by ${process.pid}`);
  });
  mcp.registerTool("heard", { inputSchema: { key: z.string() } }, ({ key }) => {
    heard(key);
    return says(`heard by ${process.pid}`);
  });
  mcp.registerTool("slow", { inputSchema: { key: z.string() } }, async ({ key }, { signal }) => {
    await slow(key, signal);
    return says("ended");
  });
  mcp.registerTool("state", { inputSchema: { key: z.string() } }, ({ key }) => says(state(key)));
  mcp.registerTool("ask", {}, async () => {
    const requestedSchema = { type: "object", properties: { colour: { type: "string" } }, required: ["colour"] };
    const answer = await mcp.server.elicitInput({ message: "what colour?", requestedSchema });
    return says(`${answer.action}: ${answer.content?.colour}`);
  });
  mcp.registerTool("sample", {}, async () => {
    const messages = [{ role: "user", content: { type: "text", text: "say a line" } }];
    const answer = await mcp.server.createMessage({ messages, maxTokens: 10 });
    return says(`sampled: ${answer.content.text}`);
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
  mcp.registerPrompt("greet", { argsSchema: { name } }, ({ name }) => ({
    messages: [{ role: "user", content: { type: "text", text: `hello ${name}` } }],
  }));
  return mcp;
}

const sessions = new Map();

async function answer(request, response) {
  const known = sessions.get(request.headers["mcp-session-id"]);
  if (known) return known.handleRequest(request, response);
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, transport),
    onsessionclosed: (id) => sessions.delete(id),
  });
  await make().connect(transport);
  return transport.handleRequest(request, response);
}

if (transport === "stdio") {
  await make().connect(new StdioServerTransport());
} else {
  const http = createServer((request, response) => void answer(request, response));
  http.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${http.address().port}/mcp`));
}
