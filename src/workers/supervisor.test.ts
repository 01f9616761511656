import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { readConfig } from "../config.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { workerLimits } from "./limits.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { createSupervisor, type Supervisor, type WorkerChild } from "./supervisor.ts";

/** Workers that do what the test says. */
function createChildren() {
  const all: (WorkerChild & {
    readonly told: ToWorker[];
    readonly sockets: Socket[];
    /** Of the connections it was sent. */
    numbers(): number[];
    /** The next of them is on its way. */
    sends(): void;
    says(message: FromWorker): void;
    ends(): void;
  })[] = [];
  const fork = (): WorkerChild => {
    let listener: ((message: FromWorker) => void) | undefined;
    let onEnd: ((how: string) => void) | undefined;
    const told: ToWorker[] = [];
    const sockets: Socket[] = [];
    const sent: (() => void)[] = [];
    const child = {
      pid: all.length + 1,
      told,
      sockets,
      numbers: () => told.flatMap((message) => (message.kind === "connection" ? [message.connection] : [])),
      sends: () => sent.shift()?.(),
      send: (message: ToWorker, socket?: Socket, onSent?: () => void) => {
        told.push(message);
        if (socket) sockets.push(socket);
        if (onSent) sent.push(onSent);
        if (message.kind === "stop") child.ends();
      },
      onMessage: (given: (message: FromWorker) => void) => (listener = given),
      onExit: (given: (how: string) => void) => (onEnd = given),
      kill: () => child.ends(),
      says: (message: FromWorker) => listener?.(message),
      ends: () => onEnd?.("was ended by SIGKILL"),
    };
    all.push(child);
    return child;
  };
  return { all, fork };
}

const clock = createFakeClock(0);
const clients: Socket[] = [];
let supervisor: Supervisor;

async function until(is: () => boolean): Promise<void> {
  while (!is()) await setImmediate();
}

async function start(workers: number) {
  const { all, fork } = createChildren();
  const lines: string[] = [];
  const config = readConfig({ port: "0", data: "/nowhere", workers: String(workers) }, {});
  const tell = (line: string) => void lines.push(line);
  supervisor = createSupervisor({ config, clock, fork, instance: 0xffff_ffff, tell, connectionsMax: 3 });
  const started = supervisor.start();
  started.catch(() => {});
  await until(() => all.length === 1);
  const ready = async () => {
    all[0]?.says({ kind: "ready", endpoint: "http://here" });
    const address = await started;
    for (const child of all.slice(1)) child.says({ kind: "ready", endpoint: "http://here" });
    return address;
  };
  return { all, lines, started, ready };
}

const open = (port: number) => {
  const client = connect(port, "127.0.0.1");
  client.on("error", () => {});
  clients.push(client);
  return client;
};

const taken = (all: readonly { readonly sockets: readonly Socket[] }[]) => all.map(({ sockets }) => sockets.length);
const total = (all: readonly { readonly sockets: readonly Socket[] }[]) =>
  taken(all).reduce((sum, one) => sum + one, 0);

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await supervisor.stop();
});

test("each worker is told a slot, and sandboxes of its own", async () => {
  const { all, ready } = await start(2);
  await ready();
  const begun = all.map(({ told }) => told[0]);
  expect(begun).toMatchObject([
    { kind: "begin", slot: 1, workers: 2, instance: "ffffffff" },
    { kind: "begin", slot: 2, workers: 2, instance: "00000000" },
  ]);
});

test("a connection goes to the worker with the fewest, the first of several", async () => {
  const { all, ready } = await start(2);
  const { port } = await ready();
  for (const expected of [
    [1, 0],
    [1, 1],
    [2, 1],
    [2, 2],
  ]) {
    open(port);
    await until(() => total(all) === expected.reduce((sum, one) => sum + one, 0));
    expect(taken(all)).toEqual(expected);
  }
  all[1]?.says({ kind: "load", taken: all[1].numbers(), closed: 2 });
  open(port);
  await until(() => total(all) === 5);
  expect(taken(all)).toEqual([2, 3]);
});

test("a connection that every worker is too full for is refused", async () => {
  const { all, ready } = await start(2);
  const { port } = await ready();
  for (let count = 0; count < 6; count += 1) open(port);
  await until(() => total(all) === 6);
  const refused = open(port);
  await new Promise((resolve) => refused.once("close", resolve));
  expect(taken(all)).toEqual([3, 3]);
});

test("what a worker had not taken when it died is handed to another", async () => {
  const { all, ready } = await start(2);
  const { port } = await ready();
  open(port);
  open(port);
  open(port);
  await until(() => total(all) === 3);
  all[0]?.sends();
  all[0]?.says({ kind: "load", taken: all[0].numbers().slice(0, 1), closed: 0 });
  all[0]?.ends();
  expect(taken(all)).toEqual([2, 2]);
});

