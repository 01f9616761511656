import { hexValues, tokenCharacters, valueCharacters } from "./characters.ts";
import { http1Limits } from "./limits.ts";

/** Takes the pieces of a body that comes in chunks out of what comes. */
export interface ChunkedBody {
  /**
   * @param take is given what of the body is in these bytes
   * @returns where the bytes behind the body begin; undefined where it goes on, false for what is no such body
   */
  read(bytes: Buffer, from: number, take: (piece: Buffer) => void): number | undefined | false;
}

/**
 * RFC 9112, 7.1, strictly: lines end in CR LF, sizes are hexadecimal digits and nothing else, extensions and trailers have limits.
 * Trailers must be headers; nobody asks for them, so they are dropped.
 *
 * @param trailerBytesMax all trailers together
 */
export function createChunkedBody(trailerBytesMax: number): ChunkedBody {
  let state: State = "size";
  /** Of the chunk, or of what is left of it. */
  let size = 0;
  let digits = 0;
  let extensionBytes = 0;
  let trailerBytes = 0;

  const endsExtension = (code: number): boolean => {
    if (code !== carriageReturn && code !== semicolon) return false;
    state = code === semicolon ? "extension" : "size's LF";
    return true;
  };

  return {
    read: (bytes, from, take) => {
      let at = from;
      while (at < bytes.length) {
        if (state === "data") {
          const end = Math.min(bytes.length, at + size);
          take(bytes.subarray(at, end));
          size -= end - at;
          at = end;
          if (size === 0) state = "data's CR";
          continue;
        }
        const code = bytes[at] ?? 0;
        at += 1;
        switch (state) {
          case "size": {
            const value = hexValues[code] ?? 255;
            if (value !== 255) {
              digits += 1;
              size = size * 16 + value;
              if (digits > digitsMax) return false;
            } else if (digits === 0) return false;
            else if (code === carriageReturn) state = "size's LF";
            else if (code === semicolon) state = "extension";
            else return false;
            break;
          }
          case "extension":
            if (tokenCharacters[code] !== 1) return false;
            state = "extension's name";
            break;
          case "extension's name":
            if (code === equals) state = "extension's value";
            else if (tokenCharacters[code] !== 1 && !endsExtension(code)) return false;
            break;
          case "extension's value":
            if (code === quote) state = "quoted value";
            else if (tokenCharacters[code] === 1) state = "plain value";
            else return false;
            break;
          case "plain value":
            if (tokenCharacters[code] !== 1 && !endsExtension(code)) return false;
            break;
          case "quoted value":
            if (code === quote) state = "value's end";
            else if (code === backslash) state = "escaped";
            else if (valueCharacters[code] !== 1) return false;
            break;
          case "escaped":
            if (valueCharacters[code] !== 1) return false;
            state = "quoted value";
            break;
          case "value's end":
            if (!endsExtension(code)) return false;
            break;
          case "size's LF":
            if (code !== lineFeed) return false;
            digits = 0;
            state = size === 0 ? "line of trailers" : "data";
            break;
          case "data's CR":
            if (code !== carriageReturn) return false;
            state = "data's LF";
            break;
          case "data's LF":
            if (code !== lineFeed) return false;
            state = "size";
            break;
          case "line of trailers":
            if (code === carriageReturn) state = "last LF";
            else if (tokenCharacters[code] === 1) state = "trailer's name";
            else return false;
            break;
          case "trailer's name":
            if (code === colon) state = "trailer's value";
            else if (tokenCharacters[code] !== 1) return false;
            break;
          case "trailer's value":
            if (code === carriageReturn) state = "trailer's LF";
            else if (valueCharacters[code] !== 1) return false;
            break;
          case "trailer's LF":
            if (code !== lineFeed) return false;
            state = "line of trailers";
            break;
          case "last LF":
            return code === lineFeed ? at : false;
          default:
            return state satisfies never;
        }
        if (inExtensions.has(state)) {
          extensionBytes += 1;
          if (extensionBytes > http1Limits.chunkExtensionsBytesMax) return false;
        } else if (inTrailers.has(state)) {
          trailerBytes += 1;
          if (trailerBytes > trailerBytesMax) return false;
        }
      }
      return undefined;
    },
  };
}

type State =
  | "size"
  | "extension"
  | "extension's name"
  | "extension's value"
  | "plain value"
  | "quoted value"
  | "escaped"
  | "value's end"
  | "size's LF"
  | "data"
  | "data's CR"
  | "data's LF"
  | "line of trailers"
  | "trailer's name"
  | "trailer's value"
  | "trailer's LF"
  | "last LF";

const inExtensions: ReadonlySet<State> = new Set<State>([
  "extension",
  "extension's name",
  "extension's value",
  "plain value",
  "quoted value",
  "escaped",
  "value's end",
]);
const inTrailers: ReadonlySet<State> = new Set<State>(["trailer's name", "trailer's value", "trailer's LF"]);

/** At most what counts exactly: 2⁵². */
const digitsMax = 13;
const carriageReturn = 13;
const lineFeed = 10;
const semicolon = 59;
const equals = 61;
const quote = 34;
const backslash = 92;
const colon = 58;
