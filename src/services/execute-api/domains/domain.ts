import type { Reader, Transaction } from "../../../kernel/store/store.ts";
import type { Call } from "../../../wire/service.ts";

/** Where a domain name lives: state is per account and region, names are of the whole installation. */
export type Place = Pick<Call, "account" | "region">;

/** What the owner of a custom domain name has chosen. REST, HTTP and WebSocket APIs share domain names. */
export interface DomainSettings {
  readonly endpointType: "EDGE" | "REGIONAL";
  readonly ipAddressType: "ipv4" | "dualstack";
  readonly routingMode: RoutingMode;
  readonly certificate: CertificateSource;
  readonly ownershipCertificateArn?: string;
  readonly truststore?: TruststoreSource;
}

/** How stages are found: by API mappings (base path mappings), by routing rules, or by rules first. */
export type RoutingMode = "mappings" | "rules" | "rules-then-mappings";

export type CertificateSource =
  /** Names files of the operator's folder of certificates. */
  | { readonly kind: "named"; readonly arn: string; readonly name?: string }
  | {
      readonly kind: "uploaded";
      readonly name?: string;
      /** PEM: the certificate and those between it and its root, its own first. */
      readonly chain: string;
      /** PEM, sealed with the server's key. */
      readonly sealedKey: Uint8Array;
      readonly uploadedAt: number;
    };

export interface TruststoreSource {
  /** `s3://bucket/key` */
  readonly uri: string;
  readonly version?: string;
}

export interface DomainRecord extends DomainSettings, Place {
  readonly version: 1;
  /** In lower case; `*.example.com` stands for every name one label longer. */
  readonly domainName: string;
  readonly createdAt: number;
  /** Ten characters that name its target: `d-{id}.execute-api.…`. */
  readonly id: string;
  /** The truststore as it was read. */
  readonly trusted?: { readonly bundle: string; readonly warnings: readonly string[] };
  readonly tags: Readonly<Record<string, string>>;
  readonly mappings: readonly DomainMapping[];
  readonly rules: readonly RoutingRule[];
}

/** A base path of the domain and the stage that answers below it. */
export interface DomainMapping {
  readonly id: string;
  /** Without slashes at its ends; empty for the whole domain. */
  readonly key: string;
  readonly apiId: string;
  /** Absent: the path's next part names the stage, as base path mappings may have it. */
  readonly stage?: string;
  readonly kind: "rest" | "http" | "websocket";
}

export interface RoutingRule {
  readonly id: string;
  readonly priority: number;
  /** All must hold. */
  readonly conditions: readonly RuleCondition[];
  readonly apiId: string;
  readonly stage: string;
  readonly stripBasePath: boolean;
}

/** One of the values must match. */
export type RuleCondition =
  | { readonly kind: "base-paths"; readonly anyOf: readonly string[] }
  | { readonly kind: "headers"; readonly anyOf: readonly { readonly header: string; readonly valueGlob: string }[] };

/** A certificate that comes with the request, as CreateDomainName of REST APIs takes it. */
export interface CertificateUpload {
  readonly name?: string | undefined;
  readonly body: string;
  readonly privateKey: string;
  readonly chain?: string | undefined;
}

export type NewDomain = Omit<DomainSettings, "certificate"> & {
  readonly domainName: string;
  readonly certificate: Extract<CertificateSource, { kind: "named" }> | CertificateUpload;
  readonly tags: Readonly<Record<string, string>>;
};

/** Custom domain names, as both control planes need them. Each change is on the air when it resolves. */
export interface DomainsPort {
  /** @throws {AwsError} BadRequestException for what cannot be served, ConflictException for a name that is taken */
  create(call: Call, wanted: NewDomain): Promise<DomainRecord>;
  /** @throws {AwsError} NotFoundException */
  get(place: Place, domainName: string | undefined): Promise<DomainRecord>;
  list(place: Place): Promise<DomainRecord[]>;
  /** Change the settings; a truststore that `next` names anew is read again. */
  update(
    call: Call,
    domainName: string | undefined,
    next: (before: DomainRecord) => DomainSettings,
  ): Promise<DomainRecord>;
  /** Change tags, mappings or rules, in one transaction; `next` may run again. */
  change(
    place: Place,
    domainName: string | undefined,
    next: (before: DomainRecord, tx: Transaction) => Promise<DomainRecord> | DomainRecord,
  ): Promise<DomainRecord>;
  remove(place: Place, domainName: string | undefined): Promise<void>;
  /**
   * What kind of API a stage belongs to. It must be on the air.
   *
   * @throws {AwsError} NotFoundException for an API that the caller does not have, and for a stage that it has not
   */
  kindOf(reader: Reader, place: Place, apiId: string, stage: string): Promise<DomainMapping["kind"]>;
  /**
   * Where the domain's DNS record would point to, and the hosted zone of such names, where AWS has one for the region.
   *
   * @param endpoint the platform's address as the caller reached it
   */
  target(record: DomainRecord, endpoint: string): DomainTarget;
  /** The names of the domains that lead to an API, or to one of its stages. */
  leadingTo(reader: Reader, place: Place, apiId: string, stage?: string): Promise<string[]>;
}

/** Of a domain as a whole; `d-{id}.execute-api.{region}.…`, or a distribution's. */
export interface DomainTarget {
  readonly domainName: string;
  readonly hostedZoneId: string | undefined;
}
