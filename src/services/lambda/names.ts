import { invalidParameter, notFound } from "./errors.ts";
import type { Place } from "./model.ts";

/** Which function, and which of its versions: what a `FunctionName` in any of its forms, with a `Qualifier`, says. */
export interface FunctionReference extends Place {
  readonly name: string;
  readonly qualifier?: string;
}

const form =
  /^(?:arn:aws[a-zA-Z-]*:lambda:(?<region>[a-z0-9-]+):(?<account>\d{12}):function:|(?<partial>\d{12}):(?:function:)?|function:)?(?<name>[a-zA-Z0-9-_]+)(?::(?<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$/;

/** Reads `name`, `name:qualifier`, `123456789012:function:name` or a whole ARN. */
export function parseFunctionName(text: string | undefined, place: Place, qualifier?: string): FunctionReference {
  const groups = form.exec(text ?? "")?.groups;
  const name = groups?.["name"];
  if (!groups || name === undefined) throw invalidParameter(`Invalid function name: ${text}`);
  const region = groups["region"] ?? place.region;
  if (region !== place.region) {
    throw notFound(`Functions from '${region}' are not reachable in this region ('${place.region}')`);
  }
  const named = groups["qualifier"];
  if (named !== undefined && qualifier !== undefined && named !== qualifier) {
    throw invalidParameter("The derived qualifier from the function name does not match the specified qualifier.");
  }
  const chosen = qualifier ?? named;
  return {
    account: groups["account"] ?? groups["partial"] ?? place.account,
    region,
    name,
    ...(chosen !== undefined && { qualifier: chosen }),
  };
}

/** A name that may not carry a qualifier, as CreateFunction's. */
export function parseUnqualifiedName(text: string | undefined, place: Place): FunctionReference {
  const reference = parseFunctionName(text, place);
  if (reference.qualifier !== undefined) {
    throw invalidParameter("The function name must not contain a version or an alias here.");
  }
  return reference;
}

/** A layer's name or ARN. */
export function parseLayerName(text: string | undefined, place: Place): Place & { readonly name: string } {
  const match = /^(?:arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:)?([a-zA-Z0-9-_]+)$/.exec(text ?? "");
  const name = match?.[3];
  if (!match || name === undefined) throw invalidParameter(`Invalid layer name: ${text}`);
  return { region: match[1] ?? place.region, account: match[2] ?? place.account, name };
}

export function parseLayerVersionArn(
  arn: string,
): (Place & { readonly name: string; readonly version: number }) | undefined {
  const match = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):layer:([a-zA-Z0-9-_]+):(\d+)$/.exec(arn);
  const [, region, account, name, version] = match ?? [];
  if (!region || !account || !name || !version) return undefined;
  return { region, account, name, version: Number(version) };
}

/** A published version's number, `1` and up. */
export function isVersionNumber(qualifier: string): boolean {
  return /^[0-9]+$/.test(qualifier);
}

export function toMarker(name: string): string {
  return Buffer.from(name).toString("base64url");
}

export function parseMarker(marker: string | undefined): string | undefined {
  if (marker === undefined || marker === "") return undefined;
  const name = Buffer.from(marker, "base64url").toString();
  if (toMarker(name) !== marker) throw invalidParameter("The marker is invalid.");
  return name;
}
