import type { Call, InputOf, OperationsOf } from "../../../wire/service.ts";
import { type Cognito, existingPool } from "../core.ts";
import { clientNotFound, invalidParameter } from "../errors.ts";
import { domainBase } from "../domain-base.ts";
import { type Pool, readClient } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { onPool } from "../operations/access.ts";
import { oauthLimits as limits } from "../oauth/limits.ts";
import { type Customization, customizationKey, findCustomization, imageTypeOf, sanitizeCss } from "./customization.ts";

/** The look of the hosted pages: a style sheet and a logo, of one client or of all. */
export function customizationOperations(cognito: Cognito) {
  const { store } = cognito;
  const authorize = onPool(cognito);
  return {
    SetUICustomization: {
      authorize,
      async run(input, call) {
        const { pool, clientId } = await place(cognito, input, call);
        // AWS: there is nothing to customize before there is a domain.
        if (pool.domain === undefined && pool.customDomain === undefined) {
          throw invalidParameter("There has to be an existing domain associated with this user pool");
        }
        const { css, image } = readLook(input);
        const made = await store.transact(async (tx) => {
          const key = customizationKey(pool.id, clientId);
          const before = await tx.get<Customization>(key);
          // AWS: the logo stays where only the style sheet is set.
          const logo = image ?? before?.image;
          const customization: Customization = {
            v: 1,
            ...(css !== undefined && { css }),
            ...(logo && { image: logo }),
            cssVersion: String(call.now),
            createdAt: before?.createdAt ?? call.now,
            updatedAt: call.now,
          };
          tx.set(key, customization);
          return customization;
        });
        return { UICustomization: describe(pool, clientId, made, call) };
      },
    },

    GetUICustomization: {
      authorize,
      async run(input, call) {
        const { pool, clientId } = await place(cognito, input, call);
        const found = await store.read((reader) => findCustomization(reader, pool.id, clientId));
        return { UICustomization: found === undefined ? {} : describe(pool, clientId, found, call) };
      },
    },
  } satisfies OperationsOf<Sdk>;
}

async function place(
  cognito: Cognito,
  input: { readonly UserPoolId: string | undefined; readonly ClientId?: string | undefined },
  call: Call,
): Promise<{ readonly pool: Pool; readonly clientId: string }> {
  const pool = await existingPool(cognito, input.UserPoolId, call);
  const clientId = input.ClientId ?? "ALL";
  if (clientId === "ALL") return { pool, clientId };
  const client = await cognito.store.read((reader) => readClient(reader, clientId));
  if (client?.poolId !== pool.id) throw clientNotFound(clientId);
  return { pool, clientId };
}

function readLook({ CSS: css, ImageFile: bytes }: InputOf<Sdk, "SetUICustomization">) {
  const checked = css === undefined || css === "" ? undefined : sanitizeCss(css);
  if (checked !== undefined && "problem" in checked) throw invalidParameter(checked.problem);
  if (bytes === undefined || bytes.byteLength === 0) return { css: checked?.css, image: undefined };
  if (bytes.byteLength > limits.logoBytesMax) throw invalidParameter("The image file is larger than 100 KB.");
  const type = imageTypeOf(bytes);
  if (type === undefined) throw invalidParameter("The image file has to be of type PNG or JPEG.");
  return { css: checked?.css, image: { bytes: new Uint8Array(bytes), type } };
}

function describe(pool: Pool, clientId: string, look: Customization, call: Call) {
  const domain = pool.domain ?? pool.customDomain;
  return {
    UserPoolId: pool.id,
    ClientId: clientId,
    ...(look.image &&
      domain !== undefined && {
        ImageUrl: `${domainBase(call.endpoint, domain)}/logo?client_id=${encodeURIComponent(clientId)}`,
      }),
    ...(look.css !== undefined && { CSS: look.css }),
    CSSVersion: look.cssVersion,
    LastModifiedDate: new Date(look.updatedAt),
    CreationDate: new Date(look.createdAt),
  };
}
