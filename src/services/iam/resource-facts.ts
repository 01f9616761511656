import { resourceTagKeys, type ResourceFacts } from "../../access/further-keys.ts";
import { parseArn } from "../../aws/arn.ts";
import type { Store } from "../../kernel/store/store.ts";
import { readEntity } from "./model.ts";

/**
 * Tags and permissions boundaries of roles and users, as policies see them where another service asks (`iam:PassRole`), or where
 * the request itself names no boundary.
 */
export function iamFacts(store: Store): ResourceFacts {
  return {
    service: "iam",
    read: async ({ arn }) => {
      const parsed = parseArn(arn);
      const [, kind, name = ""] = /^(role|user)\/(?:.*\/)?([^/]+)$/.exec(parsed?.resource ?? "") ?? [];
      if (!parsed || (kind !== "role" && kind !== "user")) return {};
      const entity = await store.read((reader) => readEntity(reader, parsed.account, kind, name));
      if (entity?.arn !== arn) return {};
      const { permissionsBoundary } = entity;
      return {
        ...resourceTagKeys(entity.tags, "iam"),
        ...(permissionsBoundary !== undefined && { "iam:PermissionsBoundary": [permissionsBoundary] }),
      };
    },
  };
}
