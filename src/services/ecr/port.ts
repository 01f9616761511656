/** What other services may ask of the registry without going through the wire. */
export interface EcrPort {
  /**
   * The image that a URI names: `ACCOUNT.dkr.ecr.REGION.any.suffix[:port]/name:tag` (or `@sha256:…`), or `127.0.0.1:port/name:tag` and
   * `localhost:port/name:tag` for the registry of `near`. A URI without either means `latest`.
   */
  findImage(uri: string, near: RegistryPlace): Promise<FoundImage>;
  /** A layer or a config of a repository; undefined when it has none of that digest. */
  readLayer(repository: RepositoryReference, digest: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

export interface RegistryPlace {
  readonly account: string;
  readonly region: string;
}

export interface RepositoryReference extends RegistryPlace {
  readonly name: string;
}

export type FoundImage =
  /** The URI is not one of a registry of this platform. */
  | { readonly found: "nothing"; readonly why: "malformed" | "missing" }
  | {
      readonly found: "image";
      readonly repository: RepositoryReference;
      readonly repositoryArn: string;
      /** The repository's policy, a JSON document. */
      readonly policy?: string;
      readonly digest: string;
      readonly mediaType: string;
      /** The manifest as it was pushed. */
      readonly manifest: string;
      /** The URI with the digest in the place of the tag. */
      readonly resolvedUri: string;
    };
