import { notImplemented } from "../../../aws/error.ts";
import type { Seal } from "../../../access/server-keys.ts";
import type { AuthorizationRequest } from "../../../access/authorization.ts";
import type { Reader } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { alreadyExists, deleteConflict, invalidAuthenticationCode, noSuchEntity, quotaExceeded } from "../errors.ts";
import { iamLimits } from "../limits.ts";
import {
  deleteMfaDevice,
  mfaPrefix,
  readMfaDevice,
  readMfaDevicesOf,
  synchronize,
  writeMfaDevice,
  type MfaDevice,
} from "../mfa/devices.ts";
import { seedPng } from "../mfa/seed-image.ts";
import { toBase32 } from "../mfa/totp.ts";
import { readAll, readEntity } from "../model.ts";
import { parseTags, present, requestTagContext, resourceTagContext, toPage, toTagList, withoutTags } from "../rules.ts";
import {
  change,
  checkQuota,
  existing,
  onEntity,
  onResource,
  type IamOperations,
  type OperationNeeds,
} from "./needs.ts";
import { addTags, keyContext, tagContext, toTagPage } from "./tags.ts";
import { toUser, userNameOf } from "./users.ts";

const seedBytes = 40;

/** Virtual MFA devices: codes of RFC 6238 that are really checked. */
export function mfaOperations(needs: OperationNeeds) {
  const { store, ids, seal } = needs;
  const onDevice = async (call: Call, serial: string | undefined, context: AuthorizationRequest["context"] = {}) => {
    const known = await store.read((reader) => readMfaDevice(reader, call.account, present(serial)));
    return onResource(call, present(serial), { ...resourceTagContext(known?.tags ?? {}), ...context });
  };
  const onUser = (call: Call, name: string | undefined) => onEntity(store, call, "user", userNameOf(name, call));
  return {
    CreateVirtualMFADevice: {
      authorize: (input, call) => {
        const context = requestTagContext(parseTags(input.Tags));
        const resource = serialOf(call, input);
        return [
          ...onResource(call, resource, context),
          ...(input.Tags?.length ? [{ action: "iam:TagMFADevice", resource, context }] : []),
        ];
      },
      async run(input, call) {
        const serialNumber = serialOf(call, input);
        const seed = ids.bytes(seedBytes);
        const device: MfaDevice = {
          v: 1,
          serialNumber,
          sealedSeed: seal.seal(seed),
          createdAt: call.now,
          tags: parseTags(input.Tags),
          drift: 0,
          usedStep: 0,
          failures: 0,
          lockedUntil: 0,
        };
        const limit = iamLimits.mfaDevicesPerAccount;
        await checkQuota(store, mfaPrefix(call.account), "VirtualMFADevicesPerAccount", limit);
        await store.transact(async (tx) => {
          if (await readMfaDevice(tx, call.account, serialNumber)) {
            throw alreadyExists("MFADevice entity at the same path and name already exists.");
          }
          writeMfaDevice(tx, call.account, device);
        });
        const text = toBase32(seed);
        return {
          VirtualMFADevice: {
            SerialNumber: serialNumber,
            Base32StringSeed: Buffer.from(text),
            QRCodePNG: await seedPng(text, present(input.VirtualMFADeviceName), call.account),
            ...(Object.keys(device.tags).length > 0 && { Tags: toTagList(device.tags) }),
          },
        };
      },
    },
    DeleteVirtualMFADevice: {
      authorize: (input, call) => onDevice(call, input.SerialNumber),
      run: (input, call) =>
        change(store, async (tx) => {
          const device = await existingDevice(tx, call, input.SerialNumber);
          if (device.user) throw deleteConflict("must deactivate the MFA device first");
          deleteMfaDevice(tx, call.account, device);
        }),
    },
    EnableMFADevice: {
      authorize: (input, call) => onUser(call, input.UserName),
      run: (input, call) =>
        change(store, async (tx) => {
          const user = await existing(tx, call, "user", present(input.UserName));
          const device = await existingDevice(tx, call, input.SerialNumber);
          if (device.user) throw alreadyExists("MFA Device is already in use.");
          const own = await readMfaDevicesOf(tx, call.account, user.id);
          if (own.length >= iamLimits.mfaDevicesPerUserMax) {
            throw quotaExceeded("MFADevicesPerUser", iamLimits.mfaDevicesPerUserMax);
          }
          const set = synchronized(device, seal, input, call, iamLimits.mfaReachEnabling);
          const enabled = { ...set, user: { id: user.id, name: user.name }, enabledAt: call.now };
          writeMfaDevice(tx, call.account, enabled, device);
        }),
    },
    ResyncMFADevice: {
      authorize: (input, call) => onUser(call, input.UserName),
      run: (input, call) =>
        change(store, async (tx) => {
          const device = await deviceOf(tx, call, input);
          writeMfaDevice(tx, call.account, synchronized(device, seal, input, call, iamLimits.mfaReachResync), device);
        }),
    },
    DeactivateMFADevice: {
      authorize: (input, call) => onUser(call, input.UserName),
      run: (input, call) =>
        change(store, async (tx) => {
          const device = await deviceOf(tx, call, input);
          const { user: _user, enabledAt: _at, ...free } = device;
          writeMfaDevice(tx, call.account, { ...free, usedStep: 0, failures: 0, lockedUntil: 0 }, device);
        }),
    },
    ListMFADevices: {
      authorize: (input, call) =>
        input.UserName === undefined && call.principal.type === "root"
          ? onResource(call, call.principal.arn)
          : onUser(call, input.UserName),
      run: (input, call) =>
        store.read(async (reader) => {
          // The root has none: no device can be enabled for it here.
          if (input.UserName === undefined && call.principal.type === "root") {
            return { MFADevices: [], IsTruncated: false };
          }
          const user = await existing(reader, call, "user", userNameOf(input.UserName, call));
          const own = await readMfaDevicesOf(reader, call.account, user.id);
          const { items, rest } = toPage(own, ({ serialNumber }) => serialNumber, input);
          return {
            MFADevices: items.map(({ serialNumber, enabledAt }) => ({
              UserName: user.name,
              SerialNumber: serialNumber,
              EnableDate: new Date(enabledAt ?? 0),
            })),
            ...rest,
          };
        }),
    },
    ListVirtualMFADevices: {
      authorize: (_input, call) => onResource(call, `arn:aws:iam::${call.account}:mfa/*`),
      run: (input, call) =>
        store.read(async (reader) => {
          const all = await readAll<MfaDevice>(reader, mfaPrefix(call.account));
          const wanted = all.filter(({ user }) => {
            if (input.AssignmentStatus === "Assigned") return user !== undefined;
            return input.AssignmentStatus !== "Unassigned" || user === undefined;
          });
          const { items, rest } = toPage(wanted, ({ serialNumber }) => serialNumber, input);
          const listed = await Promise.all(
            items.map(async ({ serialNumber, user, enabledAt }) => {
              const owner = user && (await readEntity(reader, call.account, "user", user.name));
              if (!owner) return { SerialNumber: serialNumber };
              const EnableDate = new Date(enabledAt ?? 0);
              return { SerialNumber: serialNumber, User: toUser(owner, "listed"), EnableDate };
            }),
          );
          return { VirtualMFADevices: listed, ...rest };
        }),
    },
    GetMFADevice: {
      authorize: (input, call) =>
        input.UserName === undefined ? onDevice(call, input.SerialNumber) : onUser(call, input.UserName),
      run: (input, call) =>
        store.read(async (reader) => {
          const device = await existingDevice(reader, call, input.SerialNumber);
          if (!device.user) throw notAssigned(device.serialNumber);
          if (input.UserName !== undefined && device.user.name !== input.UserName)
            throw notAssigned(device.serialNumber);
          return {
            UserName: device.user.name,
            SerialNumber: device.serialNumber,
            EnableDate: new Date(device.enabledAt ?? 0),
          };
        }),
    },
    TagMFADevice: {
      authorize: (input, call) => onDevice(call, input.SerialNumber, tagContext(input.Tags)),
      run: (input, call) =>
        change(store, async (tx) => {
          const device = await existingDevice(tx, call, input.SerialNumber);
          writeMfaDevice(tx, call.account, { ...device, tags: addTags(device.tags, input.Tags) }, device);
        }),
    },
    UntagMFADevice: {
      authorize: (input, call) => onDevice(call, input.SerialNumber, keyContext(input.TagKeys)),
      run: (input, call) =>
        change(store, async (tx) => {
          const device = await existingDevice(tx, call, input.SerialNumber);
          writeMfaDevice(tx, call.account, { ...device, tags: withoutTags(device.tags, input.TagKeys ?? []) }, device);
        }),
    },
    ListMFADeviceTags: {
      authorize: (input, call) => onDevice(call, input.SerialNumber),
      async run(input, call) {
        const device = await store.read((reader) => existingDevice(reader, call, input.SerialNumber));
        return toTagPage(device.tags, input);
      },
    },
  } satisfies IamOperations;
}

