/** How long the invocations of a function have taken of late. */
export interface Pace {
  note(ms: number): void;
  /** The shortest of the last 16 to 32: what a busy host adds now and then does not count. Infinite until one was noted. */
  shortestMs(): number;
  /** The longest of the same. */
  longestMs(): number;
  /** The mean of about the last 32. */
  meanMs(): number;
}

const extremesOf = 16;
const meanOf = 32;

export function createPace(): Pace {
  let shortestBefore = Infinity;
  let shortest = Infinity;
  let longestBefore = 0;
  let longest = 0;
  let noted = 0;
  let mean = Infinity;
  return {
    note(ms) {
      mean = mean === Infinity ? ms : mean + (ms - mean) / meanOf;
      if (ms < shortest) shortest = ms;
      if (ms > longest) longest = ms;
      noted += 1;
      if (noted < extremesOf) return;
      shortestBefore = shortest;
      longestBefore = longest;
      shortest = Infinity;
      longest = 0;
      noted = 0;
    },
    shortestMs: () => Math.min(shortestBefore, shortest),
    longestMs: () => Math.max(longestBefore, longest),
    meanMs: () => mean,
  };
}
