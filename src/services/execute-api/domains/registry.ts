import type { Seal } from "../../../access/server-keys.ts";
import { type Ids, lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Reader, Store } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";
import { type CertificateFolder, checkNamed, checkUpload } from "./certificates.ts";
import { listPublishedStages } from "../published-stages.ts";
import { parseDomainName } from "./domain-names.ts";
import type { CertificateSource, DomainRecord, DomainSettings, DomainsPort, NewDomain, Place } from "./domain.ts";
import {
  apiNotFound,
  badRequest,
  stageNotFound,
  domainExists,
  domainExistsElsewhere,
  domainNotFound,
  tooManyDomains,
} from "./errors.ts";
import { domainLimits as limits } from "./limits.ts";
import { deleteDomain, findDomain, listDomains, writeDomain } from "./model.ts";
import { targetOf } from "./target.ts";
import { readTruststore, type S3Client } from "./truststore.ts";

export interface RegistryNeeds {
  /** One whose writes are acknowledged when every node has dropped what it remembered. */
  readonly store: Store;
  readonly ids: Ids;
  readonly seal: Seal;
  readonly certificates: CertificateFolder;
  readonly s3: S3Client;
  /** Hosts by which this installation is reached, beside that of the call. */
  readonly ownHosts: readonly string[];
  /** Whether a host in lower case is another service's. */
  readonly isElsewhere: (reader: Reader, host: string) => Promise<boolean>;
}

/** Keeps custom domain names: what is written is on the air. */
export function createDomainRegistry(needs: RegistryNeeds): DomainsPort {
  const { store, ids, seal, certificates } = needs;

  const readTrusted = async (call: Call, settings: Pick<DomainSettings, "truststore" | "endpointType">) => {
    if (settings.truststore === undefined) return undefined;
    if (settings.endpointType !== "REGIONAL") {
      throw badRequest("Mutual TLS authentication is only supported for regional custom domain names");
    }
    const { principal, account, region, endpoint, signal } = call;
    const client = needs.s3({ principal, account, region, endpoint, signal });
    return readTruststore(client, settings.truststore, call.now);
  };

  const checkSettings = async (call: Call, domainName: string, settings: Partial<DomainSettings>) => {
    if (settings.certificate?.kind === "named") {
      await checkNamed(certificates, settings.certificate.arn, call, domainName, call.now);
    }
    if (settings.ownershipCertificateArn !== undefined) {
      await checkNamed(certificates, settings.ownershipCertificateArn, call, domainName, call.now);
    }
  };

  const certificateOf = (call: Call, domainName: string, wanted: NewDomain["certificate"]): CertificateSource => {
    if ("kind" in wanted) return wanted;
    const { chain, key } = checkUpload(wanted, domainName, call.now);
    return {
      kind: "uploaded",
      ...(wanted.name === undefined ? {} : { name: wanted.name }),
      chain,
      sealedKey: seal.seal(Buffer.from(key, "utf8")),
      uploadedAt: call.now,
    };
  };

  const get = async (place: Place, domainName: string | undefined): Promise<DomainRecord> =>
    store.read(async (reader) => ownedBy(place, await findDomain(reader, (domainName ?? "").toLowerCase())));

  const change: DomainsPort["change"] = (place, domainName, next) =>
    store.transact(async (tx) => {
      const before = ownedBy(place, await findDomain(tx, (domainName ?? "").toLowerCase()));
      const record = await next(before, tx);
      writeDomain(tx, record);
      return record;
    });

  return {
    get,
    change,
    list: (place) => store.read((reader) => listDomains(reader, place)),
    create: async (call, wanted) => {
      const domainName = parseDomainName(wanted.domainName, [...needs.ownHosts, new URL(call.endpoint).hostname]);
      const { tags, ...rest } = wanted;
      const settings: DomainSettings = { ...rest, certificate: certificateOf(call, domainName, wanted.certificate) };
      await checkSettings(call, domainName, settings);
      const trusted = await readTrusted(call, settings);
      const record: DomainRecord = {
        version: 1,
        account: call.account,
        region: call.region,
        ...settings,
        domainName,
        createdAt: call.now,
        id: ids.random(10, lowerAlphanumeric),
        ...(trusted === undefined ? {} : { trusted }),
        tags,
        mappings: [],
        rules: [],
      };
      await store.transact(async (tx) => {
        const taken = await findDomain(tx, domainName);
        if (taken !== undefined) throw isOf(call, taken) ? domainExists() : domainExistsElsewhere();
        if (await needs.isElsewhere(tx, domainName)) throw domainExistsElsewhere();
        const others = await listDomains(tx, call);
        if (others.length >= limits.domainsPerRegionMax) throw tooManyDomains(limits.domainsPerRegionMax);
        writeDomain(tx, record);
      });
      return record;
    },
    update: async (call, domainName, next) => {
      const before = await get(call, domainName);
      const wanted = next(before);
      await checkSettings(call, before.domainName, {
        ...(isSame(wanted.certificate, before.certificate) ? {} : { certificate: wanted.certificate }),
        ...(wanted.ownershipCertificateArn === undefined ||
        wanted.ownershipCertificateArn === before.ownershipCertificateArn
          ? {}
          : { ownershipCertificateArn: wanted.ownershipCertificateArn }),
      });
      const isTrusted = isSame(wanted.truststore, before.truststore) && wanted.endpointType === before.endpointType;
      const trusted = isTrusted ? before.trusted : await readTrusted(call, wanted);
      return change(call, domainName, (now) => {
        const { truststore: _truststore, trusted: _trusted, ownershipCertificateArn: _arn, ...rest } = now;
        return { ...rest, ...wanted, ...(trusted === undefined ? {} : { trusted }) };
      });
    },
    remove: (place, domainName) =>
      store.transact(async (tx) => {
        deleteDomain(tx, ownedBy(place, await findDomain(tx, (domainName ?? "").toLowerCase())));
      }),
    target: targetOf,
    kindOf: async (reader, place, apiId, stage) => {
      const stages = (await listPublishedStages(reader, apiId)).filter((published) => isOf(place, published));
      if (stages.length === 0) throw apiNotFound(place.account, apiId);
      const found = stages.find((published) => published.stageName === stage);
      if (found === undefined) throw stageNotFound();
      return found.kind;
    },
    leadingTo: async (reader, place, apiId, stage) => {
      const leads = (target: { readonly apiId: string; readonly stage?: string }) =>
        target.apiId === apiId && (stage === undefined || target.stage === stage);
      const domains = await listDomains(reader, place);
      return domains
        .filter(({ mappings, rules }) => mappings.some(leads) || rules.some(leads))
        .map(({ domainName }) => domainName);
    },
  };
}

function isSame(a: object | undefined, b: object | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isOf(place: Place, record: Place): boolean {
  return record.account === place.account && record.region === place.region;
}

/** Another account's or region's domain is not told from one that does not exist. */
function ownedBy(place: Place, record: DomainRecord | undefined): DomainRecord {
  if (record === undefined || !isOf(place, record)) throw domainNotFound();
  return record;
}
