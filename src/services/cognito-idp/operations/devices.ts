import type { DeviceType } from "@aws-sdk/client-cognito-identity-provider";
import type { OperationsOf } from "../../../wire/service.ts";
import { readDevice } from "../auth/devices.ts";
import { sealText } from "../auth/totp.ts";
import { type Cognito, existingPool } from "../core.ts";
import { invalidParameter, resourceNotFound } from "../errors.ts";
import { type Device, inPool, type Pool, type User } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { callerOf } from "../tokens/verify.ts";
import { existingUser } from "../users/users.ts";
import { onPool, unsigned } from "./access.ts";
import { pageOf } from "./paging.ts";

export function deviceOperations(cognito: Cognito) {
  const { store, seal } = cognito;
  const authorize = onPool(cognito);

  const userOf = async (
    input: { readonly UserPoolId: string | undefined; readonly Username: string | undefined },
    call: { readonly account: string; readonly region: string },
  ) => {
    const pool = await existingPool(cognito, input.UserPoolId, call);
    return { pool, user: await store.read((reader) => existingUser(reader, pool, input.Username ?? "")) };
  };

  const change = (
    pool: Pool,
    user: User,
    key: string | undefined,
    how: (device: Device) => Device | undefined,
  ): Promise<void> =>
    store.transact(async (tx) => {
      const device = await readDevice(tx, pool, user, key ?? "");
      if (!device) throw resourceNotFound("Device does not exist.");
      const next = how(device);
      const name = inPool("device", pool.id, user.key, device.key);
      if (next) tx.set(name, next);
      else tx.delete(name);
    });

  const get = async (pool: Pool, user: User, key: string | undefined) => {
    const device = await store.read((reader) => readDevice(reader, pool, user, key ?? ""));
    if (!device) throw resourceNotFound("Device does not exist.");
    return { Device: describe(device) };
  };

  const list = async (pool: Pool, user: User, limit: number | undefined, token: string | undefined) => {
    const prefix = inPool("device", pool.id, user.key);
    const page = await store.read((reader) => pageOf<Device>(reader, prefix, { limit, token }));
    return {
      Devices: page.values.map(describe),
      ...(page.nextToken !== undefined && { PaginationToken: page.nextToken }),
    };
  };

  const status = (pool: Pool, user: User, key: string | undefined, to: string | undefined, now: number) =>
    change(pool, user, key, (device) => ({ ...device, remembered: to === "remembered", updatedAt: now }));

  return {
    ConfirmDevice: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        const { PasswordVerifier: verifier, Salt: salt } = input.DeviceSecretVerifierConfig ?? {};
        if (!verifier || !salt) throw invalidParameter("DeviceSecretVerifierConfig is required.");
        const asks = pool.settings.DeviceConfiguration?.DeviceOnlyRememberedOnUserPrompt === true;
        await change(pool, user, input.DeviceKey, (device) => ({
          ...device,
          ...(input.DeviceName !== undefined && { name: input.DeviceName }),
          verifier: sealText(seal, `${salt} ${verifier}`),
          remembered: !asks,
          updatedAt: call.now,
        }));
        return { UserConfirmationNecessary: asks };
      },
    },
    GetDevice: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        return get(pool, user, input.DeviceKey);
      },
    },
    ListDevices: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        return list(pool, user, input.Limit, input.PaginationToken);
      },
    },
    ForgetDevice: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        await change(pool, user, input.DeviceKey, () => undefined);
        return {};
      },
    },
    UpdateDeviceStatus: {
      authorize: unsigned,
      async run(input, call) {
        const { pool, user } = await callerOf(cognito, input.AccessToken, call.now);
        await status(pool, user, input.DeviceKey, input.DeviceRememberedStatus, call.now);
        return {};
      },
    },
    AdminGetDevice: {
      authorize,
      async run(input, call) {
        const { pool, user } = await userOf(input, call);
        return get(pool, user, input.DeviceKey);
      },
    },
    AdminListDevices: {
      authorize,
      async run(input, call) {
        const { pool, user } = await userOf(input, call);
        return list(pool, user, input.Limit, input.PaginationToken);
      },
    },
    AdminForgetDevice: {
      authorize,
      async run(input, call) {
        const { pool, user } = await userOf(input, call);
        await change(pool, user, input.DeviceKey, () => undefined);
        return {};
      },
    },
    AdminUpdateDeviceStatus: {
      authorize,
      async run(input, call) {
        const { pool, user } = await userOf(input, call);
        await status(pool, user, input.DeviceKey, input.DeviceRememberedStatus, call.now);
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function describe(device: Device): DeviceType {
  return {
    DeviceKey: device.key,
    DeviceAttributes: [
      { Name: "device_status", Value: "valid" },
      ...(device.name !== undefined ? [{ Name: "device_name", Value: device.name }] : []),
      { Name: "dev:device_remembered_status", Value: device.remembered ? "remembered" : "not_remembered" },
      ...(device.lastIpAddress !== undefined ? [{ Name: "last_ip_used", Value: device.lastIpAddress }] : []),
    ],
    DeviceCreateDate: new Date(device.createdAt),
    DeviceLastModifiedDate: new Date(device.updatedAt),
    DeviceLastAuthenticatedDate: new Date(device.authenticatedAt),
  };
}
