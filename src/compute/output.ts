import type { Readable } from "node:stream";
import type { Clock } from "../kernel/clock.ts";
import type { LogLine } from "./compute.ts";
import type { ComputeLimits } from "./limits.ts";

const newline = 0x0a;

/**
 * Cuts what a process prints into log events: a line each, of at most `logEventBytesMax`; a half line at the end is kept
 * until the rest comes or `flush` is called.
 */
export function createLineReader(eventBytesMax: number, emit: (line: string) => void) {
  let rest: Buffer[] = [];
  let restBytes = 0;

  const cut = () => {
    if (restBytes === 0) return;
    const line = rest.length === 1 ? rest[0] : Buffer.concat(rest);
    rest = [];
    restBytes = 0;
    if (line !== undefined) emit(line.toString("utf8"));
  };
  const take = (part: Buffer) => {
    let at = 0;
    while (at < part.length) {
      const step = Math.min(part.length - at, eventBytesMax - restBytes);
      rest.push(part.subarray(at, at + step));
      restBytes += step;
      at += step;
      if (restBytes >= eventBytesMax) cut();
    }
  };
  return {
    write(chunk: Buffer): void {
      let from = 0;
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
        take(chunk.subarray(from, at + 1));
        cut();
        from = at + 1;
      }
      if (from < chunk.length) take(Buffer.from(chunk.subarray(from)));
    },
    flush: cut,
  };
}

/** Whole messages as our bootstraps send them: `u32` length, text. One message is one event, whatever lines it has. */
export function createMessageReader(eventBytesMax: number, emit: (message: string) => void) {
  let rest = Buffer.alloc(0);
  return (chunk: Buffer): void => {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (data.length >= 4) {
      const bytes = data.readUInt32BE(0);
      // A function may write to this pipe what it likes: a length beyond a sane one is no message of ours.
      if (bytes > 16 * eventBytesMax) {
        data = Buffer.alloc(0);
        break;
      }
      if (data.length < 4 + bytes) break;
      for (let at = 4; at < 4 + bytes; at += eventBytesMax) {
        emit(data.toString("utf8", at, Math.min(at + eventBytesMax, 4 + bytes)));
      }
      data = data.subarray(4 + bytes);
    }
    rest = Buffer.from(data);
  };
}

/** Slows a stream down to the allowance: the function's writes block when it is used up. */
export function meterOutput(
  stream: Readable,
  limits: ComputeLimits,
  clock: Clock,
  onChunk: (chunk: Buffer) => void,
): void {
  let allowance = limits.logBurstBytesMax;
  let at = clock.now();
  stream.on("data", (chunk: Buffer) => {
    const now = clock.now();
    allowance = Math.min(limits.logBurstBytesMax, allowance + ((now - at) / 1000) * limits.logBytesPerSecondMax);
    at = now;
    allowance -= chunk.length;
    onChunk(chunk);
    if (allowance < 0) {
      stream.pause();
      clock.after((-allowance / limits.logBytesPerSecondMax) * 1000, () => stream.resume());
    }
  });
  stream.on("error", () => {});
}

/** The last bytes of what was logged, cheaply: whole lines are kept and cut only when asked. */
export function createTail(bytesMax: number) {
  let lines: Buffer[] = [];
  let bytes = 0;
  return {
    add(line: LogLine): void {
      const text = Buffer.from(line.message.endsWith("\n") ? line.message : `${line.message}\n`);
      lines.push(text);
      bytes += text.length;
      for (let first = lines[0]; first !== undefined && bytes - first.length >= bytesMax; first = lines[0]) {
        lines.shift();
        bytes -= first.length;
      }
    },
    bytes(): Uint8Array {
      const all = Buffer.concat(lines);
      return all.subarray(Math.max(0, all.length - bytesMax));
    },
    clear(): void {
      lines = [];
      bytes = 0;
    },
  };
}
