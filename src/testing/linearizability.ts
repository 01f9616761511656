/**
 * Tells whether a history of concurrent calls is linearizable: whether each call can be given one moment between its
 * beginning and its end so that a sequential model answers, in that order, what the system has answered.
 *
 * The search is Wing and Gong's ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memory of where it has
 * been ("Testing for linearizability", 2017).
 */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /**
   * The state after the call; undefined where the system could not have answered this. Without an output the answer is not
   * known: the call has the effect it has in this state.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal for equal states. */
  key(state: State): string;
}

/** One call. Whoever asked may not have learnt what came of it: it has no end then, and may have happened at any time or never. */
export interface Recorded<Input, Output> {
  readonly begin: number;
  readonly end?: number;
  readonly input: Input;
  readonly output?: Output;
}

export type Verdict<Input, Output> =
  | { readonly linearizable: true }
  /** With the longest order that was found, and the calls that have no place after it. */
  | {
      readonly linearizable: false;
      readonly longest: readonly Recorded<Input, Output>[];
      readonly stuck: readonly Recorded<Input, Output>[];
    };

interface Node {
  /** The call's place in the history; a call's end has it too. */
  readonly at: number;
  readonly isEnd: boolean;
  /** Where the call ends, for a call that does. */
  end: Node | undefined;
  before: Node | undefined;
  after: Node | undefined;
}

export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Recorded<Input, Output>[],
): Verdict<Input, Output> {
  const head = toList(history);
  const done = new Uint8Array(history.length);
  const seen = new Set<string>();
  const taken: { readonly node: Node; readonly state: State }[] = [];
  let state = model.initial;
  let endsLeft = history.filter(({ end }) => end !== undefined).length;
  let longest: readonly number[] = [];
  let node = head.after;
  while (endsLeft > 0) {
    if (node && !node.isEnd) {
      const call = history[node.at];
      const next = call && model.step(state, call.input, call.output);
      if (next !== undefined) {
        done[node.at] = 1;
        const place = `${done.join("")} ${model.key(next)}`;
        if (!seen.has(place)) {
          seen.add(place);
          taken.push({ node, state });
          if (taken.length > longest.length) longest = taken.map((each) => each.node.at);
          state = next;
          if (node.end) endsLeft -= 1;
          lift(node);
          node = head.after;
          continue;
        }
        done[node.at] = 0;
      }
      node = node.after;
      continue;
    }
    // A call has ended that has no place before its end: one of those placed before has to go elsewhere.
    const last = taken.pop();
    if (!last) return refuse(history, longest);
    done[last.node.at] = 0;
    if (last.node.end) endsLeft += 1;
    unlift(last.node);
    state = last.state;
    node = last.node.after;
  }
  return { linearizable: true };
}

function refuse<Input, Output>(
  history: readonly Recorded<Input, Output>[],
  longest: readonly number[],
): Verdict<Input, Output> {
  const placed = new Set(longest);
  return {
    linearizable: false,
    longest: longest.flatMap((at) => history[at] ?? []),
    stuck: history.filter(({ end }, at) => end !== undefined && !placed.has(at)).slice(0, 8),
  };
}

/** Beginnings and ends in the order of time; where a call begins as another ends, they overlap. */
function toList<Input, Output>(history: readonly Recorded<Input, Output>[]): Node {
  const events = history.flatMap(({ begin, end }, at) => {
    const ended = end === undefined ? undefined : newNode(at, true);
    const begun = { ...newNode(at, false), end: ended };
    return [{ time: begin, node: begun }, ...(ended && end !== undefined ? [{ time: end, node: ended }] : [])];
  });
  events.sort((a, b) => a.time - b.time || Number(a.node.isEnd) - Number(b.node.isEnd));
  const head = newNode(-1, false);
  let last = head;
  for (const { node } of events) {
    last.after = node;
    node.before = last;
    last = node;
  }
  return head;
}

function newNode(at: number, isEnd: boolean): Node {
  return { at, isEnd, end: undefined, before: undefined, after: undefined };
}

/** Takes a call and its end out of the list; each remembers where it was. */
function lift(node: Node): void {
  unlink(node);
  if (node.end) unlink(node.end);
}

function unlift(node: Node): void {
  if (node.end) relink(node.end);
  relink(node);
}

function unlink(node: Node): void {
  if (node.before) node.before.after = node.after;
  if (node.after) node.after.before = node.before;
}

function relink(node: Node): void {
  if (node.before) node.before.after = node;
  if (node.after) node.after.before = node;
}
