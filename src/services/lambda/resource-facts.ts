import { resourceTagKeys, type ResourceFacts } from "../../access/further-keys.ts";
import { parseArn } from "../../aws/arn.ts";
import type { Reader, Store } from "../../kernel/store/store.ts";
import { capacityProviderKey, type CapacityProviderRecord } from "./capacity/model.ts";
import { codeSigningKey, type CodeSigningConfigRecord } from "./code-signing.ts";
import { readFunction, type Place } from "./model.ts";

type Tagged = { readonly tags: Readonly<Record<string, string>> } | undefined;

/** Tags of functions (also by a version or alias), code signing configurations and capacity providers, as policies see them. */
export function lambdaFacts(store: Store): ResourceFacts {
  return {
    service: "lambda",
    read: async ({ arn }) => {
      const parsed = parseArn(arn);
      if (!parsed) return {};
      const [kind = "", name = ""] = parsed.resource.split(":");
      const found = await store.read((reader) => readTagged(reader, kind, parsed, name));
      return resourceTagKeys(found?.tags ?? {});
    },
  };
}

function readTagged(reader: Reader, kind: string, place: Place, name: string): Promise<Tagged> {
  if (kind === "function") return readFunction(reader, place, name);
  if (kind === "code-signing-config") return reader.get<CodeSigningConfigRecord>(codeSigningKey(place, name));
  if (kind === "capacity-provider") return reader.get<CapacityProviderRecord>(capacityProviderKey(place, name));
  return Promise.resolve(undefined);
}
