import type { Principal } from "../aws/principal.ts";

/** Long-term access keys: the root's, and those of users. Implemented beside the records they come from. */
export interface AccessKeySource {
  /** The key and whose it is; undefined when there is none, or when it is not active. */
  findAccessKey(accessKeyId: string): Promise<AccessKey | undefined> | AccessKey | undefined;
  /** Whether there is such a key in any state: `--dev` takes an inactive one for nobody else's. */
  isKnown?(accessKeyId: string): Promise<boolean> | boolean;
  /** A request was signed with it, rightly. For GetAccessKeyLastUsed; must not throw. */
  noteUse?(accessKeyId: string, service: string, region: string): void;
}

export interface AccessKey {
  readonly secretAccessKey: string;
  readonly principal: Exclude<Principal, { type: "service" | "anonymous" | "webIdentity" }>;
}

/** The first source that knows a key. */
export function firstOf(sources: readonly AccessKeySource[]): AccessKeySource {
  const findFrom = (first: number, accessKeyId: string): Promise<AccessKey | undefined> | AccessKey | undefined => {
    for (let at = first; at < sources.length; at += 1) {
      const found = sources[at]?.findAccessKey(accessKeyId);
      if (found instanceof Promise) return found.then((key) => key ?? findFrom(at + 1, accessKeyId));
      if (found) return found;
    }
    return undefined;
  };
  return {
    findAccessKey: (accessKeyId) => findFrom(0, accessKeyId),
    isKnown: async (accessKeyId) => {
      for (const source of sources) if (await source.isKnown?.(accessKeyId)) return true;
      return false;
    },
    noteUse: (accessKeyId, service, region) => {
      for (const source of sources) source.noteUse?.(accessKeyId, service, region);
    },
  };
}
