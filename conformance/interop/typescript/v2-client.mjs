// A client of the TypeScript SDK 2.x: goes to the servers of a plan and tells the story with each.
//
//   node v2-client.mjs PLAN [auto]
//
// By default it speaks the revisions with a handshake; `auto` has it find out whether there is a newer one.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { visit } from "./report.mjs";
import { tell } from "./story.mjs";

const MODE = process.argv[3] ?? "legacy";

class Second {
  constructor() {
    this.client = new Client(
      { name: "ts2", version: "0" },
      { capabilities: { elicitation: {}, sampling: {} }, versionNegotiation: { mode: MODE } },
    );
    this.client.setRequestHandler("elicitation/create", ({ params }) => {
      this.asked = params.message;
      return { action: "accept", content: { colour: this.colour } };
    });
    this.client.setRequestHandler("sampling/createMessage", ({ params }) => {
      const [message] = params.messages;
      this.sampled = [message.content].flat()[0].text;
      return { role: "assistant", model: "none", content: { type: "text", text: this.line } };
    });
  }

  async connect({ command, args, env, url, headers }) {
    const transport = command
      ? new StdioClientTransport({ command, args, env: { ...process.env, ...env }, stderr: "ignore" })
      : new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
    await this.client.connect(transport);
    return { info: this.client.getServerVersion(), instructions: this.client.getInstructions() };
  }

  revision() {
    return this.client.getNegotiatedProtocolVersion();
  }

  tools = () => this.client.listTools();
  call = (name, args, options) => this.client.callTool({ name, arguments: args }, options);
  resources = () => this.client.listResources();
  read = (uri) => this.client.readResource({ uri });
  templates = () => this.client.listResourceTemplates();
  prompts = () => this.client.listPrompts();
  prompt = (name, args) => this.client.getPrompt({ name, arguments: args });
  complete = (ref, argument) => this.client.complete({ ref, argument });
  close = () => this.client.close();

  // The same SDK serves revisions with a handshake over HTTP without sessions.
  deaf = (target) => stateless(target) && "a server without sessions cannot tell which call is cancelled";
  silent = (target) => stateless(target) && "a server without sessions cannot ask";
}

function stateless({ server, url, direct }) {
  return MODE === "legacy" && direct && server === "ts2" && url;
}

await visit((target, report, story) => tell(new Second(), target, report, story));
process.exit(0);
