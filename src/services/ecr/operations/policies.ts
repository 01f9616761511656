import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { invalidParameter, policyNotFound } from "../errors.ts";
import { ecrLimits } from "../limits.ts";
import { writeRepository } from "../model.ts";
import type { EcrNeeds, Sdk } from "../needs.ts";
import { toEvaluatedPolicy } from "../policy.ts";
import { existingRepository, onRepository, placeOf, present, type Named } from "../repositories.ts";

export function policyOperations({ store }: EcrNeeds) {
  const on = (action: string) => async (input: Named, call: Call) => {
    const { place, name } = placeOf(input, call);
    return [await onRepository(store, action, place, name)];
  };
  return {
    SetRepositoryPolicy: {
      authorize: on("SetRepositoryPolicy"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const policyText = present(input.policyText, "policyText");
        if (policyText.length > ecrLimits.policyCharactersMax) {
          throw invalidParameter(
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Policy text too long'",
          );
        }
        const policy = { text: policyText, evaluated: readPolicy(policyText) };
        if (input.force === false && /"Deny"/.test(policyText)) {
          // Whether the policy locks its author out is not worked out.
          throw notImplemented("The parameter force=false of SetRepositoryPolicy with a policy that denies");
        }
        await store.transact(async (tx) =>
          writeRepository(tx, place, { ...(await existingRepository(tx, place, name)), policy }),
        );
        return { registryId: place.account, repositoryName: name, policyText };
      },
    },

    GetRepositoryPolicy: {
      authorize: on("GetRepositoryPolicy"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const { policy } = await store.read((reader) => existingRepository(reader, place, name));
        if (!policy) throw policyNotFound(place, name);
        return { registryId: place.account, repositoryName: name, policyText: policy.text };
      },
    },

    DeleteRepositoryPolicy: {
      authorize: on("DeleteRepositoryPolicy"),
      async run(input, call) {
        const { place, name } = placeOf(input, call);
        const gone = await store.transact(async (tx) => {
          const { policy, ...repository } = await existingRepository(tx, place, name);
          if (!policy) throw policyNotFound(place, name);
          writeRepository(tx, place, repository);
          return policy.text;
        });
        return { registryId: place.account, repositoryName: name, policyText: gone };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function readPolicy(text: string): string {
  try {
    return toEvaluatedPolicy(text);
  } catch {
    throw invalidParameter(
      "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
    );
  }
}