function serialOf(
  call: Call,
  input: { readonly Path?: string | undefined; readonly VirtualMFADeviceName: string | undefined },
) {
  return `arn:aws:iam::${call.account}:mfa${input.Path ?? "/"}${present(input.VirtualMFADeviceName)}`;
}

async function existingDevice(reader: Reader, call: Call, serial: string | undefined): Promise<MfaDevice> {
  // Hardware devices are named by a number without a colon.
  if (!present(serial).startsWith("arn:")) throw notImplemented("Hardware MFA devices");
  const device = await readMfaDevice(reader, call.account, present(serial));
  if (!device) throw noSuchEntity(`VirtualMFADevice with serial number ${serial} doesn't exist.`);
  return device;
}

/** The device of a user. */
async function deviceOf(
  reader: Reader,
  call: Call,
  input: { readonly UserName?: string | undefined; readonly SerialNumber: string | undefined },
): Promise<MfaDevice> {
  const user = await existing(reader, call, "user", userNameOf(input.UserName, call));
  const device = await readMfaDevice(reader, call.account, present(input.SerialNumber));
  if (device?.user?.id !== user.id) {
    throw noSuchEntity(`MFA Device invalid for user.`);
  }
  return device;
}

function notAssigned(serial: string): Error {
  return noSuchEntity(`MFA device with serial number ${serial} cannot be found.`);
}

function synchronized(
  device: MfaDevice,
  seal: Seal,
  input: { readonly AuthenticationCode1: string | undefined; readonly AuthenticationCode2: string | undefined },
  call: Call,
  reach: number,
): MfaDevice {
  const codes = [present(input.AuthenticationCode1), present(input.AuthenticationCode2)] as const;
  const set = synchronize(device, seal, codes, call.now, reach);
  if (!set) throw invalidAuthenticationCode();
  return set;
}
