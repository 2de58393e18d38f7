// The streaming cases: node streams.mjs URL sse|websocket
import { openProxy } from "./proxy.mjs";
import {
  answered, ASK, CHANNELS, collect, follow, newClient, report, until, withThread, work,
} from "./session.mjs";

const [url, transport] = process.argv.slice(2);
const client = newClient(url);
const stream = (assistantId, use, threadId) => withThread(client, assistantId, transport, use, threadId);

// Whole transcripts subscribe before they start the run: on one WebSocket the SDK hands the replay of each of
// its own subscriptions to all others, so one that comes later sees what was before it out of order.

async function transcript() {
  return stream("agent", async (thread) => {
    const subscription = await thread.subscribe({ channels: CHANNELS });
    await thread.run.start({ input: ASK });
    const before = await follow(subscription);
    const [interrupt] = await until(() => thread.interrupts.length && [...thread.interrupts]);
    await thread.input.respond({
      interrupt_id: interrupt.interruptId, namespace: interrupt.namespace, response: "yes",
    });
    const after = await follow(subscription);
    const state = await client.threads.getState(thread.threadId);
    return { before, after, interrupt, steps: state.values.steps };
  });
}

async function values() {
  return stream("slow", async (thread) => {
    await thread.run.start({ input: work("abc") });
    const snapshots = await collect(thread.values, (snapshot) => snapshot.done);
    const output = await thread.output;
    const state = await client.threads.getState(thread.threadId);
    const ids = (messages) => messages.map((message) => [message.id, message.type ?? message.getType()]);
    return {
      snapshots, done: output.done, ids: ids(output.messages), kept: ids(state.values.messages),
    };
  });
}

async function messages() {
  return stream("team", async (thread) => {
    await thread.run.start({ input: ASK });
    const root = (message) => message.namespace.length === 0;
    const handles = (await collect(thread.messages)).filter(root);
    const said = await Promise.all(handles.map(async (one) => [one.id, await collect(one.text)]));
    const state = await client.threads.getState(thread.threadId);
    return { said, kept: state.values.messages.filter((one) => one.type === "ai").map((one) => one.id) };
  });
}

async function toolCalls() {
  return stream("team", async (thread) => {
    await thread.run.start({ input: ASK });
    // The SDK yields a call when it starts and again when it ends.
    const calls = new Map((await collect(thread.toolCalls)).map((call) => [call.callId, call]));
    return Promise.all([...calls.values()].map(async (call) => [call.name, call.callId, call.input, await call.output]));
  });
}

async function subagents() {
  return stream("team", async (thread) => {
    await thread.run.start({ input: ASK });
    const found = await collect(thread.subagents);
    return Promise.all(found.map(async (one) => [one.name, await one.taskInput, await one.output]));
  });
}

async function subgraphs() {
  return stream("team", async (thread) => {
    await thread.run.start({ input: ASK });
    for await (const child of thread.subgraphs) {
      const said = [];
      for await (const message of child.messages) said.push(await message.text);
      return { name: child.name, graphName: child.graphName, cause: child.cause, said };
    }
  });
}

async function extensions() {
  return stream("agent", async (thread) => {
    const progress = thread.extensions.progress;
    await thread.run.start({ input: ASK });
    return { items: await collect(progress), last: await progress };
  });
}

async function severalInterrupts() {
  return stream("asks", async (thread) => {
    await thread.run.start({ input: { answers: [] } });
    const two = await until(() => thread.interrupts.length === 2 && [...thread.interrupts]);
    const answers = two.map(({ interruptId, namespace, payload }) => ({
      interrupt_id: interruptId, namespace, response: payload.split(" ")[1],
    }));
    await thread.input.respond({ responses: answers });
    const [third] = await until(() => thread.interrupts.length === 1 && [...thread.interrupts]);
    await thread.input.respond({ interrupt_id: third.interruptId, namespace: [], response: "yes" });
    const state = await until(async () => {
      const found = await client.threads.getState(thread.threadId);
      return found.values.answers.length === 3 && found;
    });
    return { asked: two.map((one) => one.payload), third: third.payload, values: state.values };
  });
}

async function reconnect() {
  const proxy = await openProxy(url);
  try {
    return await withThread(newClient(proxy.url), "slow", transport, async (thread) => {
      const subscription = await thread.subscribe({ channels: CHANNELS });
      await thread.run.start({ input: work("abcdef") });
      let cutFrom = 9;
      const events = await follow(subscription, ({ length }) => {
        if (length < cutFrom || !answered() || proxy.cuts >= 8) return;
        cutFrom = length + 9;
        setTimeout(proxy.cut);
      });
      return { events, cuts: proxy.cuts };
    });
  } finally {
    proxy.close();
  }
}

