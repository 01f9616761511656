import { withDurableExecution } from "@aws/durable-execution-sdk-js";

// Counts what really runs, as opposed to what is replayed: an environment's memory outlives an invocation.
const runs = {};
const count = (name) => (runs[name] = (runs[name] ?? 0) + 1);
const soon = { retryStrategy: (_error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: 1 } }) };

export const steps = withDurableExecution(async (event, context) => {
  const greeting = await context.step("greet", async () => `Hello, ${event.name} ${count(event.name)}`);
  await context.wait("pause", { seconds: 1 });
  const again = await context.step("again", async () => greeting.toUpperCase());
  return { greeting, again };
});

/** What has failed once in this environment. How long anything takes decides nothing here. */
const failed = new Set();

export const retries = withDurableExecution(async (event, context) => {
  const first = await context.step("clock", async () => Date.now());
  return context.step(
    "flaky",
    async () => {
      if (event.always || !failed.has(first)) {
        failed.add(first);
        throw new RangeError("not yet");
      }
      return "at last";
    },
    soon,
  );
});

export const callbacks = withDurableExecution(async (event, context) => {
  const [answer, id] = await context.createCallback("approval", event.options ?? {});
  await context.step("tell", async () => process.stdout.write(`callback=${id}\n`));
  try {
    return { approved: await answer };
  } catch (error) {
    return { refused: error.message, name: error.name };
  }
});

export const branches = withDurableExecution(async (event, context) => {
  const parallel = await context.parallel("both", [
    async (branch) => branch.step("left", async () => "l"),
    async (branch) => {
      await branch.wait("later", { seconds: 1 });
      return branch.step("right", async () => "r");
    },
  ]);
  const map = await context.map("squares", event.numbers, async (item, number) =>
    item.step(`square-${number}`, async () => number * number),
  );
  const child = await context.runInChildContext("inner", async (inner) => {
    const one = await inner.step("one", async () => 1);
    await inner.wait({ seconds: 1 });
    return one + (await inner.step("two", async () => 2));
  });
  return { parallel: parallel.getResults(), map: map.getResults(), child };
});

export const polls = withDurableExecution(async (event, context) =>
  context.waitForCondition("ready", async (state) => ({ seen: state.seen + 1 }), {
    initialState: { seen: 0 },
    waitStrategy: (state) =>
      state.seen < event.times ? { shouldContinue: true, delay: { seconds: 1 } } : { shouldContinue: false },
  }),
);

export const invokes = withDurableExecution(async (event, context) => {
  try {
    return { answer: await context.invoke("other", event.target, event.payload) };
  } catch (error) {
    return { failed: error.message, name: error.name };
  }
});

export const large = withDurableExecution(async (event, context) => {
  const text = await context.step("text", async () => "x".repeat(200_000));
  await context.wait({ seconds: 1 });
  const texts = await context.map("texts", [1, 2, 3, 4], async (item) => item.step(async () => text));
  return texts.getResults().map((each) => each.length);
});

// Ends its environment until a second has gone by.
export const dies = withDurableExecution(async (event, context) => {
  const first = await context.step("before", async () => Date.now());
  if (Date.now() - first < 900) process.exit(1);
  return "done";
});

export const fails = withDurableExecution(async () => {
  throw new TypeError("It cannot be done");
});

export const sleeps = withDurableExecution(async (event, context) => {
  const first = await context.step("first", async () => Date.now());
  await context.wait("long", { seconds: event.seconds });
  const second = await context.step("second", async () => Date.now());
  return { first, second };
});

export const plain = async (event) => {
  if (event.fail) throw new RangeError("the other one failed");
  return { doubled: event.n * 2 };
};

export const works = withDurableExecution(async (event, context) => {
  const first = await context.step("first", async () => "first");
  const second = await context.step("second", async () => {
    await new Promise((resolve) => setTimeout(resolve, event.ms));
    return "second";
  });
  return `${first}, ${second}`;
});

export const shouts = withDurableExecution(async (event) => "x".repeat(event.length));
