import { comparePositions, type StoredEvent } from "./chunks.ts";

export interface StreamEvent extends StoredEvent {
  readonly streamName: string;
}

/** Several ordered sequences as one. */
export async function* mergeStreams(
  sources: readonly { readonly streamName: string; readonly events: AsyncIterator<StoredEvent> }[],
): AsyncGenerator<StreamEvent> {
  const heads: { event: StoredEvent; source: (typeof sources)[number] }[] = [];
  const advance = async (source: (typeof sources)[number]) => {
    const next = await source.events.next();
    if (next.done) return;
    const event = next.value;
    // Insert where it belongs: heads stay sorted, the earliest last.
    let [low, high] = [0, heads.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = heads[middle];
      if (other && comparePositions(other.event.position, event.position) > 0) low = middle + 1;
      else high = middle;
    }
    heads.splice(low, 0, { event, source });
  };
  for (const source of sources) await advance(source);
  for (let head = heads.pop(); head; head = heads.pop()) {
    yield { ...head.event, streamName: head.source.streamName };
    await advance(head.source);
  }
}
