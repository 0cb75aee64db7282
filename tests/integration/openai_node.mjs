// What a program written for openai-node does, against any server: one line of JSON with what it got.
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import process from "node:process";
import OpenAI from "openai";

const [baseURL, apiKey, recording] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 2 });
const audio = { voice: "alloy", format: "pcm16" };
const spoken = { model: "gpt-audio", modalities: ["text", "audio"], audio, temperature: 0 };
const asked = [{ role: "user", content: "What is the capital of France?" }];

async function whole() {
  const data = (await readFile(recording)).toString("base64");
  const sound = { type: "input_audio", input_audio: { data, format: "wav" } };
  const reply = await client.chat.completions.create({
    ...spoken,
    audio: { voice: "coral", format: "mp3" },
    messages: [{ role: "user", content: [sound] }],
  });
  const said = reply.choices[0].message.audio;
  return { transcript: said.transcript, bytes: Buffer.from(said.data, "base64").length, id: said.id };
}

async function streamed() {
  const events = await client.chat.completions.create({
    ...spoken,
    messages: asked,
    stream: true,
    stream_options: { include_usage: true },
  });
  const got = { transcript: "", bytes: 0, beats: 0, expires: 0, usage: null };
  for await (const chunk of events) {
    if (chunk.choices === undefined) got.beats += 1;
    if (chunk.usage) got.usage = chunk.usage;
    const said = chunk.choices?.[0]?.delta?.audio;
    got.transcript += said?.transcript ?? "";
    got.bytes += said?.data ? Buffer.from(said.data, "base64").length : 0;
    got.expires = said?.expires_at ?? got.expires;
  }
  return got;
}

async function left() {
  const events = await client.chat.completions.create({ ...spoken, messages: asked, stream: true });
  for await (const chunk of events) {
    if (chunk.choices?.[0]?.delta?.audio?.data) break;
  }
  return events.controller.signal.aborted;
}

async function replayed(id) {
  const messages = [{ role: "assistant", audio: { id } }, { role: "user", content: "Please repeat that." }];
  const reply = await client.chat.completions.create({ ...spoken, messages });
  return reply.choices[0].message.audio.transcript;
}

const multiply = {
  type: "function",
  function: {
    name: "multiply",
    description: "Multiply two numbers.",
    parameters: {
      type: "object",
      properties: { a: { type: "integer" }, b: { type: "integer" } },
      required: ["a", "b"],
      additionalProperties: false,
    },
    strict: true,
  },
};

async function called() {
  const question = [{ role: "user", content: "What is 17 times 23?" }];
  const tools = [multiply];
  const first = await client.chat.completions.create({ ...spoken, messages: question, tools });
  const calls = first.choices[0].message.tool_calls;
  const { a, b } = JSON.parse(calls[0].function.arguments);
  const result = { role: "tool", tool_call_id: calls[0].id, content: String(a * b) };
  const messages = [...question, { role: "assistant", tool_calls: calls }, result];
  const second = await client.chat.completions.create({ ...spoken, messages, tools });
  return { numbers: [a, b], transcript: second.choices[0].message.audio.transcript };
}

async function refused(changes, options) {
  try {
    await client.chat.completions.create({ ...spoken, messages: asked, ...changes }, options);
    return null;
  } catch (error) {
    return { name: error.constructor.name, status: error.status, code: error.code, param: error.param, id: error.requestID };
  }
}

const first = await whole();
const gone = [{ role: "assistant", audio: { id: "audio_gone" } }, ...asked];
process.stdout.write(
  JSON.stringify({
    models: (await client.models.list()).data.map((model) => model.id),
    whole: first,
    streamed: await streamed(),
    left: await left(),
    replayed: await replayed(first.id),
    called: await called(),
    badVoice: await refused({ audio: { voice: "bella", format: "pcm16" } }),
    badModel: await refused({ model: "gpt-0" }),
    badKey: await refused({}, { headers: { Authorization: "Bearer wrong" } }),
    badAudio: await refused({ messages: gone }),
  }),
);
