import { STATUS_CODES } from "node:http";
import type { AwsError } from "../../../aws/error.ts";
import { toHostId } from "../../../wire/protocols/rest-xml.ts";
import { escapeText } from "../../../wire/protocols/xml.ts";

/** Facts of an error as a page lists them. */
type Facts = Pick<AwsError, "code" | "message" | "members">;

/** S3's page for what went wrong: website endpoints answer HTML. */
export function errorPage(status: number, error: Facts, requestId: string, ofErrorDocument: Facts | undefined): string {
  const title = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  const ids = [item("RequestId", requestId), item("HostId", toHostId(requestId))];
  const custom = ofErrorDocument
    ? `<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n${list(ofErrorDocument).join("")}</ul>\n`
    : "";
  return `<html>\n<head><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n<ul>\n${[...list(error), ...ids].join("")}</ul>\n${custom}<hr/>\n</body>\n</html>\n`;
}

function list({ code, message, members }: Facts): string[] {
  const more = Object.entries(members)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => item(name, String(value)));
  return [item("Code", code), item("Message", message), ...more];
}

function item(name: string, value: string): string {
  return `<li>${name}: ${escapeText(value)}</li>\n`;
}
