import { createAccessKeyId, createSecretAccessKey } from "../../../access/access-keys.ts";
import { notImplemented } from "../../../aws/error.ts";
import { missingAuthentication } from "../../../access/errors.ts";
import { accessKeyNotFound, quotaExceeded } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import { accessKeyKey, accessKeyUseKey, writeEntity, type AccessKeyRecord, type AccessKeyUse } from "../model.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { entityArn, present, toPage } from "../rules.ts";
import { change, existing, onEntity, onResource, type IamOperations, type OperationNeeds } from "./needs.ts";
import { userNameOf } from "./users.ts";

/** Access keys of users. The root's are in the file `credentials`. */
export function accessKeyOperations({ store, ids, seal }: OperationNeeds) {
  const onUser = (given: string | undefined, call: Call) => {
    if (given === undefined && call.principal.type === "root") {
      throw notImplemented("Managing the root's access keys through IAM");
    }
    return onEntity(store, call, "user", userNameOf(given, call));
  };
  return {
    CreateAccessKey: {
      authorize: (input, call) => onUser(input.UserName, call),
      async run(input, call) {
        const userName = userNameOf(input.UserName, call);
        const secretAccessKey = createSecretAccessKey(ids);
        const record = await store.transact(async (tx) => {
          const user = await existing(tx, call, "user", userName);
          if (user.accessKeyIds.length >= iamLimits.accessKeysPerUserMax) {
            throw quotaExceeded("AccessKeysPerUser", iamLimits.accessKeysPerUserMax);
          }
          const created: AccessKeyRecord = {
            v: 1,
            accessKeyId: createAccessKeyId(ids, "AKIA"),
            account: call.account,
            userName: user.name,
            sealedSecret: seal.seal(Buffer.from(secretAccessKey)),
            status: "Active",
            createdAt: call.now,
          };
          tx.set(accessKeyKey(created.accessKeyId), created);
          writeEntity(tx, call.account, { ...user, accessKeyIds: [...user.accessKeyIds, created.accessKeyId] });
          return created;
        });
        return { AccessKey: { ...toMetadata(record), SecretAccessKey: secretAccessKey } };
      },
    },
    ListAccessKeys: {
      authorize: (input, call) => onUser(input.UserName, call),
      run: (input, call) =>
        store.read(async (reader) => {
          const user = await existing(reader, call, "user", userNameOf(input.UserName, call));
          const { items, rest } = toPage(user.accessKeyIds, (id) => id, input);
          const records = await Promise.all(items.map((id) => existingKey(reader, call, user.name, id)));
          return { AccessKeyMetadata: records.map(toMetadata), ...rest };
        }),
    },
    UpdateAccessKey: {
      authorize: (input, call) => onUser(input.UserName, call),
      run: (input, call) =>
        change(store, async (tx) => {
          const user = await existing(tx, call, "user", userNameOf(input.UserName, call));
          const record = await existingKey(tx, call, user.name, present(input.AccessKeyId));
          const status = present(input.Status);
          if (status === "Expired") throw notImplemented("The access key status Expired");
          tx.set(accessKeyKey(record.accessKeyId), { ...record, status });
        }),
    },
    DeleteAccessKey: {
      authorize: (input, call) => onUser(input.UserName, call),
      run: (input, call) =>
        change(store, async (tx) => {
          const user = await existing(tx, call, "user", userNameOf(input.UserName, call));
          const { accessKeyId } = await existingKey(tx, call, user.name, present(input.AccessKeyId));
          tx.delete(accessKeyKey(accessKeyId));
          tx.delete(accessKeyUseKey(accessKeyId));
          const accessKeyIds = user.accessKeyIds.filter((id) => id !== accessKeyId);
          writeEntity(tx, call.account, { ...user, accessKeyIds });
        }),
    },
    GetAccessKeyLastUsed: {
      async authorize(input, call) {
        if (call.principal.type === "anonymous") throw missingAuthentication("query");
        const record = await store.read((reader) =>
          reader.get<AccessKeyRecord>(accessKeyKey(present(input.AccessKeyId))),
        );
        // A denial names the user: a stranger must not learn from it whose another account's key is.
        if (record?.account !== call.account) return onResource(call, entityArn(call.account, "user", "/", "*"));
        return await onEntity(store, call, "user", record.userName);
      },
      run: (input, call) =>
        store.read(async (reader) => {
          const accessKeyId = present(input.AccessKeyId);
          const record = await reader.get<AccessKeyRecord>(accessKeyKey(accessKeyId));
          if (record?.account !== call.account) throw accessKeyNotFound(accessKeyId);
          const use = await reader.get<AccessKeyUse>(accessKeyUseKey(accessKeyId));
          return {
            UserName: record.userName,
            AccessKeyLastUsed: use
              ? { LastUsedDate: new Date(use.at), ServiceName: use.service, Region: use.region }
              : { LastUsedDate: undefined, ServiceName: "N/A", Region: "N/A" },
          };
        }),
    },
  } satisfies IamOperations;
}

async function existingKey(reader: Reader, call: Call, userName: string, id: string): Promise<AccessKeyRecord> {
  const record = await reader.get<AccessKeyRecord>(accessKeyKey(id));
  if (record?.account !== call.account || record.userName !== userName) throw accessKeyNotFound(id);
  return record;
}

function toMetadata(record: AccessKeyRecord) {
  return {
    UserName: record.userName,
    AccessKeyId: record.accessKeyId,
    Status: record.status,
    CreateDate: new Date(record.createdAt),
  };
}
