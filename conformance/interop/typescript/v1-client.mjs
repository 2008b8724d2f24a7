// A client of the TypeScript SDK 1.x: goes to the servers of a plan and tells the story with each.
//
//   node v1-client.mjs PLAN

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CreateMessageRequestSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

import { visit } from "./report.mjs";
import { tell } from "./story.mjs";

class First {
  constructor() {
    this.client = new Client({ name: "ts1", version: "0" }, { capabilities: { elicitation: {}, sampling: {} } });
    this.client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      this.asked = params.message;
      return { action: "accept", content: { colour: this.colour } };
    });
    this.client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
      this.sampled = params.messages[0].content.text;
      return { role: "assistant", model: "none", content: { type: "text", text: this.line } };
    });
  }

  async connect({ command, args, env, url, headers }) {
    this.transport = command
      ? new StdioClientTransport({ command, args, env: { ...process.env, ...env }, stderr: "ignore" })
      : new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
    this.transport.setProtocolVersion = keep(this, this.transport.setProtocolVersion);
    await this.client.connect(this.transport);
    return { info: this.client.getServerVersion(), instructions: this.client.getInstructions() };
  }

  revision() {
    return this.agreed;
  }

  tools = () => this.client.listTools();
  call = (name, args, options) => this.client.callTool({ name, arguments: args }, undefined, options);
  resources = () => this.client.listResources();
  read = (uri) => this.client.readResource({ uri });
  templates = () => this.client.listResourceTemplates();
  prompts = () => this.client.listPrompts();
  prompt = (name, args) => this.client.getPrompt({ name, arguments: args });
  complete = (ref, argument) => this.client.complete({ ref, argument });
  close = () => this.client.close();

  // The TypeScript SDK 2 serves this revision over HTTP without sessions.
  deaf = (target) => stateless(target) && "a server without sessions cannot tell which call is cancelled";
  silent = (target) => stateless(target) && "a server without sessions cannot ask";
}

/** The SDK tells the transport which revision was agreed on, and nobody else. */
function keep(client, original) {
  return function (revision) {
    client.agreed = revision;
    original?.call(this, revision);
  };
}

function stateless({ server, url, direct }) {
  return direct && server === "ts2" && url;
}

await visit((target, report, story) => tell(new First(), target, report, story));
process.exit(0);
