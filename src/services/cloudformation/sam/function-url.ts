import type { SamResource } from "./context.ts";
import { generate, type Generated } from "./generated.ts";
import { isIntrinsic, ref } from "./intrinsics.ts";
import { expectMap, resourceProblem } from "./problems.ts";
import { asDict, isGiven, isList, isString, type Dict } from "./values.ts";

const corsTypes = new Map([
  ["AllowOrigins", "list"],
  ["AllowMethods", "list"],
  ["AllowCredentials", "bool"],
  ["AllowHeaders", "list"],
  ["ExposeHeaders", "list"],
  ["MaxAge", "int"],
]);

/** `FunctionUrlConfig`: the function's URL, and who may call it when anyone may. */
export function functionUrl(sam: SamResource, alias: Generated | undefined): Generated[] {
  const config = asDict(sam.properties["FunctionUrlConfig"]);
  if (!isGiven(config)) return [];
  const target = ref(alias?.id ?? sam.id);
  const auth = config["AuthType"];
  if (!isIntrinsic(config)) checkUrlConfig(sam, config);
  const url = generate(
    `${sam.id}Url`,
    "AWS::Lambda::Url",
    {
      Cors: isGiven(config["Cors"]) ? config["Cors"] : undefined,
      AuthType: auth,
      TargetFunctionArn: target,
      InvokeMode: config["InvokeMode"],
    },
    sam.inherited,
  );
  if (isIntrinsic(config) || auth !== "NONE") return [url];
  const permission = (suffix: string, properties: Dict) =>
    generate(
      sam.id + suffix,
      "AWS::Lambda::Permission",
      { FunctionName: target, Principal: "*", ...properties },
      sam.inherited,
    );
  return [
    url,
    permission("UrlPublicPermissions", { Action: "lambda:InvokeFunctionUrl", FunctionUrlAuthType: auth }),
    permission("URLInvokeAllowPublicAccess", { Action: "lambda:InvokeFunction", InvokedViaFunctionUrl: true }),
  ];
}

function checkUrlConfig(sam: SamResource, config: Dict): void {
  const auth = config["AuthType"];
  if (!isIntrinsic(auth) && auth !== "AWS_IAM" && auth !== "NONE") {
    throw resourceProblem(
      sam.id,
      "AuthType is required to configure function property `FunctionUrlConfig`. Please provide either AWS_IAM or NONE.",
    );
  }
  const cors = config["Cors"];
  if (!isGiven(cors) || isIntrinsic(cors)) return;
  for (const [name, value] of Object.entries(expectMap(cors, "FunctionUrlConfig.Cors", sam.culprit))) {
    const type = corsTypes.get(name);
    if (type === undefined) {
      throw resourceProblem(sam.id, `${name} is not a valid property for configuring Cors.`);
    }
    if (!isIntrinsic(value) && !isOfType(value, type)) {
      throw resourceProblem(sam.id, `${name} must be of type ${type}.`);
    }
  }
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "list") return isList(value);
  if (isString(value)) return false;
  return typeof value === "boolean" || (type === "int" && Number.isInteger(value));
}
