import type * as sdk from "@aws-sdk/client-apigatewayv2";
import { parseArn } from "../../../aws/arn.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest, childNotFound } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { findChild, readApi, writeApi, writeChild } from "../model.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

type Tags = Readonly<Record<string, string>>;

export function tagOperations(needs: ApiGatewayV2Needs) {
  return {
    TagResource: {
      authorize: (input, call) => may("POST", call, `/tags/${input.ResourceArn}`),
      run: async (input, call) => {
        await change(needs, call, input.ResourceArn, (tags) => checkTags({ ...tags, ...input.Tags }));
        return {};
      },
    },
    UntagResource: {
      authorize: (input, call) => may("DELETE", call, `/tags/${input.ResourceArn}`),
      run: async (input, call) => {
        const gone = new Set(input.TagKeys);
        await change(needs, call, input.ResourceArn, (tags) =>
          Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))),
        );
        return {};
      },
    },
    GetTags: {
      authorize: (input, call) => may("GET", call, `/tags/${input.ResourceArn}`),
      run: async (input, call) => {
        const domainName = domainNameOf(call, input.ResourceArn);
        if (domainName !== undefined) return { Tags: { ...(await needs.domains.get(call, domainName)).tags } };
        return needs.store.read(async (reader) => ({
          Tags: { ...(await readTagged(reader, call, input.ResourceArn)).tags },
        }));
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/** Throws BadRequestException for keys and values that AWS does not take. */
export function checkTags(tags: Tags): Tags {
  const entries = Object.entries(tags);
  if (entries.length > limits.tagsMax) throw badRequest(`Tags can have at most ${limits.tagsMax} entries`);
  for (const [key, value] of entries) {
    if (key.length < 1 || key.length > 128) throw badRequest("Tag keys must be between 1 and 128 characters long");
    if (value.length > 256) throw badRequest("Tag values must be at most 256 characters long");
  }
  return tags;
}

interface Tagged {
  readonly tags: Tags;
  write(tx: Transaction, tags: Tags): void;
}

async function change(
  needs: ApiGatewayV2Needs,
  call: Call,
  arn: string | undefined,
  next: (tags: Tags) => Tags,
): Promise<void> {
  const domainName = domainNameOf(call, arn);
  if (domainName !== undefined) {
    await needs.domains.change(call, domainName, (domain) => ({ ...domain, tags: next(domain.tags) }));
    return;
  }
  await needs.store.transact(async (tx) => {
    const tagged = await readTagged(tx, call, arn);
    tagged.write(tx, next(tagged.tags));
  });
}

/** `arn:aws:apigateway:region::/domainnames/{name}`: domain names are kept elsewhere. */
function domainNameOf(call: Call, text: string | undefined): string | undefined {
  const arn = parseArn(text ?? "");
  if (arn?.service !== "apigateway" || arn.region !== call.region) return undefined;
  return /^\/domainnames\/([^/]+)$/.exec(arn.resource)?.[1];
}

/** `arn:aws:apigateway:region::/apis/{id}` or `…/apis/{id}/stages/{name}`. */
async function readTagged(reader: Reader, call: Call, text: string | undefined): Promise<Tagged> {
  const arn = parseArn(text ?? "");
  const [, collection, apiId, child, name] = (arn?.resource ?? "").split("/");
  if (arn?.service !== "apigateway" || arn.region !== call.region || collection !== "apis" || !apiId) {
    throw badRequest(`Invalid resource ARN specified: ${text}`);
  }
  const api = await readApi(reader, call, apiId);
  if (child === undefined) return { tags: api.tags, write: (tx, tags) => writeApi(tx, call, { ...api, tags }) };
  if (child !== "stages" || !name) throw badRequest(`Invalid resource ARN specified: ${text}`);
  const stage = await findChild(reader, call, apiId, "stage", name);
  if (stage === undefined) throw childNotFound("stage");
  return { tags: stage.tags, write: (tx, tags) => writeChild(tx, call, apiId, "stage", name, { ...stage, tags }) };
}
