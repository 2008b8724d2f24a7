// A stand-in for the models of three makers: it calls a tool once, and then says what the tool said.
//
//   node model.mjs TEXT
//
// It takes a port that is free and says its address. Whatever it is asked, it calls a tool whose name ends in `echo` with
// that text; when it is asked again, with the result, it answers with that result. It remembers nothing.

import { createServer } from "node:http";

const SAID = process.argv[2];

/** What each maker's interface says: its path, and the answer to a request. */
const MAKERS = [
  { path: /\/v1\/messages$/, answer: anthropic },
  { path: /:(streamG|g)enerateContent$/, answer: google },
  { path: /\/responses$/, answer: openai },
];

function anthropic(request) {
  const parts = request.messages.flatMap((message) => (Array.isArray(message.content) ? message.content : []));
  const result = parts.findLast((part) => part.type === "tool_result");
  const tool = (request.tools ?? []).find((tool) => tool.name.endsWith("echo"));
  const calls = !result && tool;
  const block = calls
    ? { type: "tool_use", id: "toolu_1", name: tool.name, input: {} }
    : { type: "text", text: "" };
  const delta = calls
    ? { type: "input_json_delta", partial_json: JSON.stringify({ text: SAID }) }
    : { type: "text_delta", text: result ? `it said: ${flat(result.content)}` : "nothing to call" };
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = { id: "msg_1", type: "message", role: "assistant", model: request.model, content: [], usage };
  const stop_reason = calls ? "tool_use" : "end_turn";
  if (!request.stream) {
    const content = calls ? { ...block, input: { text: SAID } } : { ...block, text: delta.text };
    return { ...message, content: [content], stop_reason, stop_sequence: null };
  }
  return [
    { type: "message_start", message: { ...message, stop_reason: null, stop_sequence: null } },
    { type: "content_block_start", index: 0, content_block: block },
    { type: "content_block_delta", index: 0, delta },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 1 } },
    { type: "message_stop" },
  ];
}

function google(request, path) {
  const parts = request.contents.flatMap((content) => content.parts ?? []);
  const result = parts.findLast((part) => part.functionResponse);
  const tools = (request.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []);
  const tool = tools.find((tool) => tool.name.endsWith("echo"));
  const part = result
    ? { text: `it said: ${flat(result.functionResponse.response)}` }
    : tool
      ? { functionCall: { name: tool.name, args: { text: SAID } } }
      : { text: "nothing to call" };
  const content = { role: "model", parts: [part] };
  const answer = { candidates: [{ content, finishReason: "STOP", index: 0 }], usageMetadata: { totalTokenCount: 2 } };
  return path.includes(":stream") ? [answer] : answer;
}

function openai(request) {
  const result = request.input.findLast((item) => item.type.endsWith("call_output"));
  // Tools of a server may be within a namespace of its own.
  const tools = (request.tools ?? []).flatMap((tool) =>
    tool.type === "namespace" ? tool.tools.map((one) => ({ ...one, namespace: tool.name })) : [tool],
  );
  const tool = tools.find((tool) => tool.name?.endsWith("echo"));
  const calls = !result && tool;
  const text = result ? `it said: ${flat(result.output)}` : "nothing to call";
  const item = calls
    ? {
        type: "function_call",
        id: "fc_1",
        call_id: "call_1",
        name: tool.name,
        ...(tool.namespace && { namespace: tool.namespace }),
        arguments: JSON.stringify({ text: SAID }),
      }
    : { type: "message", id: "msg_1", role: "assistant", content: [{ type: "output_text", text, annotations: [] }] };
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
  const response = { id: "resp_1", object: "response", status: "completed", output: [item], usage };
  return [
    { type: "response.created", response: { id: "resp_1", status: "in_progress" } },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response },
  ];
}

/** All texts in something, one after the other. */
function flat(value) {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object") return "";
  return Object.values(value).map(flat).join(" ");
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const path = new URL(request.url, "http://localhost").pathname;
  const maker = MAKERS.find((maker) => maker.path.test(path));
  if (!maker || request.method !== "POST") {
    response.writeHead(404, { "content-type": "application/json" }).end("{}");
    return;
  }
  const answer = maker.answer(JSON.parse(Buffer.concat(chunks).toString()), path);
  if (Array.isArray(answer)) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of answer) {
      response.write(`${event.type ? `event: ${event.type}\n` : ""}data: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  } else {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
