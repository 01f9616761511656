import type { ResourceType } from "../../cloudformation/port.ts";
import { aliasType } from "./alias.ts";
import { capacityProviderType } from "./capacity-provider.ts";
import { codeSigningConfigType } from "./code-signing-config.ts";
import { eventInvokeConfigType } from "./event-invoke-config.ts";
import { eventSourceMappingType } from "./event-source-mapping.ts";
import { functionType } from "./function.ts";
import { layerVersionPermissionType, layerVersionType } from "./layer-version.ts";
import { permissionType } from "./permission.ts";
import { urlType } from "./url.ts";
import { versionType } from "./version.ts";

export const lambdaResourceTypes: readonly ResourceType[] = [
  functionType,
  versionType,
  aliasType,
  permissionType,
  layerVersionType,
  layerVersionPermissionType,
  eventInvokeConfigType,
  eventSourceMappingType,
  urlType,
  codeSigningConfigType,
  capacityProviderType,
];
