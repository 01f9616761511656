import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createSiblings, noSiblings, type SiblingsEnd } from "./siblings.ts";

const clock = createFakeClock(0);

/** Workers that are tied together as the supervising process does it. */
function createFamily(count: number) {
  const ends = new Map<number, SiblingsEnd>();
  const slots = Array.from({ length: count }, (_, at) => at + 1);
  for (const slot of slots) {
    const send = (to: number | "others", body: unknown) => {
      const text = JSON.stringify(body);
      for (const [other, end] of ends) {
        if (to === "others" ? other !== slot : other === to)
          void setImmediate().then(() => end.receive(slot, JSON.parse(text)));
      }
    };
    ends.set(slot, createSiblings({ slot, workers: count }, { send }, clock));
  }
  for (const end of ends.values()) end.setLive(slots);
  const [one, two, three] = [...ends.values()];
  if (!one || !two || !three) throw new Error("A family has at least three");
  return { one, two, three, ends };
}

test("what one asks all answer, itself first", async () => {
  const { ends, two } = createFamily(3);
  for (const [slot, end] of ends) end.answer("twice", (question) => Number(question) * 2 + slot);
  expect(await two.ask("twice", 10)).toEqual([
    { slot: 2, value: 22 },
    { slot: 1, value: 21 },
    { slot: 3, value: 23 },
  ]);
});

test("who ends before it has answered is left out", async () => {
  const { ends, one } = createFamily(3);
  one.answer("name", () => "one");
  ends.get(2)?.answer("name", () => "two");
  ends.get(3)?.answer("name", () => new Promise(() => {}));
  const asked = one.ask("name");
  await setImmediate();
  one.setLive([1, 2]);
  expect(await asked).toEqual([
    { slot: 1, value: "one" },
    { slot: 2, value: "two" },
  ]);
});

test("who takes too long to answer is left out", async () => {
  const { one, two, three } = createFamily(3);
  two.answer("name", () => "two");
  three.answer("name", () => new Promise(() => {}));
  const asked = one.ask("name");
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
  clock.advance(60_000);
  expect((await asked).map(({ slot }) => slot)).toEqual([1, 2]);
});

test("who cannot answer is left out, and the one who asks hears its own failure", async () => {
  const { one, two } = createFamily(3);
  one.answer("name", () => Promise.reject(new Error("not here")));
  await expect(one.ask("name")).rejects.toThrow("not here");
  const asked = two.ask("name");
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
  clock.advance(60_000);
  expect((await asked).map(({ slot }) => slot)).toEqual([2, 3]);
});

test("news come to the one they are for, or to all others", async () => {
  const { one, two, three } = createFamily(3);
  const heard: string[] = [];
  for (const [name, end] of Object.entries({ one, two, three })) {
    end.hear("news", (news, from) => heard.push(`${name} hears ${String(news)} from ${from}`));
  }
  one.tell(3, "news", "a");
  two.tell("others", "news", "b");
  for (let turn = 0; turn < 3; turn += 1) await setImmediate();
  expect(heard.toSorted()).toEqual(["one hears b from 2", "three hears a from 1", "three hears b from 2"]);
});

test("a process that serves alone asks itself", async () => {
  const alone = noSiblings();
  alone.answer("name", () => "alone");
  expect(await alone.ask("name")).toEqual([{ slot: 1, value: "alone" }]);
});
