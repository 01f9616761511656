import { crc32, deflateSync } from "node:zlib";

const scale = 4;

/** The QR code that authenticators read a seed from, as a PNG. */
export async function seedPng(seed: string, deviceName: string, account: string): Promise<Uint8Array> {
  // Loaded only where it is used.
  const { encode } = await import("uqr");
  const label = encodeURIComponent(`${deviceName}@${account}`);
  const text = `otpauth://totp/Amazon%20Web%20Services:${label}?secret=${seed}&issuer=Amazon%20Web%20Services`;
  return toPng(encode(text, { ecc: "L", border: 4 }).data);
}

/** Black and white, one bit a pixel. Source: PNG specification (W3C), sections 5 and 11. */
function toPng(rows: readonly (readonly boolean[])[]): Uint8Array {
  const side = rows.length * scale;
  const lines = rows.map((row) => {
    const line = Buffer.alloc(1 + Math.ceil(side / 8));
    for (let x = 0; x < side; x++) {
      const isDark = row[Math.floor(x / scale)] ?? false;
      const at = 1 + (x >> 3);
      if (!isDark) line[at] = (line[at] ?? 0) | (0x80 >> (x & 7));
    }
    return line;
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  const pixels = Buffer.concat(lines.flatMap((line) => Array<Buffer>(scale).fill(line)));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
