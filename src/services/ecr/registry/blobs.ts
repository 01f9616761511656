import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { BlobTooLargeError, type Blobs } from "../../../kernel/blobs/blobs.ts";
import type { Store } from "../../../kernel/store/store.ts";
import { OffsetError, type Layers } from "../layers.ts";
import { digestPattern } from "../manifest.ts";
import { readLayer, readRepository } from "../model.ts";
import { existingRepository } from "../repositories.ts";
import { answer, RegistryError, versionHeader } from "./answers.ts";
import { bodyOf, unsupported, type RegistryExchange } from "./exchange.ts";

interface Needs {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly layers: Layers;
}

/** `GET` and `HEAD /v2/NAME/blobs/DIGEST`. */
export async function answerBlob(exchange: RegistryExchange, digest: string, { store, blobs }: Needs): Promise<void> {
  const { request, response, method, place, name } = exchange;
  if (method !== "GET" && method !== "HEAD") throw unsupported(method);
  await exchange.authorize(method === "HEAD" ? "BatchCheckLayerAvailability" : "GetDownloadUrlForLayer");
  const layer = await store.read(async (reader) =>
    readLayer(reader, await existingRepository(reader, place, name), digest),
  );
  if (!layer) throw new RegistryError("BLOB_UNKNOWN", 404, "blob unknown to registry");
  const headers = {
    ...versionHeader,
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
  };
  const range = method === "GET" ? parseRange(request.headers.range, layer.bytes) : undefined;
  if (method === "HEAD" || layer.bytes === 0) {
    answer(response, 200, { ...headers, "content-length": layer.bytes });
    return;
  }
  const { start, end } = range ?? { start: 0, end: layer.bytes };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    "content-length": end - start,
    ...(range && { "content-range": `bytes ${start}-${end - 1}/${layer.bytes}` }),
  });
  await pipeline(Readable.from(blobs.read(layer.blobId, { start, end }), { objectMode: false }), response);
}

function parseRange(header: string | undefined, bytes: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === "" || last === "" ? bytes : Math.min(bytes, Number(last) + 1);
  if (start >= end) {
    throw new RegistryError("RANGE_INVALID", 416, "The range is not satisfiable", {
      "content-range": `bytes */${bytes}`,
    });
  }
  return { start, end };
}

/** `POST /v2/NAME/blobs/uploads/`: a new upload; with `mount` and `from`, or with a whole layer, a layer at once. */
export async function startUpload(exchange: RegistryExchange, needs: Needs): Promise<void> {
  const { request, response, method, place, name, now, query } = exchange;
  if (method !== "POST") throw unsupported(method);
  await exchange.authorize("InitiateLayerUpload");
  const mount = query.get("mount");
  const from = query.get("from");
  if (mount !== null && from !== null && digestPattern.test(mount)) {
    const source = await needs.store.read((reader) => readRepository(reader, place, from));
    // A source that is not there, or may not be read, only means that the layer must be sent.
    const allowed =
      source !== undefined &&
      (await exchange.authorize("GetDownloadUrlForLayer", from).then(
        () => true,
        () => false,
      ));
    if (allowed && (await needs.layers.mount(place, name, source, mount, now))) return created(exchange, mount);
  }
  const { id } = await needs.layers.start(place, name, now);
  const digest = query.get("digest");
  if (digest !== null) {
    await receive(exchange, id, needs, undefined);
    return finish(exchange, id, digest, needs);
  }
  request.resume();
  answer(response, 202, uploadHeaders(exchange, id, 0));
}

/** What is done with `/v2/NAME/blobs/uploads/ID`. */
export async function continueUpload(exchange: RegistryExchange, id: string, needs: Needs): Promise<void> {
  const { request, response, method, place, name, query } = exchange;
  const { layers } = needs;
  switch (method) {
    case "GET": {
      await exchange.authorize("UploadLayerPart");
      const { bytes } = await layers.find(place, name, id);
      return answer(response, 204, uploadHeaders(exchange, id, bytes));
    }
    case "PATCH": {
      await exchange.authorize("UploadLayerPart");
      const bytes = await receive(exchange, id, needs, parseContentRange(request.headers["content-range"]));
      return answer(response, 202, uploadHeaders(exchange, id, bytes));
    }
    case "PUT": {
      await exchange.authorize("CompleteLayerUpload");
      const digest = query.get("digest") ?? "";
      if (!digestPattern.test(digest)) throw digestInvalid();
      const empty =
        request.headers["transfer-encoding"] === undefined && Number(request.headers["content-length"] ?? 0) === 0;
      if (!empty) await receive(exchange, id, needs, parseContentRange(request.headers["content-range"]));
      return finish(exchange, id, digest, needs);
    }
    case "DELETE":
      await exchange.authorize("CompleteLayerUpload");
      await layers.cancel(place, name, id);
      return answer(response, 204);
    default:
      throw unsupported(method);
  }
}

async function receive(
  { request, place, name }: RegistryExchange,
  id: string,
  { layers }: Needs,
  at: number | undefined,
): Promise<number> {
  try {
    return (await layers.append(place, name, id, bodyOf(request), at)).bytes;
  } catch (error) {
    if (error instanceof BlobTooLargeError) throw new RegistryError("SIZE_INVALID", 413, "The layer is too large");
    if (!(error instanceof OffsetError)) throw error;
    throw new RegistryError("BLOB_UPLOAD_INVALID", 416, error.message, { range: rangeOf(error.bytes) });
  }
}

async function finish(exchange: RegistryExchange, id: string, digest: string, { layers }: Needs): Promise<void> {
  const { place, name, now } = exchange;
  if (!digestPattern.test(digest)) throw digestInvalid();
  await layers.complete(place, name, id, digest, now);
  created(exchange, digest);
}

function created({ request, response, name }: RegistryExchange, digest: string): void {
  request.resume();
  answer(response, 201, { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest });
}

function digestInvalid(): RegistryError {
  return new RegistryError("DIGEST_INVALID", 400, "A digest of the form sha256:hex is needed");
}

function uploadHeaders({ name }: RegistryExchange, id: string, bytes: number) {
  return { location: `/v2/${name}/blobs/uploads/${id}`, "docker-upload-uuid": id, range: rangeOf(bytes) };
}

function rangeOf(bytes: number): string {
  return `0-${Math.max(0, bytes - 1)}`;
}

function parseContentRange(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const match = /^(?:bytes )?(\d{1,15})-(\d{1,15})/.exec(header);
  if (!match) throw new RegistryError("BLOB_UPLOAD_INVALID", 416, "The Content-Range is invalid");
  return Number(match[1]);
}