test("what was on its way to a worker when it died ends: nobody knows what was read of it", async () => {
  const { all, ready } = await start(2);
  const { port } = await ready();
  const client = open(port);
  const ended = new Promise((resolve) => client.once("close", resolve));
  open(port);
  open(port);
  await until(() => total(all) === 3);
  all[0]?.sends();
  all[0]?.ends();
  await ended;
  expect(taken(all)).toEqual([2, 2]);
});

test("what a worker has taken is closed here, and what has not reached it ends", async () => {
  const { all, ready } = await start(1);
  const { port } = await ready();
  const [lost] = [open(port), open(port)];
  const ended = new Promise((resolve) => lost?.once("close", resolve));
  await until(() => total(all) === 2);
  const [first, second] = all[0]?.sockets ?? [];
  const [, number = 0] = all[0]?.numbers() ?? [];
  all[0]?.sends();
  all[0]?.sends();
  all[0]?.says({ kind: "load", taken: [number], closed: 0 });
  await ended;
  expect([first?.destroyed, second?.destroyed]).toEqual([true, true]);
  // It counts one connection now, of three that it may have.
  open(port);
  open(port);
  await until(() => total(all) === 4);
});

test("connections wait while no worker is there, for the next that is", async () => {
  const { all, lines, ready } = await start(2);
  const { port } = await ready();
  all[0]?.ends();
  all[1]?.ends();
  expect(lines).toHaveLength(2);
  open(port);
  open(port);
  await until(() => clients.every((client) => !client.connecting));
  clock.advance(workerLimits.pauseMsMax);
  expect(all).toHaveLength(4);
  all[2]?.says({ kind: "ready", endpoint: "http://here" });
  await until(() => all[2]?.sockets.length === 2);
});

test("the first worker is waited for, and the others begin when it serves", async () => {
  const { all, started } = await start(3);
  expect(all).toHaveLength(1);
  all[0]?.says({ kind: "ready", endpoint: "http://here" });
  const { port } = await started;
  expect(all).toHaveLength(3);
  open(port);
  open(port);
  await until(() => total(all) === 2);
  expect(taken(all)).toEqual([2, 0, 0]);
});

test("a first worker that ends before it serves ends the start", async () => {
  const { all, started } = await start(2);
  all[0]?.ends();
  await expect(started).rejects.toThrow("before it could serve");
  expect(all).toHaveLength(1);
});

test("a later one that ends before it serves is replaced", async () => {
  const { all, started } = await start(2);
  all[0]?.says({ kind: "ready", endpoint: "http://here" });
  await started;
  all[1]?.ends();
  clock.advance(workerLimits.pauseMsMax);
  expect(all).toHaveLength(3);
  expect(all[2]?.told[0]).toMatchObject({ kind: "begin", slot: 2 });
});

test("a worker that does not become ready in time ends the start", async () => {
  const { started } = await start(1);
  clock.advance(workerLimits.readyMsMax);
  await expect(started).rejects.toThrow("before it could serve");
});

test("workers that end as soon as they start end the program", async () => {
  const { all, ready } = await start(1);
  await ready();
  for (let count = 0; count <= workerLimits.earlyEndsMax; count += 1) {
    all.at(-1)?.ends();
    clock.advance(workerLimits.pauseMsMax);
  }
  await expect(supervisor.failed).rejects.toThrow("end as soon as they start");
});

/** So many questions, each answered like that. */
function ask(times: number, answer: () => void): void {
  for (let count = 0; count < times; count += 1) {
    clock.advance(workerLimits.askMs);
    answer();
  }
}

test("a worker that does not answer any more is killed and replaced, one that answers late is not", async () => {
  const { all, lines, ready } = await start(2);
  await ready();
  const { unansweredMax } = workerLimits;
  ask(unansweredMax - 1, () => all[1]?.says({ kind: "alive" }));
  all[0]?.says({ kind: "alive" });
  ask(unansweredMax - 1, () => all[1]?.says({ kind: "alive" }));
  expect(all).toHaveLength(2);
  ask(2, () => all[1]?.says({ kind: "alive" }));
  expect(all).toHaveLength(3);
  expect(all[2]?.told[0]).toMatchObject({ kind: "begin", slot: 1 });
  expect(lines).toEqual([
    "Worker 1 (process 1) has not answered for 10 s: it is killed",
    "Worker 1 (process 1) was ended by SIGKILL; another takes its place",
  ]);
});

test("workers are told who serves, and what one tells another", async () => {
  const { all, ready } = await start(2);
  await ready();
  expect(all[0]?.told.at(-1)).toEqual({ kind: "live", slots: [1, 2] });
  all[0]?.says({ kind: "to", slot: 2, body: "a" });
  all[1]?.says({ kind: "to", slot: "others", body: "b" });
  expect(all.map(({ told }) => told.at(-1))).toEqual([
    { kind: "from", slot: 2, body: "b" },
    { kind: "from", slot: 1, body: "a" },
  ]);
  all[1]?.ends();
  expect(all[0]?.told.at(-1)).toEqual({ kind: "live", slots: [1] });
});
