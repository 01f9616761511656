import type { Transaction } from "../../../kernel/store/store.ts";
import type { S3Access } from "../access.ts";
import { releaseContent } from "../content.ts";
import { type PushNeeds, toVersionId, type Version, versionIdRandomCharacters } from "../model.ts";
import type { S3Needs } from "../needs.ts";
import type { Notify } from "../notifications/deliveries.ts";

/** What every operation of the slice may use. */
export interface OperationNeeds extends S3Needs {
  readonly access: S3Access;
  readonly push: PushNeeds;
  readonly notify: Notify;
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

export function createPushNeeds(needs: S3Needs): PushNeeds {
  return {
    newVersionId: (sequence) => toVersionId(sequence, needs.ids.random(versionIdRandomCharacters, alphanumeric)),
    drop: async (tx: Transaction, old: Version) => {
      if (old.kind === "object") await releaseContent(tx, needs.blobs, old.content);
    },
  };
}
