import type { CustomDomainConfigType } from "@aws-sdk/client-cognito-identity-provider";
import { AwsError, notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import { type Cognito, existingPool, existingPoolIn } from "../core.ts";
import { invalidParameter, resourceNotFound } from "../errors.ts";
import { type Domain, domainKey, writePool } from "../model.ts";
import type { Sdk } from "../needs.ts";
import { onAll, onPool } from "./access.ts";

export function domainOperations(cognito: Cognito) {
  const { store, hosts } = cognito;
  const authorize = onPool(cognito);

  const checkCertificate = async (call: Call, name: string, custom: CustomDomainConfigType): Promise<void> => {
    // The listener speaks TLS 1.2 and newer, whatever host is asked for.
    if (custom.SecurityPolicy === "TLS_V1_3_2025") {
      throw notImplemented(`The parameter CustomDomainConfig.SecurityPolicy=TLS_V1_3_2025 of ${call.operation}`);
    }
    // Hosts are compared as clients send them.
    if (name !== name.toLowerCase()) throw invalidParameter(`${name} is no custom domain: it has upper case letters.`);
    try {
      await hosts.check(call, name, custom.CertificateArn ?? "");
    } catch (error) {
      if (error instanceof AwsError && error.status < 500) throw invalidParameter(error.message);
      throw error;
    }
  };

  return {
    CreateUserPoolDomain: {
      authorize,
      async run(input, call) {
        const name = input.Domain ?? "";
        if (input.Routing !== undefined) throw notImplemented("The parameter Routing of CreateUserPoolDomain");
        const custom = input.CustomDomainConfig;
        if (!custom && /aws|amazon|cognito/.test(name)) {
          throw invalidParameter("Domain cannot contain reserved word: cognito");
        }
        if (name.includes(".") !== (custom !== undefined)) {
          throw invalidParameter(`${name} is no ${custom ? "custom domain" : "domain prefix"}.`);
        }
        const pool = await existingPool(cognito, input.UserPoolId, call);
        if (custom) await checkCertificate(call, name, custom);
        const domain: Domain = {
          v: 1,
          account: pool.account,
          region: pool.region,
          name,
          poolId: pool.id,
          ...(custom && { custom }),
          managedLoginVersion: input.ManagedLoginVersion ?? 1,
          createdAt: call.now,
        };
        await store.transact(async (tx) => {
          const current = await existingPoolIn(tx, pool.id);
          const has = custom ? current.customDomain : current.domain;
          if (has !== undefined) throw invalidParameter("Only one domain of each kind can be assigned to a user pool.");
          if (await tx.get(domainKey(name)))
            throw invalidParameter("Domain already associated with another user pool.");
          if (custom && (await hosts.isTaken(tx, name)))
            throw invalidParameter("The domain name is a custom domain name of an API.");
          tx.set(domainKey(name), domain);
          writePool(tx, { ...current, ...(custom ? { customDomain: name } : { domain: name }) });
        });
        return {
          ManagedLoginVersion: domain.managedLoginVersion,
          ...(custom && { CloudFrontDomain: new URL(call.endpoint).host }),
        };
      },
    },

    DescribeUserPoolDomain: {
      authorize: onAll,
      async run(input, call) {
        const domain = await store.read((reader) => reader.get<Domain>(domainKey(input.Domain ?? "")));
        // AWS: a domain that is nobody's is described by nothing.
        if (!domain || domain.account !== call.account) return { DomainDescription: {} };
        return {
          DomainDescription: {
            UserPoolId: domain.poolId,
            AWSAccountId: domain.account,
            Domain: domain.name,
            CloudFrontDistribution: new URL(call.endpoint).host,
            Version: String(domain.createdAt),
            Status: "ACTIVE" as const,
            CustomDomainConfig: domain.custom ?? undefined,
            ManagedLoginVersion: domain.managedLoginVersion,
          },
        };
      },
    },

    UpdateUserPoolDomain: {
      authorize,
      async run(input, call) {
        if (input.Routing !== undefined) throw notImplemented("The parameter Routing of UpdateUserPoolDomain");
        const pool = await existingPool(cognito, input.UserPoolId, call);
        if (input.CustomDomainConfig) await checkCertificate(call, input.Domain ?? "", input.CustomDomainConfig);
        const domain = await store.transact(async (tx) => {
          const before = await tx.get<Domain>(domainKey(input.Domain ?? ""));
          if (before?.poolId !== pool.id) throw resourceNotFound("No such domain or user pool exists.");
          if (input.CustomDomainConfig && !before.custom) {
            throw invalidParameter("CustomDomainConfig can be given for custom domains only.");
          }
          const domain: Domain = {
            ...before,
            ...(input.CustomDomainConfig && { custom: input.CustomDomainConfig }),
            managedLoginVersion: input.ManagedLoginVersion ?? before.managedLoginVersion,
          };
          tx.set(domainKey(domain.name), domain);
          return domain;
        });
        return {
          ManagedLoginVersion: domain.managedLoginVersion,
          ...(domain.custom && { CloudFrontDomain: new URL(call.endpoint).host }),
        };
      },
    },

    DeleteUserPoolDomain: {
      authorize,
      async run(input, call) {
        const found = await existingPool(cognito, input.UserPoolId, call);
        await store.transact(async (tx) => {
          const domain = await tx.get<Domain>(domainKey(input.Domain ?? ""));
          if (domain?.poolId !== found.id) throw invalidParameter("No such domain or user pool exists.");
          tx.delete(domainKey(domain.name));
          const { domain: prefix, customDomain, ...pool } = await existingPoolIn(tx, found.id);
          writePool(tx, {
            ...pool,
            ...(prefix !== undefined && prefix !== domain.name && { domain: prefix }),
            ...(customDomain !== undefined && customDomain !== domain.name && { customDomain }),
          });
        });
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}
