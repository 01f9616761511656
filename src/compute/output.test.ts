import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineReader, createMessageReader, createTail } from "./output.ts";

const message = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);

describe("log events", () => {
  it("are the lines a function prints, wherever its writes are cut, and nothing is lost", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 60 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 10 }), (writes) => {
        const events: string[] = [];
        const reader = createLineReader(16, (line) => events.push(line));
        for (const write of writes) reader.write(Buffer.from(write));
        reader.flush();
        expect(events.join("")).toBe(writes.join(""));
        for (const event of events) {
          expect(event.length).toBeLessThanOrEqual(16);
          expect(event.slice(0, -1)).not.toContain("\n");
        }
      }),
    );
  });

  it("are whole messages when the bootstrap sends them, whatever lines these have", () => {
    const events: string[] = [];
    const read = createMessageReader(8, (message) => events.push(message));
    const bytes = Buffer.concat([message("one\ntwo"), message("longer than 8")]);
    for (const byte of bytes) read(Buffer.from([byte]));
    expect(events).toEqual(["one\ntwo", "longer t", "han 8"]);
  });

  it("are dropped when what claims to be a message has an absurd length", () => {
    const events: string[] = [];
    const read = createMessageReader(8, (text) => events.push(text));
    read(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
    expect(events).toEqual([]);
  });

  it("give a tail of the last bytes", () => {
    const tail = createTail(10);
    for (let index = 0; index < 100; index += 1) tail.add({ timestamp: 0, message: `line ${index}\n` });
    expect(Buffer.from(tail.bytes()).toString()).toBe("8\nline 99\n");
  });
});
