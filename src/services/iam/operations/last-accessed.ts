import { parsePolicyDocument } from "../../../access/policy/document.ts";
import { parseArn } from "../../../aws/arn.ts";
import { notImplemented } from "../../../aws/error.ts";
import type { Key, Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { invalidInput, noSuchEntity } from "../errors.ts";
import { readLastUses } from "../last-uses.ts";
import { iamLimits } from "../limits.ts";
import { memberPrefix, readAll, readEntity, usePrefix, type Entity, type PolicyUser } from "../model.ts";
import { defaultDocument, findPolicy, policySourcesOf, type PolicySource } from "../policy-sources.ts";
import { present, toPage } from "../rules.ts";
import { serviceNames } from "../service-names.ts";
import { onResource, type IamOperations, type OperationNeeds } from "./needs.ts";

interface Use {
  readonly arn: string;
  readonly name: string;
  readonly kind: "user" | "role";
  readonly id: string;
  readonly path: string;
  readonly at: number;
  readonly region: string;
}

/** What a job has found. Stored for a week. */
interface Job {
  readonly v: 1;
  readonly createdAt: number;
  /** By namespace; the latest use first. */
  readonly services: Readonly<Record<string, readonly Use[]>>;
}

/** Which services users and roles have called, of those they may call. */
export function lastAccessedOperations({ store, ids }: OperationNeeds) {
  const readJob = async (call: Call, id: string | undefined) => {
    const job = await store.read((reader) => reader.get<Job>(jobKey(call.account, present(id))));
    if (!job) throw noSuchEntity(`Job ${id} cannot be found.`);
    return job;
  };
  return {
    GenerateServiceLastAccessedDetails: {
      authorize: (input, call) => {
        if (input.Granularity === "ACTION_LEVEL") throw notImplemented("The granularity ACTION_LEVEL");
        return onResource(call, present(input.Arn));
      },
      async run(input, call) {
        const services = await store.read((reader) => findUses(reader, call, present(input.Arn)));
        const JobId = ids.uuid();
        await store.transact(async (tx) => {
          // What is older than a week goes when something new comes.
          const known = await tx.range<Job>({ prefix: jobPrefix(call.account) }, { limit: iamLimits.scanEntries });
          for (const { key, value } of known) if (call.now - value.createdAt > iamLimits.jobKeptMs) tx.delete(key);
          tx.set(jobKey(call.account, JobId), { v: 1, createdAt: call.now, services } satisfies Job);
        });
        return { JobId };
      },
    },
    GetServiceLastAccessedDetails: {
      authorize: (_input, call) => onResource(call, "*"),
      async run(input, call) {
        const job = await readJob(call, input.JobId);
        const { items, rest } = toPage(Object.entries(job.services), ([namespace]) => namespace, input);
        return {
          JobStatus: "COMPLETED" as const,
          JobType: "SERVICE_LEVEL" as const,
          JobCreationDate: new Date(job.createdAt),
          JobCompletionDate: new Date(job.createdAt),
          ServicesLastAccessed: items.map(([namespace, uses]) => toService(namespace, uses)),
          ...rest,
        };
      },
    },
    GetServiceLastAccessedDetailsWithEntities: {
      authorize: (_input, call) => onResource(call, "*"),
      async run(input, call) {
        const job = await readJob(call, input.JobId);
        const uses = job.services[present(input.ServiceNamespace)] ?? [];
        const { items, rest } = toPage(uses, ({ arn }) => arn, input);
        return {
          JobStatus: "COMPLETED" as const,
          JobCreationDate: new Date(job.createdAt),
          JobCompletionDate: new Date(job.createdAt),
          EntityDetailsList: items.map(({ arn, name, kind, id, path, at }) => ({
            EntityInfo: {
              Arn: arn,
              Name: name,
              Type: kind === "user" ? ("USER" as const) : ("ROLE" as const),
              Id: id,
              Path: path,
            },
            LastAuthenticated: new Date(at),
          })),
          ...rest,
        };
      },
    },
    ListPoliciesGrantingServiceAccess: {
      authorize: (input, call) => onResource(call, present(input.Arn)),
      run: (input, call) =>
        store.read(async (reader) => {
          const entity = await findEntity(reader, call, present(input.Arn));
          const sources = await policySourcesOf(reader, call.account, entity);
          const { items, rest } = toPage(input.ServiceNamespaces ?? [], (namespace) => namespace, input);
          return {
            PoliciesGrantingServiceAccess: items.map((ServiceNamespace) => ({
              ServiceNamespace,
              Policies: sources.filter(({ document }) => grants(document, ServiceNamespace)).map(toGranting),
            })),
            ...rest,
          };
        }),
    },
  } satisfies IamOperations;
}

function jobPrefix(account: string): Key {
  return ["iamJob", account];
}

function jobKey(account: string, id: string): Key {
  return [...jobPrefix(account), id];
}

function toService(namespace: string, uses: readonly Use[]) {
  const [latest] = uses;
  const about = {
    ServiceName: serviceNames[namespace] ?? namespace,
    ServiceNamespace: namespace,
    TotalAuthenticatedEntities: uses.length,
  };
  if (!latest) return about;
  return {
    ...about,
    LastAuthenticated: new Date(latest.at),
    LastAuthenticatedEntity: latest.arn,
    LastAuthenticatedRegion: latest.region,
  };
}

async function findEntity(reader: Reader, call: Call, arn: string): Promise<Entity> {
  const parsed = parseArn(arn);
  const [, kind] = /^(user|role|group)\//.exec(parsed?.resource ?? "") ?? [];
  if (parsed?.account !== call.account || (kind !== "user" && kind !== "role" && kind !== "group")) {
    throw invalidInput(`Invalid ARN: ${arn}`);
  }
  const entity = await readEntity(reader, call.account, kind, arn.slice(arn.lastIndexOf("/") + 1));
  if (entity?.arn !== arn) throw noSuchEntity(`The ${kind} with ARN ${arn} cannot be found.`);
  return entity;
}

/** Of a user or role its own uses; of a group its users'; of a policy those of all who have it. */
async function findUses(reader: Reader, call: Call, arn: string): Promise<Record<string, readonly Use[]>> {
  const { account } = call;
  const entities: Entity[] = [];
  let documents: readonly string[];
  if (parseArn(arn)?.resource.startsWith("policy/")) {
    const policy = await findPolicy(reader, account, arn);
    if (!policy) throw noSuchEntity(`Policy ${arn} was not found.`);
    documents = [defaultDocument(policy) ?? "{}"];
    for (const user of await readAll<PolicyUser>(reader, usePrefix(account, arn, "PermissionsPolicy"))) {
      const entity = await readEntity(reader, account, user.kind, user.name);
      if (entity) entities.push(entity);
    }
  } else {
    const entity = await findEntity(reader, call, arn);
    documents = (await policySourcesOf(reader, account, entity)).map(({ document }) => document);
    entities.push(entity);
  }
  const found = new Map(
    Object.keys(serviceNames)
      .filter((namespace) => documents.some((document) => grants(document, namespace)))
      .map((namespace): [string, Use[]] => [namespace, []]),
  );
  const seen = new Set<string>();
  for (const entity of await withMembers(reader, account, entities)) {
    if (entity.kind === "group" || seen.has(entity.id)) continue;
    seen.add(entity.id);
    const { arn: entityArn, name, kind, id, path } = entity;
    for (const { namespace, at, region } of await readLastUses(reader, account, id)) {
      found.get(namespace)?.push({ arn: entityArn, name, kind, id, path, at, region });
    }
  }
  return Object.fromEntries([...found].map(([namespace, uses]) => [namespace, uses.toSorted((a, b) => b.at - a.at)]));
}

async function withMembers(reader: Reader, account: string, entities: readonly Entity[]): Promise<readonly Entity[]> {
  const all: Entity[] = [...entities];
  for (const { kind, name } of entities) {
    if (kind !== "group") continue;
    for (const userName of await readAll<string>(reader, memberPrefix(account, name))) {
      const user = await readEntity(reader, account, "user", userName);
      if (user) all.push(user);
    }
  }
  return all;
}

/** Whether a statement of the policy allows any action of a service. */
function grants(document: string, namespace: string): boolean {
  return parsePolicyDocument(document, "identity").statements.some(({ effect, actions }) => {
    if (effect !== "Allow") return false;
    if (actions.not) return !actions.patterns.some((pattern) => pattern === "*" || pattern === `${namespace}:*`);
    return actions.patterns.some((pattern) => {
      const prefix = pattern.split(":", 1)[0]?.toLowerCase() ?? "";
      return prefix === "*" || prefix === namespace;
    });
  });
}

function toGranting({ policyName, policyArn, holder }: PolicySource) {
  if (policyArn !== undefined) return { PolicyName: policyName, PolicyType: "MANAGED" as const, PolicyArn: policyArn };
  return {
    PolicyName: policyName,
    PolicyType: "INLINE" as const,
    EntityType: ({ user: "USER", role: "ROLE", group: "GROUP" } as const)[holder.kind],
    EntityName: holder.name,
  };
}
