import type { Siblings } from "../workers/siblings.ts";
import type { LiveEvent, LiveFeed } from "./live-feed.ts";

/** The feed of all processes that serve on this port: whoever watches one of them sees what happens in each. */
export function shareFeed(feed: LiveFeed, siblings: Siblings): LiveFeed {
  const subscribers = new Set<(event: LiveEvent) => void>();
  /** Who watches in another process, and what ends telling it. */
  const followers = new Map<number, () => void>();

  const unfollow = (slot: number) => {
    followers.get(slot)?.();
    followers.delete(slot);
  };
  siblings.hear("follow", (wanted, from) => {
    if (wanted !== true) unfollow(from);
    else if (!followers.has(from)) {
      followers.set(
        from,
        feed.subscribe((event) => siblings.tell(from, "event", event)),
      );
    }
  });
  siblings.hear("event", (news) => {
    for (const subscriber of subscribers) subscriber(parseEvent(news));
  });
  siblings.watch((live) => {
    for (const slot of followers.keys()) if (!live.includes(slot)) unfollow(slot);
    if (subscribers.size > 0) siblings.tell("others", "follow", true);
  });

  return {
    ...feed,
    subscribe(subscriber) {
      const unsubscribe = feed.subscribe(subscriber);
      subscribers.add(subscriber);
      if (subscribers.size === 1) siblings.tell("others", "follow", true);
      return () => {
        unsubscribe();
        subscribers.delete(subscriber);
        if (subscribers.size === 0) siblings.tell("others", "follow", false);
      };
    },
  };
}

/** Of another process of this very program. */
function parseEvent(news: unknown): LiveEvent {
  return news as LiveEvent;
}
