// The story that every client tells with every server, for both versions of the TypeScript SDK.
//
// `client` is what a version's own file makes of its SDK: `connect`, `call` and the rest, with `asked` and `sampled` for
// what it was asked meanwhile.

import { Skip, must, same } from "./report.mjs";

/** What JSON can say and UTF-8 cannot. */
const LONE = "a \ud800 b";

/** Tells the story with one server; returns the revision that was agreed on. */
export async function tell(client, target, report, story) {
  const text = (result) => result.content.map((part) => part.text).join("");
  let revision;
  const connected = await report.check("connect", async () => {
    const { info, instructions } = await client.connect(target);
    revision = client.revision();
    same([info.name, info.version], [target.server, story.version], "the server");
    same(instructions, story.instructions, "instructions");
  });
  if (!connected) return undefined;

  await report.check("tools", async () => {
    const { tools } = await client.tools();
    const tool = (name) => tools.find((tool) => tool.name === name) ?? {};
    same(tool("echo").inputSchema?.properties?.text?.type, "string", "what `echo` takes");
    same(tool("add").outputSchema?.properties?.sum?.type, "integer", "what `add` gives");
    return tools.map((tool) => tool.name).sort().join(" ");
  });

  await report.check("echo", async () => {
    for (const said of [...story.texts, "é\n".repeat(story.length / 2)]) {
      same(text(await client.call("echo", { text: said })), said, "the echo");
    }
  });

  await report.check("lone", async () => {
    if (!target.server.startsWith("ts")) throw new Skip("only JavaScript has half a character in a text");
    same(text(await client.call("echo", { text: LONE })), LONE, "the echo");
  });

  await report.check("add", async () => {
    const result = await client.call("add", story.sum);
    same(result.structuredContent, { sum: story.sum.a + story.sum.b }, "the sum");
  });

  await report.check("fail", async () => {
    const result = await client.call("fail", {});
    same(result.isError, true, "isError");
    must(text(result).includes("it fails as asked"), `it says ${text(result)}`);
    return text(result);
  });

  await report.check("unknown", () => refusal(async () => client.call("there-is-none", {})));

  await report.check("elicit", async () => {
    const cannot = client.silent?.(target);
    if (cannot) throw new Skip(cannot);
    client.colour = story.colour;
    same(text(await client.call("ask", {})), `accept: ${story.colour}`, "the answer");
    same(client.asked, "what colour?", "the question");
  });

  await report.check("sample", async () => {
    const cannot = client.silent?.(target);
    if (cannot) throw new Skip(cannot);
    client.line = story.line;
    same(text(await client.call("sample", {})), `sampled: ${story.line}`, "the answer");
    same(client.sampled, "say a line", "the question");
  });

  const key = `${target.key}-${process.pid}`;
  let processes = [];
  await report.check("progress", async () => {
    const seen = [];
    const told = [];
    // The server goes on when it is told that the step was heard of, so that nothing depends on who is faster.
    const onprogress = (step) => {
      seen.push([step.progress, step.total]);
      const hearing = client.call("heard", { key });
      // Where it fails, the server waits, and the guard of the check says so.
      hearing.catch(() => {});
      told.push(hearing);
    };
    const result = await client.call("count", { key, steps: story.steps }, { onprogress });
    const steps = Array.from({ length: story.steps }, (_, step) => [step + 1, story.steps]);
    same(seen, steps, "progress before the result");
    must(text(result).startsWith(`counted to ${story.steps} by `), `the result is ${text(result)}`);
    processes = [result, ...(await Promise.all(told))].map((one) => text(one).split(" ").at(-1));
  });

  await report.check("together", () => {
    // One process, as long as nothing asks for more.
    if (processes.length === 0) throw new Skip("nothing went on at the same time");
    must(new Set(processes).size === 1, "several processes carried it out");
  });

  const state = async () => text(await client.call("state", { key }));
  await report.check("cancel", async () => {
    const stop = new AbortController();
    const slow = client.call("slow", { key }, { signal: stop.signal });
    const end = slow.then(
      () => "it came to its end",
      () => "cancelled",
    );
    while ((await state()) !== "running") await pause();
    stop.abort();
    same(await end, "cancelled", "the call");
    same(text(await client.call("echo", { text: "on" })), "on", "the echo after it");
  });

  await report.check("cancelled", async () => {
    const cannot = client.deaf?.(target);
    if (cannot) throw new Skip(cannot);
    let now;
    while ((now = await state()) === "running") await pause();
    same(now, "cancelled", "what the server knows of the call");
  });

  await report.check("resources", async () => {
    const { resources } = await client.resources();
    same(resources.map((one) => one.uri).sort(), ["note://blob", "note://text"], "the resources");
    const [note] = (await client.read("note://text")).contents;
    same(note.text, story.note, "the note");
    const [blob] = (await client.read("note://blob")).contents;
    same(blob.blob, story.blob, "the blob");
    return [note.uri, note.mimeType, blob.uri, blob.mimeType].join(" ");
  });

  await report.check("template", async () => {
    const { resourceTemplates } = await client.templates();
    same(resourceTemplates.map((one) => one.uriTemplate), ["item://{id}"], "the templates");
    same((await client.read("item://7")).contents[0].text, "item 7", "the item");
  });

  await report.check("missing", () => refusal(async () => client.read("note://none")));

  await report.check("prompts", async () => {
    const { prompts } = await client.prompts();
    same(prompts.map((one) => [one.name, one.arguments?.map((of) => of.name)]), [["greet", ["name"]]], "the prompts");
    const { messages } = await client.prompt("greet", { name: 'Ada "A" é' });
    same(
      messages.map((one) => [one.role, one.content.text]),
      [["user", 'hello Ada "A" é']],
      "the messages",
    );
  });

  await report.check("complete", async () => {
    const result = await client.complete({ type: "ref/prompt", name: "greet" }, { name: "name", value: "a" });
    same(result.completion.values, story.names, "the names");
  });

  await report.check("close", () => client.close());
  return revision;
}

/** What a refusal looks like: an error with its code, or a result that says it is one. */
async function refusal(ask) {
  let result;
  try {
    result = await ask();
  } catch (error) {
    must(typeof error.code === "number", `an error without a code: ${error.message}`);
    return `error ${error.code}`;
  }
  same(result.isError, true, "isError");
  return `a result: ${result.content.map((part) => part.text).join("")}`;
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
