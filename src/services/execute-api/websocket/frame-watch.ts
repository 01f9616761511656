/**
 * Watches the bytes that a client sends for frames that are too large: it reads the headers of frames and skips their
 * content, which somebody else parses.
 *
 * Source: RFC 6455, section 5.2.
 */
export interface FrameWatch {
  /** @returns false once a frame announces more than it may hold */
  take(bytes: Uint8Array): boolean;
}

export function watchFrames(frameBytesMax: number): FrameWatch {
  /** Bytes of content, and of its mask, that are still to come. */
  let skip = 0;
  /** Bytes of the header that have come. */
  let have = 0;
  let lengthBytes = 0;
  let length = 0;
  let masked = false;
  let tooLarge = false;

  const headerEnds = () => {
    tooLarge = length > frameBytesMax;
    skip = length + (masked ? 4 : 0);
    have = 0;
  };

  return {
    take(bytes) {
      if (tooLarge) return false;
      let at = 0;
      while (at < bytes.length) {
        if (skip > 0) {
          const step = Math.min(skip, bytes.length - at);
          skip -= step;
          at += step;
          continue;
        }
        const byte = bytes[at] ?? 0;
        at += 1;
        have += 1;
        if (have === 1) continue;
        if (have === 2) {
          masked = (byte & 0x80) !== 0;
          const short = byte & 0x7f;
          lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
          length = lengthBytes === 0 ? short : 0;
        } else {
          // Lengths beyond 2^53 lose their last digits here, and are too large whatever these are.
          length = length * 256 + byte;
        }
        if (have === 2 + lengthBytes) headerEnds();
        if (tooLarge) return false;
      }
      return true;
    },
  };
}
