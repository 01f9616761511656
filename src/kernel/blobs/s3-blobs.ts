import type { Clock } from "../clock.ts";
import { blobLimits } from "../limits.ts";
import { type BlobPlace, type BlobRange, inPieces } from "./blob-place.ts";
import { BlobNotFoundError } from "./blobs.ts";
import { createS3Sender, type S3Location, S3PlaceError, type S3Request, type SendS3 } from "./s3-request.ts";

/** Content as objects of an S3-compatible store: in one request, or in parts when it is larger than one. Parts of 5 MiB at least. */
export function createS3Blobs(location: S3Location, clock: Clock, partBytes: number = blobLimits.partBytes): BlobPlace {
  const send = createS3Sender(location, clock);
  const keyOf = (id: string) => `${location.prefix}${id}`;

  return {
    write: async (id, content) => {
      const pieces = inPieces(content, partBytes);
      const first = await pieces.next();
      if (first.done) throw new Error("Content has at least one piece");
      if (first.value.length < partBytes) await send({ method: "PUT", key: keyOf(id), body: first.value });
      else await writeParts(send, keyOf(id), first.value, pieces);
    },
    read: (id, range) => readObject(send, id, keyOf(id), range),
    remove: async (id) => {
      // Both succeed when there is nothing.
      await abortUploads(send, keyOf(id));
      await send({ method: "DELETE", key: keyOf(id) });
    },
  };
}

async function writeParts(send: SendS3, key: string, first: Buffer, rest: AsyncIterable<Buffer>): Promise<void> {
  const created = await textOf(await send({ method: "POST", key, query: { uploads: "" } }));
  const uploadId = elementsOf(created, "UploadId")[0];
  if (uploadId === undefined) throw new Error("The S3-compatible store for blobs began an upload without an id");
  const parts: Promise<string>[] = [];
  const sendPart = (body: Buffer) => {
    const query = { partNumber: String(parts.length + 1), uploadId };
    const sent = send({ method: "PUT", key, query, body }).then((answer) => {
      void answer.body?.cancel();
      return answer.headers.get("etag") ?? "";
    });
    // Awaited below; until then its failure is nobody's.
    sent.catch(() => {});
    parts.push(sent);
  };
  try {
    sendPart(first);
    for await (const piece of rest) {
      // One part is on its way while the next is gathered.
      await parts.at(-1);
      sendPart(piece);
    }
    const etags = await Promise.all(parts);
    const list = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const body = Buffer.from(`<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`);
    const request: S3Request = { method: "POST", key, query: { uploadId }, body };
    // S3 may answer 200 first and find an error later.
    const completed = await textOf(await send(request));
    if (completed.includes("<Error>")) throw new S3PlaceError(request, 200, elementsOf(completed, "Code")[0] ?? "");
  } catch (error) {
    await Promise.allSettled(parts);
    await send({ method: "DELETE", key, query: { uploadId } }).catch(() => {
      // `remove` does it once more.
    });
    throw error;
  }
}

/** Ids never come twice and objects never change, so reading goes on where a connection broke. */
async function* readObject(
  send: SendS3,
  id: string,
  key: string,
  range: BlobRange | undefined,
): AsyncIterable<Uint8Array> {
  let at = range?.start ?? 0;
  const end = range?.end ?? Number.POSITIVE_INFINITY;
  for (let tries = 1; at < end; tries += 1) {
    const last = end === Number.POSITIVE_INFINITY ? "" : String(end - 1);
    const wanted = at > 0 || last !== "" ? { range: `bytes=${at}-${last}` } : {};
    try {
      const { body } = await send({ method: "GET", key, headers: wanted });
      if (!body) return;
      for await (const chunk of body) {
        at += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (error instanceof S3PlaceError) {
        if (error.status === 404) throw new BlobNotFoundError(id);
        // Nothing from there on: the object is shorter, or empty.
        if (error.status === 416) return;
        throw error;
      }
      if (tries >= blobLimits.s3TriesMax) throw error;
    }
  }
}

/** What writes that ended with their process left. */
async function abortUploads(send: SendS3, key: string): Promise<void> {
  const found = await textOf(await send({ method: "GET", query: { uploads: "", prefix: key } }));
  for (const uploadId of elementsOf(found, "UploadId")) {
    try {
      await send({ method: "DELETE", key, query: { uploadId } });
    } catch (error) {
      if (!(error instanceof S3PlaceError && error.status === 404)) throw error;
    }
  }
}

function textOf(response: Response): Promise<string> {
  return response.text();
}

/** Contents of elements that hold plain text. */
function elementsOf(xml: string, name: string): string[] {
  return Array.from(xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g")), ([, text = ""]) =>
    text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"),
  );
}
