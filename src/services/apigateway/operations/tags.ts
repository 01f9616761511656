import type * as sdk from "@aws-sdk/client-api-gateway";
import { parseArn } from "../../../aws/arn.ts";
import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { badRequest } from "../errors.ts";
import { readApi, readChild, writeApi, writeChild } from "../model.ts";
import { checkTags, refuseMembers } from "../rules.ts";
import { readApiKey, readUsagePlan, writeApiKey, writeUsagePlan } from "../usage-model.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

type Tags = Readonly<Record<string, string>>;

export function tagOperations(needs: ApiGatewayNeeds) {
  return {
    TagResource: {
      authorize: (input, call) => may("PUT", call, `/tags/${input.resourceArn}`),
      run: async (input, call) => {
        await change(needs, call, input.resourceArn, (tags) => checkTags({ ...tags, ...input.tags }));
        return {};
      },
    },
    UntagResource: {
      authorize: (input, call) => may("DELETE", call, `/tags/${input.resourceArn}`),
      run: async (input, call) => {
        const gone = new Set(input.tagKeys);
        await change(needs, call, input.resourceArn, (tags) =>
          Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))),
        );
        return {};
      },
    },
    GetTags: {
      authorize: (input, call) => may("GET", call, `/tags/${input.resourceArn}`),
      run: (input, call) => {
        // AWS: paging of tags is documented as not supported.
        refuseMembers("GetTags", input, ["position"]);
        const domainName = domainNameOf(call, input.resourceArn);
        if (domainName !== undefined) {
          return needs.domains.get(call, domainName).then(({ tags }) => ({ tags: { ...tags } }));
        }
        return needs.store.read(async (reader) => ({
          tags: { ...(await readTagged(needs, reader, call, input.resourceArn)).tags },
        }));
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

interface Tagged {
  readonly tags: Tags;
  write(tx: Transaction, tags: Tags): void;
}

async function change(
  needs: ApiGatewayNeeds,
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
    const tagged = await readTagged(needs, tx, call, arn);
    tagged.write(tx, next(tagged.tags));
  });
}

/** `arn:aws:apigateway:region::/domainnames/{name}`: domain names are kept elsewhere. */
function domainNameOf(call: Call, text: string | undefined): string | undefined {
  const arn = parseArn(text ?? "");
  if (arn?.service !== "apigateway" || arn.region !== call.region) return undefined;
  return /^\/domainnames\/([^/]+)$/.exec(arn.resource)?.[1];
}

/** `arn:aws:apigateway:region::/apikeys/{id}`, `/usageplans/{id}`, `/restapis/{id}` or `…/restapis/{id}/stages/{name}`. */
async function readTagged(
  needs: ApiGatewayNeeds,
  reader: Reader,
  call: Call,
  text: string | undefined,
): Promise<Tagged> {
  const arn = parseArn(text ?? "");
  const [, collection, apiId, child, name] = (arn?.resource ?? "").split("/");
  if (arn?.service === "apigateway" && arn.region === call.region && apiId && child === undefined) {
    if (collection === "apikeys") {
      const key = await readApiKey(reader, call, apiId);
      return { tags: key.tags, write: (tx, tags) => writeApiKey(tx, needs.usage, call, { ...key, tags }) };
    }
    if (collection === "usageplans") {
      const plan = await readUsagePlan(reader, call, apiId);
      return { tags: plan.tags, write: (tx, tags) => writeUsagePlan(tx, needs.usage, call, { ...plan, tags }) };
    }
  }
  if (arn?.service !== "apigateway" || arn.region !== call.region || collection !== "restapis" || !apiId) {
    throw badRequest(`Invalid resource ARN specified: ${text}`);
  }
  if (child === undefined) {
    const api = await readApi(reader, call, apiId);
    return { tags: api.tags, write: (tx, tags) => writeApi(tx, call, { ...api, tags }) };
  }
  if (child !== "stages" || !name) throw badRequest(`Invalid resource ARN specified: ${text}`);
  const stage = await readChild(reader, call, apiId, "stage", name);
  return { tags: stage.tags, write: (tx, tags) => writeChild(tx, call, apiId, "stage", name, { ...stage, tags }) };
}
