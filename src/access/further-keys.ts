/** Values of condition keys, by name in any case. */
export type ConditionKeys = Readonly<Record<string, readonly string[]>>;

/** A resource that a question is about, and what is known of the request so far. */
export interface AskedResource {
  readonly arn: string;
  /** Of the resource: the ARNs of some services have neither. */
  readonly account: string;
  readonly region: string;
  /** By lower-case name. */
  readonly context: ReadonlyMap<string, readonly string[]>;
}

/** What a service knows of its resources that policies may look at: their tags, and keys of its own. */
export interface ResourceFacts {
  /** As in ARNs: `lambda`. */
  readonly service: string;
  /** Of a resource that does not exist nothing is known. */
  read(resource: AskedResource): Promise<ConditionKeys>;
}

/**
 * Keys that say something of the resource: services are asked for them only where a policy looks at one. Source: Service
 * Authorization Reference. Lower case.
 */
export function isResourceKey(key: string): boolean {
  return /^(?:[a-z0-9-]+:(?:resourcetag|existingobjecttag|resource)\/|iam:permissionsboundary$|s3:resourceaccount$)/.test(
    key,
  );
}

/** Keys that say something of the request: neither of its resource nor known of every request. Lower case. */
export function isRequestKey(key: string): boolean {
  return (!key.startsWith("aws:") || /^aws:(?:requesttag\/|tagkeys$)/.test(key)) && !isResourceKey(key);
}

/** `PREFIX` and a name, of each value that a request has. */
export function requestKeys(
  prefix: string,
  given: Readonly<Record<string, string | boolean | readonly string[] | undefined>>,
): ConditionKeys {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => {
      const values = value === undefined ? [] : [value].flat().map(String);
      return values.length === 0 ? [] : [[`${prefix}${name}`, values]];
    }),
  );
}

/** `aws:ResourceTag/KEY` of tags, and the same under a service's own prefix. */
export function resourceTagKeys(tags: Readonly<Record<string, string>>, ...prefixes: readonly string[]): ConditionKeys {
  return Object.fromEntries(
    ["aws", ...prefixes].flatMap((prefix) =>
      Object.entries(tags).map(([key, value]) => [`${prefix}:ResourceTag/${key}`, [value]]),
    ),
  );
}
