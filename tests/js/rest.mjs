// The older REST calls: node rest.mjs URL
import { randomUUID } from "node:crypto";
import { ASK, collect, newClient, report, until, work } from "./session.mjs";

const client = newClient(process.argv[2]);
const newThread = async () => (await client.threads.create()).thread_id;
const failure = (promise) => promise.then(() => "none", (error) => error.status ?? String(error));

async function threads() {
  const mark = randomUUID();
  const made = await client.threads.create({ metadata: { mark } });
  const id = made.thread_id;
  const conflict = await failure(client.threads.create({ threadId: id }));
  const same = await client.threads.create({ threadId: id, ifExists: "do_nothing" });
  await client.threads.update(id, { metadata: { size: 3 } });
  const { metadata } = await client.threads.get(id);
  const found = await client.threads.search({ metadata: { mark } });
  const count = await client.threads.count({ metadata: { mark } });
  await client.threads.delete(id);
  return {
    conflict, same: same.thread_id === id, size: metadata.size, found: found.map((one) => one.thread_id === id),
    count, gone: await failure(client.threads.get(id)),
  };
}

async function runs() {
  const id = await newThread();
  const values = await client.runs.wait(id, "slow", { input: work("ab") });
  const run = await client.runs.create(id, "slow", { input: { todo: ["c"] } });
  const joined = await client.runs.join(id, run.run_id);
  const got = await client.runs.get(id, run.run_id);
  const listed = await client.runs.list(id);
  const history = await client.threads.getHistory(id, { limit: 20 });
  const before = await client.threads.getHistory(id, {
    limit: 20, before: { configurable: { checkpoint_id: history[2].checkpoint.checkpoint_id } },
  });
  const copy = await client.threads.copy(id);
  const copied = await client.threads.getState(copy.thread_id);
  return {
    done: [values.done, joined.done, copied.values.done], status: got.status, listed: listed.length,
    older: before.map((state) => state.metadata.step),
  };
}

async function streams() {
  const id = await newThread();
  const modes = ["values", "updates", "messages-tuple", "custom"];
  const parts = await collect(client.runs.stream(id, "agent", { input: ASK, streamMode: modes }));
  const tokens = parts.filter((part) => part.event === "messages").map((part) => part.data[0]);
  const resumed = await collect(
    client.runs.stream(id, "agent", { command: { resume: "yes" }, streamMode: "updates" }),
    (part) => Object.keys(part.data),
  );
  const failed = await collect(client.runs.stream(null, "fails", { input: ASK, streamMode: "values" }));
  const state = await client.threads.getState(id);
  return {
    events: [...new Set(parts.map((part) => part.event))], token: tokens[0].id,
    kept: state.values.messages[1].id, resumed: resumed.slice(1), failed: failed.map((part) => part.event),
  };
}

async function cancelled() {
  const id = await newThread();
  const run = await client.runs.create(id, "slow", { input: work("abcdefgh") });
  await until(async () => (await client.threads.getState(id)).values?.done?.length);
  await client.runs.cancel(id, run.run_id, true);
  const { status } = await client.runs.get(id, run.run_id);
  return { status, again: await failure(client.runs.cancel(id, run.run_id)) };
}

async function stateless() {
  return (await client.runs.wait(null, "slow", { input: work("a") })).done;
}

async function assistants() {
  const [agent] = await client.assistants.search({ graphId: "agent", limit: 1 });
  const graph = await client.assistants.getGraph(agent.assistant_id);
  const schemas = await client.assistants.getSchemas(agent.assistant_id);
  return {
    graph: (await client.assistants.get(agent.assistant_id)).graph_id,
    nodes: graph.nodes.map((node) => node.id), schemas: Object.keys(schemas),
  };
}

async function store() {
  const namespace = [randomUUID()];
  await client.store.putItem(namespace, "k", { v: 1 });
  const item = await client.store.getItem(namespace, "k");
  const { items } = await client.store.searchItems(namespace, { filter: { v: 1 } });
  const { namespaces } = await client.store.listNamespaces({ prefix: namespace });
  await client.store.deleteItem(namespace, "k");
  const left = await client.store.searchItems(namespace);
  return { value: item.value, found: items.length, namespaces: namespaces.length, left: left.items.length };
}

await report({ threads, runs, streams, cancelled, stateless, assistants, store });
