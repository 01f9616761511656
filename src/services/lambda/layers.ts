import type { Call } from "../../wire/service.ts";
import type { Store } from "../../kernel/store/store.ts";
import { invalidParameter, unzippedTooLarge } from "./errors.ts";
import { toPolicyDocument } from "./functions.ts";
import { lambdaLimits } from "./limits.ts";
import { keyOf, type CodePackage, type LayerReference, type LayerVersion, type PolicyRecord } from "./model.ts";
import { parseLayerVersionArn } from "./names.ts";

/** The layers that a function's configuration names; the caller must be allowed to use each. */
export async function readLayers(arns: readonly string[], call: Call, store: Store): Promise<LayerReference[]> {
  if (arns.length > lambdaLimits.layersMax) {
    throw invalidParameter("Layers limit exceeded: a function can have at most 5 layers.");
  }
  const parsed = arns.map((arn) => {
    const layer = parseLayerVersionArn(arn);
    if (!layer) throw invalidParameter(`Layer version ${arn} does not exist.`);
    if (layer.region !== call.region) {
      throw invalidParameter(`Layer version ${arn} is not in the region of the function (${call.region}).`);
    }
    return { arn, layer };
  });
  if (new Set(parsed.map(({ layer }) => `${layer.account}/${layer.name}`)).size < parsed.length) {
    throw invalidParameter(
      "Two different versions of the same layer are not allowed to be referenced in the same function.",
    );
  }
  const found: LayerReference[] = [];
  for (const { arn, layer } of parsed) {
    const [version, policy] = await store.read(async (reader) => [
      await reader.get<LayerVersion>(keyOf("layerVersion", layer, layer.name, layer.version)),
      await reader.get<PolicyRecord>(keyOf("layerPolicy", layer, layer.name, layer.version)),
    ]);
    await call.authorize({
      action: "lambda:GetLayerVersion",
      resource: arn,
      resourceAccount: layer.account,
      ...(policy && { resourcePolicy: toPolicyDocument(policy) }),
    });
    if (!version) throw invalidParameter(`Layer version ${arn} does not exist.`);
    found.push({ arn, code: version.code });
  }
  return found;
}

/** AWS: a function and its layers together, unzipped. */
export function checkUnzippedTotal(code: CodePackage, layers: readonly LayerReference[]): void {
  const total = layers.reduce((sum, layer) => sum + layer.code.unzippedBytes, code.unzippedBytes);
  if (total > lambdaLimits.unzippedBytesMax) throw unzippedTooLarge(lambdaLimits.unzippedBytesMax);
}
