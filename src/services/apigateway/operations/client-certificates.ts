import type * as sdk from "@aws-sdk/client-api-gateway";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Key, Reader } from "../../../kernel/store/store.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { type ClientCertificateRecord, generateClientCertificate } from "../client-certificate.ts";
import { badRequest, limitExceeded } from "../errors.ts";
import { apiGatewayLimits as limits } from "../limits.ts";
import { listApis, listChildren } from "../model.ts";
import { certificateKey, readClientCertificate } from "../client-certificates.ts";
import { applyPatch, type PatchTable } from "../patch.ts";
import { checkTags, pageOf, wholeSecond } from "../rules.ts";
import type { ApiGatewayNeeds } from "./needs.ts";

const path = (input: { clientCertificateId?: string | undefined }) =>
  `/clientcertificates/${input.clientCertificateId}`;

export function clientCertificateOperations(needs: ApiGatewayNeeds) {
  return {
    GenerateClientCertificate: {
      authorize: (_input, call) => may("POST", call, "/clientcertificates"),
      run: async (input, call) => {
        const tags = checkTags(input.tags ?? {});
        const { privateKeyPem, ...made } = await generateClientCertificate(needs.ids, call.now);
        const certificate: ClientCertificateRecord = {
          id: needs.ids.random(6, lowerAlphanumeric),
          ...(input.description === undefined ? {} : { description: input.description }),
          createdAt: call.now,
          ...made,
          sealedKey: needs.seal.seal(Buffer.from(privateKeyPem, "utf8")),
          tags,
        };
        await needs.store.transact(async (tx) => {
          if ((await listCertificates(tx, call)).length >= limits.clientCertificatesMax) {
            throw limitExceeded("client certificates for this account", limits.clientCertificatesMax);
          }
          tx.set(certificateKey(call, certificate.id), certificate);
        });
        return describe(certificate);
      },
    },
    GetClientCertificate: {
      authorize: (input, call) => may("GET", call, path(input)),
      run: (input, call) =>
        needs.store.read(async (reader) =>
          describe(await readClientCertificate(reader, call, input.clientCertificateId)),
        ),
    },
    GetClientCertificates: {
      authorize: (_input, call) => may("GET", call, "/clientcertificates"),
      run: async (input, call) => {
        const certificates = await needs.store.read((reader) => listCertificates(reader, call));
        const page = pageOf(certificates, (certificate) => certificate.id, input.limit, input.position);
        return { ...page, items: page.items.map(describe) };
      },
    },
    UpdateClientCertificate: {
      authorize: (input, call) => may("PATCH", call, path(input)),
      run: async (input, call) => {
        const certificate = await needs.store.transact(async (tx) => {
          const before = await readClientCertificate(tx, call, input.clientCertificateId);
          const next = applyPatch(before, input.patchOperations, patches, ["/description"]);
          tx.set(certificateKey(call, next.id), next);
          return next;
        });
        return describe(certificate);
      },
    },
    DeleteClientCertificate: {
      authorize: (input, call) => may("DELETE", call, path(input)),
      run: async (input, call) => {
        await needs.store.transact(async (tx) => {
          const { id } = await readClientCertificate(tx, call, input.clientCertificateId);
          if (await needs.usesClientCertificate(tx, call, id))
            throw badRequest("Client certificate is in use by a stage");
          for (const api of await listApis(tx, call)) {
            const stages = await listChildren(tx, call, api.id, "stage");
            if (stages.some((stage) => stage.clientCertificateId === id)) {
              throw badRequest("Client certificate is in use by a stage");
            }
          }
          tx.delete(certificateKey(call, id));
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

const patches: PatchTable<ClientCertificateRecord> = [
  { path: /^\/description$/, apply: { replace: (certificate, description) => ({ ...certificate, description }) } },
];

async function listCertificates(reader: Reader, call: Call): Promise<ClientCertificateRecord[]> {
  const prefix: Key = certificateKey(call);
  const entries = await reader.range<ClientCertificateRecord>({ prefix }, { limit: limits.clientCertificatesMax });
  return entries.map((entry) => entry.value);
}

function describe(certificate: ClientCertificateRecord) {
  return {
    clientCertificateId: certificate.id,
    ...(certificate.description === undefined ? {} : { description: certificate.description }),
    pemEncodedCertificate: certificate.certificatePem,
    createdDate: wholeSecond(certificate.createdAt),
    expirationDate: wholeSecond(certificate.expiresAt),
    ...(Object.keys(certificate.tags).length === 0 ? {} : { tags: { ...certificate.tags } }),
  };
}
