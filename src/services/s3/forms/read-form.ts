import type { Readable } from "node:stream";
import { malformedForm, tooLargeFields } from "../errors.ts";
import { s3Limits } from "../limits.ts";

/** A form as browsers send it: the fields before the file, and the file as it comes. Fields after the file do not count. */
export interface ReadForm {
  /** Lower-case names, in their order. */
  readonly fields: ReadonlyMap<string, string>;
  readonly fileName: string;
  readonly fileType: string | undefined;
  readonly file: AsyncIterable<Uint8Array>;
  /** The file is not wanted: what is left of the body is the caller's to read. */
  discard(): void;
}

/** @throws {AwsError} MalformedPOSTRequest, MaxPostPreDataLengthExceededError; undefined when there is no file. */
export async function readForm(contentType: string, body: Readable): Promise<ReadForm | undefined> {
  const parser = await createParser(contentType);
  // Whoever went away meanwhile is not heard of any more.
  if (body.destroyed) throw malformedForm();
  const fields = new Map<string, string>();
  let bytes = 0;
  let content: Readable | undefined;
  const discard = () => {
    body.unpipe(parser);
    body.resume();
    content?.destroy();
  };
  return await new Promise((resolve, reject) => {
    // Both stay for as long as there is something to read: an error that comes when nobody waits any more is none.
    const fail = (error: Error) => {
      reject(error);
      content?.destroy(error);
      discard();
    };
    parser.on("error", () => fail(malformedForm()));
    body.on("error", () => fail(malformedForm()));
    body.on("close", () => {
      if (!body.readableEnded) fail(malformedForm());
    });
    parser.on("field", (name, value, nameTruncated, valueTruncated) => {
      bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
      if (nameTruncated || valueTruncated || bytes > s3Limits.formFieldsBytesMax) return fail(tooLargeFields());
      fields.set(name.toLowerCase(), value);
    });
    parser.on("fieldsLimit", () => fail(tooLargeFields()));
    parser.on("file", (name, file, fileName, _encoding, fileType) => {
      file.on("error", () => {});
      if (name.toLowerCase() !== "file" || content) {
        file.resume();
        return;
      }
      content = file;
      resolve({
        fields,
        fileName: fileName ?? "",
        fileType: fileType || undefined,
        file: takeAll(file, discard),
        discard,
      });
    });
    parser.once("finish", () => resolve(undefined));
    body.pipe(parser);
  });
}

async function* takeAll(file: Readable, discard: () => void): AsyncIterable<Uint8Array> {
  let ended = false;
  try {
    for await (const chunk of file) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
    ended = true;
  } finally {
    if (!ended) discard();
  }
}

async function createParser(contentType: string) {
  // Loaded only where it is used.
  const { Busboy } = await import("@fastify/busboy");
  try {
    return new Busboy({
      headers: { "content-type": contentType },
      limits: {
        fields: s3Limits.formFieldsMax,
        fieldSize: s3Limits.formFieldsBytesMax,
        files: 1,
        headerPairs: 20,
      },
    });
  } catch {
    throw malformedForm();
  }
}
