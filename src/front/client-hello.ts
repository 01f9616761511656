/** What the first bytes of a TLS connection say. */
export type ClientHello =
  /** More bytes are needed. */
  | { readonly kind: "partial" }
  /** Whole, or something that a handshake will refuse; the name, in lower case, where the client says one. */
  | { readonly kind: "read"; readonly servername: string | undefined };

const unnamed: ClientHello = { kind: "read", servername: undefined };
const partial: ClientHello = { kind: "partial" };

/**
 * Reads the server name that a client asks for, before its handshake begins. Anything malformed is left to the handshake.
 *
 * Source: RFC 8446, 4.1.2 and 5.1; RFC 6066, 3.
 */
export function readClientHello(bytes: Buffer): ClientHello {
  const handshake = joinRecords(bytes);
  if (handshake === undefined) return unnamed;
  if (handshake.length < 4) return partial;
  if (handshake[0] !== clientHello) return unnamed;
  const length = handshake.readUIntBE(1, 3);
  if (length > helloBytesMax) return unnamed;
  if (handshake.length < 4 + length) return partial;
  return { kind: "read", servername: servernameOf(handshake.subarray(4, 4 + length)) };
}

/** A client's first message is smaller, even with post-quantum keys. */
export const helloBytesMax = 16 * 1024;

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;

/** The content of the records so far; undefined where one is no handshake. */
function joinRecords(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    if (bytes[at] !== handshakeRecord) return undefined;
    const length = bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + 5, Math.min(at + 5 + length, bytes.length)));
    at += 5 + length;
  }
  return Buffer.concat(parts);
}

function servernameOf(body: Buffer): string | undefined {
  try {
    // Version and random; then the session's id, the ciphers and the compressions, each after its length.
    let at = 34;
    at += 1 + body.readUInt8(at);
    at += 2 + body.readUInt16BE(at);
    at += 1 + body.readUInt8(at);
    const end = at + 2 + body.readUInt16BE(at);
    at += 2;
    while (at + 4 <= end) {
      const type = body.readUInt16BE(at);
      const length = body.readUInt16BE(at + 2);
      if (type === serverNameExtension) return hostNameOf(body.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return undefined;
  } catch (error) {
    // A length that leads out of the message.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function hostNameOf(list: Buffer): string | undefined {
  const isHostName = list.readUInt8(2) === 0;
  const length = list.readUInt16BE(3);
  if (!isHostName || list.length < 5 + length) return undefined;
  return list.toString("latin1", 5, 5 + length).toLowerCase();
}
