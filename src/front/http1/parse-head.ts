import { METHODS } from "node:http";
import { targetCharacters, tokenCharacters, valueCharacters } from "./characters.ts";
import type { HeaderName, HeaderNames } from "./header-names.ts";
import { http1Limits } from "./limits.ts";

/** The head of a request. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** Of HTTP/1. */
  readonly minor: 0 | 1;
  /** Names and values in turn, as sent. */
  readonly raw: string[];
  /** What is known of each name. */
  readonly names: readonly HeaderName[];
  /** What the body is: so many bytes, or in chunks. */
  readonly body: number | "chunked";
  readonly keepAlive: boolean;
  /** What `Expect` asks, in lower case; empty for nothing. */
  readonly expect: string;
  /** The client offers to go on with what `Upgrade` names. */
  readonly upgrade: boolean;
}

/** The status that a request is refused with; its connection ends. */
export type HeadRefusal = 400 | 431;

const badRequest = 400;

/**
 * Parses a request's head: its request line and headers, and the empty line behind. It is strict: what RFC 9112 lets a server
 * refuse is refused, since whoever stands before this server may have read it in another way.
 *
 * @param text Latin 1; it begins with the request line
 * @returns undefined for a head that is as it should be so far, but not whole
 */
export function parseHead(text: string, known: HeaderNames): RequestHead | HeadRefusal | undefined {
  const { length } = text;

  let at = 0;
  while (tokenCharacters[text.charCodeAt(at)] === 1) at += 1;
  if (at >= length) return length > methodCharactersMax ? badRequest : undefined;
  const method = text.slice(0, at);
  if (text.charCodeAt(at) !== space || !methods.has(method)) return badRequest;

  const targetAt = at + 1;
  at = targetAt;
  while (targetCharacters[text.charCodeAt(at)] === 1) at += 1;
  if (at >= length) return undefined;
  const target = text.slice(targetAt, at);
  if (text.charCodeAt(at) !== space || !isTarget(target)) return badRequest;

  const versionAt = at + 1;
  at = versionAt + version.length + 1;
  // The line's end is looked at before more is waited for: what speaks another version hears of it at once.
  if (!text.startsWith(version, versionAt)) {
    return version.startsWith(text.slice(versionAt, at)) ? undefined : badRequest;
  }
  if (at > length) return undefined;
  const minor = text.charCodeAt(at - 1) - zero;
  if (minor !== 0 && minor !== 1) return badRequest;
  const ends = endsLine(text, at);
  if (ends !== true) return ends;
  at += 2;

  const raw: string[] = [];
  const names: HeaderName[] = [];
  let hosts = 0;
  let body: number | "chunked" | undefined;
  let closes = false;
  let keeps = false;
  let upgrades = false;
  let offer = false;
  let expect = "";
  for (;;) {
    const nameAt = at;
    while (tokenCharacters[text.charCodeAt(at)] === 1) at += 1;
    if (at >= length) return undefined;
    if (at === nameAt) {
      const emptyLine = endsLine(text, at);
      if (emptyLine !== true) return emptyLine;
      break;
    }
    // Neither a space before the colon, nor a line that goes on with the one before.
    if (text.charCodeAt(at) !== colon) return badRequest;
    const name = known.of(text.slice(nameAt, at));

    at += 1;
    while (isBlank(text.charCodeAt(at))) at += 1;
    const valueAt = at;
    while (valueCharacters[text.charCodeAt(at)] === 1) at += 1;
    const lineEnds = endsLine(text, at);
    if (lineEnds !== true) return lineEnds;
    let valueEnd = at;
    while (valueEnd > valueAt && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
    const value = text.slice(valueAt, valueEnd);
    at += 2;

    if (names.length >= http1Limits.headersMax) return 431;
    names.push(name);
    raw.push(name.raw, value);
    switch (name.part) {
      case "passed on":
        break;
      case "host":
        hosts += 1;
        break;
      case "contentLength":
        if (body !== undefined || hasTab(text, nameAt, at) || !contentLength.test(value)) return badRequest;
        body = Number(value);
        break;
      case "transferEncoding":
        // No other coding is known, and none has a meaning in HTTP/1.0 that both ends share.
        if (body !== undefined || minor === 0 || value.toLowerCase() !== "chunked" || hasTab(text, nameAt, at))
          return badRequest;
        body = "chunked";
        break;
      case "connection": {
        const options = value.toLowerCase();
        closes ||= hasOption(options, "close");
        keeps ||= hasOption(options, "keep-alive");
        upgrades ||= hasOption(options, "upgrade");
        break;
      }
      case "expect":
        expect = expect === "" ? value.toLowerCase() : `${expect}, ${value.toLowerCase()}`;
        break;
      case "upgrade":
        offer = true;
        break;
      default:
        name.part satisfies never;
    }
  }
  if (hosts > 1 || (hosts === 0 && minor === 1)) return badRequest;
  return {
    method,
    target,
    minor,
    raw,
    names,
    body: body ?? 0,
    keepAlive: minor === 1 ? !closes : keeps && !closes,
    expect: minor === 1 ? expect : "",
    upgrade: upgrades && offer,
  };
}

const space = 32;
const tab = 9;
const colon = 58;
const zero = 48;
const carriageReturn = 13;
const lineFeed = 10;
const version = "HTTP/1.";

const methods: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== "CONNECT"));
const methodCharactersMax = Math.max(...METHODS.map((method) => method.length));

/** At most what counts exactly. */
const contentLength = /^\d{1,15}$/;

/** A path, `*`, or all of an address as proxies are asked. Source: RFC 9112, 3.2; without that of CONNECT. */
function isTarget(target: string): boolean {
  return target.startsWith("/") || target === "*" || /^https?:\/\/[^/]/i.test(target);
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

/** Whether a line ends here: a refusal for what is no end, undefined where that cannot be told yet. */
function endsLine(text: string, at: number): true | HeadRefusal | undefined {
  if (at >= text.length) return undefined;
  if (text.charCodeAt(at) !== carriageReturn) return badRequest;
  if (at + 1 >= text.length) return undefined;
  return text.charCodeAt(at + 1) === lineFeed ? true : badRequest;
}

/** A tab around what says where the body ends is allowed, but not all who read it see it as a space. */
function hasTab(text: string, from: number, to: number): boolean {
  return text.slice(from, to).includes("\t");
}

function hasOption(options: string, option: string): boolean {
  if (options === option) return true;
  return options.includes(",") && options.split(",").some((each) => each.trim() === option);
}
