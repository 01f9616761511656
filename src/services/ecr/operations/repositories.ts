import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { invalidParameter, lifecyclePolicyNotFound, repositoryExists, repositoryNotEmpty } from "../errors.ts";
import { ecrLimits } from "../limits.ts";
import {
  keyOf,
  readRepository,
  repositoryArn,
  repositoryPrefix,
  writeRepository,
  type Mutability,
  type Place,
  type Repository,
} from "../model.ts";
import type { EcrNeeds, Sdk } from "../needs.ts";
import {
  existingRepository,
  namePattern,
  onRepository,
  placeOf,
  present,
  registryHost,
  registryOf,
  type Named,
} from "../repositories.ts";
import { parsePageToken, toPageToken } from "../rules.ts";
import { checkTags, toTags } from "../tags.ts";
import { forgetRepository } from "../worker.ts";

export function repositoryOperations({ store, jobs, ids }: EcrNeeds) {
  const on = (action: string) => async (input: Named, call: Call) => {
    const { place, name } = placeOf(input, call);
    return [await onRepository(store, action, place, name)];
  };
  return {
    CreateRepository: {
      authorize: async (input, call) => {
        const { place, name } = placeOf(input, call);
        return [
          await onRepository(store, "CreateRepository", place, name),
          ...(input.tags ? [await onRepository(store, "TagResource", place, name)] : []),
        ];
      },
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        checkName(name);
        const { encryptionConfiguration: encryption } = input;
        if (encryption && encryption.encryptionType !== "AES256") {
          throw notImplemented(
            `The parameter encryptionConfiguration.encryptionType=${encryption.encryptionType} of CreateRepository`,
          );
        }
        if (encryption?.kmsKey !== undefined)
          throw invalidParameter("Invalid parameter at 'kmsKey': it cannot be given with AES256");
        if (input.imageScanningConfiguration?.scanOnPush) {
          throw notImplemented("The parameter imageScanningConfiguration.scanOnPush of CreateRepository");
        }
        const mutability = input.imageTagMutability ?? "MUTABLE";
        const tags = toTags(input.tags);
        checkTags(tags);
        const repository: Repository = {
          v: 1,
          id: ids.uuid(),
          name,
          createdAt: call.now,
          mutability,
          exclusions: checkFilters(mutability, input.imageTagMutabilityExclusionFilters),
          tags,
        };
        await store.transact(async (tx) => {
          if (await readRepository(tx, place, name)) throw repositoryExists(place, name);
          writeRepository(tx, place, repository);
        });
        return { repository: describe(place, repository, call.endpoint) };
      },
    },

    DescribeRepositories: {
      authorize: async (input, call) => {
        const place = registryOf(call, input.registryId);
        const names = input.repositoryNames ?? [];
        if (names.length === 0) {
          return [
            { action: "ecr:DescribeRepositories", resource: repositoryArn(place, "*"), resourceAccount: place.account },
          ];
        }
        return Promise.all(names.map((name) => onRepository(store, "DescribeRepositories", place, name)));
      },
      async run(input, call) {
        const place = registryOf(call, input.registryId);
        const { repositoryNames: names } = input;
        if (names) {
          if (input.maxResults !== undefined || input.nextToken !== undefined) {
            throw invalidParameter("Invalid parameter: maxResults and nextToken cannot be used with repositoryNames");
          }
          const found = await store.read((reader) =>
            Promise.all(names.map((name) => existingRepository(reader, place, name))),
          );
          return { repositories: found.map((each) => describe(place, each, call.endpoint)) };
        }
        const limit = input.maxResults ?? ecrLimits.pageDefault;
        const after = parseToken(input.nextToken);
        const prefix = repositoryPrefix(place);
        const entries = await store.read((reader) =>
          reader.range<Repository>(
            { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
            { limit: limit + 1 },
          ),
        );
        const page = entries.slice(0, limit).map(({ value }) => value);
        const last = page.at(-1);
        return {
          repositories: page.map((each) => describe(place, each, call.endpoint)),
          ...(entries.length > limit && last && { nextToken: toPageToken(last.name) }),
        };
      },
    },

    DeleteRepository: {
      authorize: on("DeleteRepository"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const repository = await store.transact(async (tx) => {
          const gone = await existingRepository(tx, place, name);
          const images = await tx.range({ prefix: keyOf("image", gone.id) }, { limit: 1 });
          if (images.length > 0 && !input.force) throw repositoryNotEmpty(place, name);
          tx.delete([...repositoryPrefix(place), name]);
          forgetRepository(tx, jobs, gone, call.now);
          return gone;
        });
        return { repository: describe(place, repository, call.endpoint) };
      },
    },

    PutImageTagMutability: {
      authorize: on("PutImageTagMutability"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const mutability = present(input.imageTagMutability, "imageTagMutability");
        const exclusions = checkFilters(mutability, input.imageTagMutabilityExclusionFilters);
        await store.transact(async (tx) =>
          writeRepository(tx, place, { ...(await existingRepository(tx, place, name)), mutability, exclusions }),
        );
        return {
          registryId: place.account,
          repositoryName: name,
          imageTagMutability: mutability,
          ...filtersOf(exclusions),
        };
      },
    },

    PutImageScanningConfiguration: {
      authorize: on("PutImageScanningConfiguration"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        if (input.imageScanningConfiguration?.scanOnPush) {
          throw notImplemented("The parameter imageScanningConfiguration.scanOnPush of PutImageScanningConfiguration");
        }
        await store.read((reader) => existingRepository(reader, place, name));
        return {
          registryId: place.account,
          repositoryName: name,
          imageScanningConfiguration: { scanOnPush: false },
        };
      },
    },

    GetLifecyclePolicy: {
      authorize: on("GetLifecyclePolicy"),
      // There can be none: PutLifecyclePolicy answers 501.
      async run(input, call): Promise<never> {
        const { place, name } = placeOf(input, call);
        await store.read((reader) => existingRepository(reader, place, name));
        throw lifecyclePolicyNotFound(place, name);
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function parseToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const name = parsePageToken(token);
  if (name === undefined)
    throw invalidParameter("Invalid parameter at 'nextToken' failed to satisfy constraint: 'must be a valid token'");
  return name;
}

function checkName(name: string): void {
  if (name.length < 2 || name.length > 256 || !namePattern.test(name)) {
    throw invalidParameter(
      "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''",
    );
  }
}

type Filters = readonly { readonly filterType: string | undefined; readonly filter: string | undefined }[] | undefined;

function checkFilters(mutability: Mutability, filters: Filters): readonly string[] {
  const excludes = mutability.endsWith("_WITH_EXCLUSION");
  const given = (filters ?? []).map((each) => each.filter ?? "");
  if (excludes !== given.length > 0 || given.length > ecrLimits.mutabilityFiltersMax) {
    throw invalidParameter(
      "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'must be given with, and only with, IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION'",
    );
  }
  return given;
}

function filtersOf(exclusions: readonly string[]) {
  if (exclusions.length === 0) return {};
  return {
    imageTagMutabilityExclusionFilters: exclusions.map((filter) => ({ filterType: "WILDCARD" as const, filter })),
  };
}

function describe(place: Place, repository: Repository, endpoint: string) {
  return {
    repositoryArn: repositoryArn(place, repository.name),
    registryId: place.account,
    repositoryName: repository.name,
    repositoryUri: `${registryHost(endpoint, place)}/${repository.name}`,
    createdAt: new Date(repository.createdAt),
    imageTagMutability: repository.mutability,
    ...filtersOf(repository.exclusions),
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: { encryptionType: "AES256" as const },
  };
}
