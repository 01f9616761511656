import type { HttpRequest, HttpResponse } from "../../proxy/http-exchange.ts";
import type { Service } from "../../wire/service.ts";
import type { ResourceType } from "../cloudformation/port.ts";
import { openDownload } from "./credentials.ts";
import { createEcrPort } from "./find-image.ts";
import { createLayers } from "./layers.ts";
import type { EcrNeeds } from "./needs.ts";
import { imageOperations } from "./operations/images.ts";
import { layerOperations, layerUrlPath } from "./operations/layers.ts";
import { policyOperations } from "./operations/policies.ts";
import { repositoryOperations } from "./operations/repositories.ts";
import { tagOperations } from "./operations/tags.ts";
import { tokenOperations } from "./operations/tokens.ts";
import type { EcrPort } from "./port.ts";
import { createRegistry } from "./registry/registry.ts";
import { repositoryType } from "./resources/repository.ts";
import { handleEcrJobs } from "./worker.ts";

export interface Ecr {
  readonly service: Service;
  readonly port: EcrPort;
  readonly resourceTypes: readonly ResourceType[];
  /** Answers requests below `/v2/` of the registry's protocol. Never rejects. */
  readonly registry: (request: HttpRequest, response: HttpResponse) => Promise<void>;
  /** The layer behind the path of a `downloadUrl`; undefined for any other path, and when its token is forged or has expired. */
  downloadLayer(path: string): AsyncIterable<Uint8Array> | undefined;
}

/** ECR: repositories, images, and the registry that container tools push to. */
export function createEcr(needs: EcrNeeds): Ecr {
  handleEcrJobs(needs);
  const all = { ...needs, layers: createLayers(needs) };
  return {
    service: {
      name: "ecr",
      operations: {
        ...repositoryOperations(all),
        ...imageOperations(all),
        ...layerOperations(all),
        ...policyOperations(all),
        ...tagOperations(all),
        ...tokenOperations(all),
      },
    },
    port: createEcrPort(needs),
    resourceTypes: [repositoryType],
    registry: createRegistry(all),
    downloadLayer(path) {
      if (!path.startsWith(layerUrlPath)) return undefined;
      const blobId = openDownload(needs.seal, path.slice(layerUrlPath.length), needs.clock.now());
      return blobId === undefined ? undefined : needs.blobs.read(blobId);
    },
  };
}
