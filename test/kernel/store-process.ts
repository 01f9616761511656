import { systemClock } from "../../src/kernel/clock.ts";
import { openLmdbStore } from "../../src/kernel/store/lmdb-store.ts";

/**
 * A process of its own that works on a store: `node store-process.ts FOLDER write FIRST` writes until it is killed, a
 * line for each transaction acknowledged; `… increment COUNT` adds to a counter that others add to as well; `… exit TURNS`
 * exits so many turns of the event loop after a commit has begun, `… throw TURNS` fails then where nobody catches it.
 */
const [folder = "", task, count = "0"] = process.argv.slice(2);
const store = await openLmdbStore({ folder, clock: systemClock });

/** Three writes that belong together: two halves and the count of them. */
async function writePair(n: number): Promise<void> {
  await store.transact(async (tx) => {
    const total = Number((await tx.get(["total"])) ?? 0);
    tx.set(["left", n], { n, filler: "x".repeat(n % 3000) });
    tx.set(["right", n], n);
    tx.set(["total"], total + 1);
  });
  process.stdout.write(`${n}\n`);
}

if (task === "write") {
  process.stdout.write("open\n");
  for (let n = Number(count); ; n += 8) await Promise.all(Array.from({ length: 8 }, (_, at) => writePair(n + at)));
} else if (task === "increment") {
  for (let n = 0; n < Number(count); n += 1) {
    await store.transact(async (tx) => tx.set(["shared", "n"], Number((await tx.get(["shared", "n"])) ?? 0) + 1));
  }
  await store.close();
} else if (task === "exit" || task === "throw") {
  void writePair(1);
  let turns = Number(count);
  const turn = (): void => {
    turns -= 1;
    if (turns >= 0) return void setImmediate(turn);
    if (task === "exit") process.exit(3);
    throw new Error("nobody catches this");
  };
  turn();
}
