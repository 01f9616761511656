/** Limits of workers. All ours. */
export const workerLimits = {
  workersMax: 128,
  /** Where nobody says how many, there are no more than one for so much memory. One takes 35 to 85 MB of it when idle. */
  memoryBytesEach: 512 * 1024 * 1024,
  /** From a worker's start until it serves. */
  readyMsMax: 60_000,
  /** Connections that wait while no worker is there to take them. */
  waitingMax: 4_096,
  /** How often a worker that serves is asked whether it is well, and how many times in a row it may not answer: 10 s. */
  askMs: 2_000,
  unansweredMax: 5,
  /** A worker that has lived for less has ended early. */
  earlyMs: 10_000,
  /** After so many early ends in a row the program gives up. */
  earlyEndsMax: 8,
  /** The pause before a worker is replaced that has ended early; twice as long after each further one. */
  pauseMs: 100,
  pauseMsMax: 5_000,
  /** A worker that was told to stop is killed when it takes longer than what it was allowed and this. */
  stopMsMax: 15_000,
} as const;
