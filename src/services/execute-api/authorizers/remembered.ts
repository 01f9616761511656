import { createLru, type Lru } from "../../../access/lru.ts";
import type { AuthorizerFacts } from "../context/request-facts.ts";
import type { PublishedHttpAuthorizer, PublishedRestAuthorizer, PublishedStage } from "../port.ts";
import type { LambdaGrant } from "./lambda-grant.ts";
import { authorizerLimits as limits } from "./limits.ts";

/**
 * What authorizers have said, by stage. A stage may be compiled again without having changed (another API was deployed):
 * what its authorizers said is still there. When it has changed, or its cache was flushed, it is forgotten.
 */
export interface Remembered {
  results(stage: PublishedStage, authorizer: Authorizer): Lru<RememberedGrant>;
  tokens(stage: PublishedStage, authorizer: Authorizer): Lru<RememberedToken>;
}

type Authorizer = PublishedRestAuthorizer | PublishedHttpAuthorizer;

export interface RememberedGrant {
  readonly grant: LambdaGrant;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** A token that was verified. */
export interface RememberedToken {
  /** When it must be verified again, at its end at the latest: epoch milliseconds. */
  readonly until: number;
  readonly scopes: readonly string[];
  /** What requests with it are let through with, where the route asks for no scopes. */
  readonly facts: AuthorizerFacts;
  /** Its claims as JSON text. */
  readonly claimsText: string;
  readonly tokenUse: unknown;
}

interface Entry {
  readonly fingerprint: string;
  readonly results: Map<string, Lru<RememberedGrant>>;
  readonly tokens: Map<string, Lru<RememberedToken>>;
}

export function createRemembered(): Remembered {
  const stages = createLru<Entry>(limits.stagesMax);
  const entryOf = (stage: PublishedStage): Entry => {
    // A canary has two deployments on one stage.
    const name = `${stage.apiId}/${stage.stageName}/${stage.deploymentId}`;
    const fingerprint = fingerprintOf(stage);
    const known = stages.get(name);
    if (known !== undefined && known.fingerprint === fingerprint) return known;
    const entry: Entry = { fingerprint, results: new Map(), tokens: new Map() };
    stages.set(name, entry);
    return entry;
  };
  return {
    results: (stage, { id }) => ofAuthorizer(entryOf(stage).results, id, limits.resultsMax),
    tokens: (stage, { id }) => ofAuthorizer(entryOf(stage).tokens, id, limits.tokensMax),
  };
}

function ofAuthorizer<V>(byId: Map<string, Lru<V>>, id: string, sizeMax: number): Lru<V> {
  let found = byId.get(id);
  if (found === undefined) {
    found = createLru<V>(sizeMax);
    byId.set(id, found);
  }
  return found;
}

function fingerprintOf(stage: PublishedStage): string {
  const { deploymentId, variables } = stage;
  if (stage.kind === "websocket") return JSON.stringify([deploymentId, variables]);
  return JSON.stringify([deploymentId, variables, stage.authorizers ?? [], stage.authorizersFlushedAt ?? 0]);
}
