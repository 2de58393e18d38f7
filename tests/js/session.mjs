// What the cases share: a client, a thread's stream, its events up to the run's end.
import { Client } from "@langchain/langgraph-sdk";
import { WebSocket } from "ws";

export const ASK = { messages: [{ role: "user", content: "tides" }] };
export const CHANNELS = [
  "values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "tasks", "custom",
];
const ENDS = ["completed", "failed", "interrupted"];

/** The input of the graph `slow`. */
export const work = (todo, pause_s = 0.01) => ({ messages: [], done: [], todo: [...todo], pause_s });

export const newClient = (url) => new Client({ apiUrl: url, apiKey: null });

/** Counts the commands that wait for their answer. */
class CountingSocket extends WebSocket {
  static unanswered = 0;
  waiting = 0;

  constructor(url) {
    super(url);
    this.on("message", (frame) => JSON.parse(frame).type !== "event" && this.#count(-1));
    this.on("close", () => this.#count(-this.waiting));
  }

  send(...args) {
    this.#count(1);
    super.send(...args);
  }

  #count(more) {
    this.waiting += more;
    CountingSocket.unanswered += more;
  }
}

/**
 * Whether no socket waits for an answer. Only then are they cut: version 1.15.0 of the SDK drops what fails
 * while it subscribes again, and never comes back.
 */
export const answered = () => CountingSocket.unanswered === 0;

/** Runs `use(thread)` with a stream of that assistant, and closes it. */
export async function withThread(client, assistantId, transport, use, threadId = undefined) {
  const options = {
    assistantId,
    transport,
    webSocketFactory: (url) => new CountingSocket(url),
    reconnectDelayMs: () => 10,
    maxReconnectAttempts: 50,
  };
  const thread = threadId ? client.threads.stream(threadId, options) : client.threads.stream(options);
  try {
    return await use(thread);
  } finally {
    await thread.close();
  }
}

export const endsRun = ({ method, params }) =>
  method === "lifecycle" && params.namespace.length === 0 && ENDS.includes(params.data.event);

/** The events of a subscription up to the end or the pause of the run; the subscription stays open. */
export async function follow(subscription, onEvent = () => {}) {
  const events = [];
  const iterator = subscription[Symbol.asyncIterator]();
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    events.push(next.value);
    onEvent(events);
    if (endsRun(next.value)) break;
  }
  return events;
}

/** All that an async iterable yields. */
export async function collect(iterable, map = (item) => item) {
  const items = [];
  for await (const item of iterable) items.push(await map(item));
  return items;
}

/** Waits until `condition()` is truthy, and returns that. */
export async function until(condition) {
  for (;;) {
    const found = await condition();
    if (found) return found;
    await new Promise((later) => setTimeout(later, 10));
  }
}

/** One line of JSON for each case: its result, or its error. A case that hangs is an error too. */
export async function report(cases, limitMs = 15_000) {
  for (const [name, run] of Object.entries(cases)) {
    let timer;
    const late = new Promise((_, fail) => {
      timer = setTimeout(() => fail(new Error(`no end within ${limitMs} ms`)), limitMs);
    });
    try {
      console.log(JSON.stringify({ case: name, result: await Promise.race([run(), late]) }));
    } catch (error) {
      console.log(JSON.stringify({ case: name, error: String(error?.stack ?? error) }));
    } finally {
      clearTimeout(timer);
    }
  }
  process.exit(0);
}