async function cancel() {
  return stream("slow", async (thread) => {
    const subscription = await thread.subscribe({ channels: ["messages", "lifecycle"] });
    const { run_id: runId } = await thread.run.start({ input: work("abcdefgh") });
    let asked;
    const events = await follow(subscription, ({ length }) => {
      if (length === 9) asked = client.runs.cancel(thread.threadId, runId, true);
    });
    await asked;
    const { status } = await client.runs.get(thread.threadId, runId);
    await thread.output;
    return { last: events.at(-1), status, thread: (await client.threads.get(thread.threadId)).status };
  });
}

async function concurrent() {
  const one = (topic) => stream("team", async (thread) => {
    const subscription = await thread.subscribe({ channels: CHANNELS });
    await thread.run.start({ input: { messages: [{ role: "user", content: topic }] } });
    return follow(subscription);
  });
  const topics = ["one", "two", "three", "four", "five", "six"];
  return Object.fromEntries(await Promise.all(topics.map(async (topic) => [topic, await one(topic)])));
}

async function updateState() {
  return stream("agent", async (thread) => {
    await thread.run.start({ input: ASK });
    await until(() => thread.interrupted && thread.interrupts.length);
    await client.threads.updateState(thread.threadId, { values: { steps: ["patched"] }, asNode: "ask" });
    const { next, tasks } = await client.threads.getState(thread.threadId);
    await thread.run.start({ input: null });
    const state = await until(async () => {
      const found = await client.threads.getState(thread.threadId);
      return found.values.steps.at(-1) === "close" && found;
    });
    return { next, interrupts: tasks.flatMap((task) => task.interrupts), steps: state.values.steps };
  });
}

async function fork() {
  return stream("slow", async (thread) => {
    await thread.run.start({ input: work("abc") });
    const first = await thread.output;
    const history = await client.threads.getHistory(thread.threadId, { limit: 20 });
    const point = history.find(({ values: { done } }) => done?.length === 1);
    return stream("slow", async (again) => {
      await again.run.start({ input: null, forkFrom: point.checkpoint.checkpoint_id });
      const second = await again.output;
      const longer = await client.threads.getHistory(again.threadId, { limit: 40 });
      const firstId = (state) => state.messages[0].id;
      const lastId = (state) => state.messages.at(-1).id;
      return {
        done: [first.done, second.done],
        sameStart: firstId(first) === firstId(second),
        sameEnd: lastId(first) === lastId(second),
        kept: longer.slice(-history.length).map((state) => state.checkpoint.checkpoint_id).join()
          === history.map((state) => state.checkpoint.checkpoint_id).join(),
      };
    }, thread.threadId);
  });
}

async function multitask() {
  return stream("slow", async (thread) => {
    await thread.run.start({ input: work("abc") });
    const refusal = await thread.run
      .start({ input: { todo: ["x"] }, multitaskStrategy: "reject" })
      .catch((error) => error.message);
    const { done } = await thread.output;
    return { refusal, done, runs: (await client.runs.list(thread.threadId)).length };
  });
}

async function stateCommands() {
  return stream("slow", async (thread) => {
    await thread.run.start({ input: work("ab") });
    await thread.output;
    const { values, checkpoint } = await thread.state.get({ namespace: [] });
    const { checkpoints } = await thread.state.listCheckpoints({ limit: 20 });
    const { tree } = await thread.agent.getTree();
    const forked = await thread.state.fork({ checkpoint_id: checkpoints.at(-2).id });
    const again = await client.runs.join(thread.threadId, forked.run_id);
    return {
      done: values.done, newest: checkpoint.id === checkpoints[0].id, again: again.done,
      steps: checkpoints.map(({ step, metadata }) => [step, metadata.source]),
      tree: [tree.graph_name, tree.status],
    };
  });
}

async function joining() {
  return stream("slow", async (thread) => {
    const subscription = await thread.subscribe({ channels: CHANNELS });
    await thread.run.start({ input: work("abc") });
    const [events, joined] = await Promise.all([
      follow(subscription),
      stream("slow", async (other) => follow(await other.subscribe({ channels: CHANNELS })), thread.threadId),
    ]);
    return { events, joined };
  });
}

async function failing() {
  return stream("fails", async (thread) => {
    const subscription = await thread.subscribe({ channels: CHANNELS });
    await thread.run.start({ input: ASK });
    const events = await follow(subscription);
    return { last: events.at(-1), thread: (await client.threads.get(thread.threadId)).status };
  });
}

await report({
  transcript, values, messages, toolCalls, subagents, subgraphs, extensions, severalInterrupts, reconnect,
  cancel, concurrent, updateState, fork, multitask, stateCommands, joining,
  failing,
});
