import { S3, S3ServiceException } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { ClientSettings } from "../../src/testing/functions.ts";
import type { Model, Recorded } from "../../src/testing/linearizability.ts";

/** What clients do to one object, whose content is a number or which is not there. */
export type ObjectInput =
  | { readonly do: "put"; readonly body: number }
  | { readonly do: "putNew"; readonly body: number }
  | { readonly do: "putOver"; readonly expected: number; readonly body: number }
  | { readonly do: "delete" }
  | { readonly do: "get" };

/** What was read, null for nothing; whether a condition held; or that another write was under way. */
export type ObjectOutput = number | null | boolean | "conflict";

/** An object as it would be if one call happened after another. */
export const objectModel: Model<number | null, ObjectInput, ObjectOutput> = {
  initial: null,
  step: (state, input, output) => {
    switch (input.do) {
      case "put":
        return input.body;
      case "delete":
        return null;
      case "get":
        return output === undefined || output === state ? state : undefined;
      case "putNew":
      case "putOver": {
        const holds = input.do === "putNew" ? state === null : state === input.expected;
        if (output === "conflict") return state;
        if (output !== undefined && output !== holds) return undefined;
        return holds ? input.body : state;
      }
    }
  },
  key: String,
};

/** Lets clients of their own connections race on one object of a new bucket. */
export async function raceOnObject(
  settings: ClientSettings,
  race: { readonly clients: number; readonly callsEach: number; readonly random: () => number },
): Promise<Recorded<ObjectInput, ObjectOutput>[]> {
  const { clients, callsEach, random } = race;
  const Bucket = `race-${Math.floor(random() * 1e12)}`;
  const first = newClient(settings);
  await first.createBucket({ Bucket });
  const history: Recorded<ObjectInput, ObjectOutput>[] = [];
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = newClient(settings);
      for (let at = 0; at < callsEach; at += 1) {
        const input = pickInput(random);
        const begin = performance.now();
        const output = await perform(client, Bucket, input);
        const end = performance.now();
        history.push(output === undefined ? { begin, input } : { begin, end, input, output });
      }
      client.destroy();
    }),
  );
  first.destroy();
  return history;
}

function newClient(settings: ClientSettings): S3 {
  return new S3({ ...settings, forcePathStyle: true, maxAttempts: 1 });
}

function pickInput(random: () => number): ObjectInput {
  const upTo = (end: number) => Math.floor(random() * end);
  const body = upTo(4);
  const kind = upTo(8);
  if (kind === 0) return { do: "put", body };
  if (kind <= 2) return { do: "putNew", body };
  if (kind <= 5) return { do: "putOver", expected: upTo(4), body };
  return kind === 6 ? { do: "delete" } : { do: "get" };
}

/** Undefined where the answer does not tell whether it was done. */
async function perform(s3: S3, Bucket: string, input: ObjectInput): Promise<ObjectOutput | undefined> {
  const object = { Bucket, Key: "k" };
  try {
    switch (input.do) {
      case "put":
        await s3.putObject({ ...object, Body: contentOf(input.body) });
        return true;
      case "putNew":
        await s3.putObject({ ...object, Body: contentOf(input.body), IfNoneMatch: "*" });
        return true;
      case "putOver":
        await s3.putObject({ ...object, Body: contentOf(input.body), IfMatch: etagOf(input.expected) });
        return true;
      case "delete":
        await s3.deleteObject(object);
        return true;
      case "get": {
        const { Body } = await s3.getObject(object);
        return Number((await Body?.transformToString())?.split(" ")[0]);
      }
    }
  } catch (error) {
    if (!(error instanceof S3ServiceException)) return undefined;
    const status = error.$metadata.httpStatusCode;
    if (input.do === "get") return status === 404 ? null : undefined;
    if (status === 409) return "conflict";
    // 404: there is nothing to be matched.
    return status === 412 || status === 404 ? false : undefined;
  }
}

/** Long enough not to be kept beside its record. */
function contentOf(body: number): string {
  return `${body} ${String(body).repeat(20_000)}`;
}

function etagOf(body: number): string {
  return `"${createHash("md5").update(contentOf(body)).digest("hex")}"`;
}
