import { isIntrinsic } from "./intrinsics.ts";
import { expectMap, ofResource, resourceProblem } from "./problems.ts";
import { asDict, dictOf, display, isAbsent, isDict, isGiven, isList, isString, type Dict } from "./values.ts";

const responseProperties = new Set(["ResponseParameters", "ResponseTemplates", "StatusCode"]);
const parameterPrefixes = [
  ["Headers", "header."],
  ["Paths", "path."],
  ["QueryStrings", "querystring."],
] as const;

/** Checks the shape of `GatewayResponses`. */
export function checkGatewayResponses(apiId: string, responses: Dict): void {
  for (const [type, response] of Object.entries(responses)) {
    if (isIntrinsic(response)) {
      throw resourceProblem(
        apiId,
        "Unable to set GatewayResponses attribute because intrinsic functions are not supported for this field.",
      );
    }
    if (!isDict(response)) {
      throw resourceProblem(
        apiId,
        `Invalid property type '${typeName(response)}' for GatewayResponses. Expected an object of type 'GatewayResponse'.`,
      );
    }
    const unknown = Object.keys(response).find((key) => !responseProperties.has(key));
    if (unknown !== undefined) {
      throw resourceProblem(apiId, `Invalid property '${unknown}' in 'GatewayResponses' property '${type}'.`);
    }
  }
}

function typeName(value: unknown): string {
  if (isAbsent(value)) return "NoneType";
  if (isString(value)) return "Py27UniStr";
  if (isList(value)) return "list";
  return typeof value === "boolean" ? "bool" : Number.isInteger(value) ? "int" : "float";
}

/** Adds gateway responses to a REST API's definition. */
export function addGatewayResponses(definition: Dict, apiId: string, responses: Dict): void {
  const key = "x-amazon-apigateway-gateway-responses";
  const made = Object.entries(responses).map(([type, response]) => [type, toDefinition(apiId, type, asDict(response))]);
  definition[key] = dictOf({ ...asDict(definition[key]), ...Object.fromEntries(made) });
}

function toDefinition(apiId: string, type: string, response: Dict): Dict {
  const culprit = ofResource(apiId);
  const parameters = isGiven(response["ResponseParameters"])
    ? expectMap(response["ResponseParameters"], `GatewayResponses.${type}.ResponseParameters`, culprit)
    : {};
  const unknown = Object.keys(parameters).find((key) => !parameterPrefixes.some(([name]) => name === key));
  if (unknown !== undefined) throw resourceProblem(apiId, `Invalid gateway response parameter '${unknown}'`);
  const status = response["StatusCode"];
  if (isGiven(status) && !/^[0-9]{1,3}$/.test(display(status))) {
    throw resourceProblem(apiId, "Property 'StatusCode' must be numeric");
  }
  const prefixed = dictOf({});
  for (const [name, prefix] of parameterPrefixes) {
    const values = expectMap(parameters[name] ?? {}, `ResponseParameters.${name}`, culprit);
    for (const [key, value] of Object.entries(values)) prefixed[`gatewayresponse.${prefix}${key}`] = value;
  }
  return {
    responseParameters: prefixed,
    responseTemplates: isGiven(response["ResponseTemplates"]) ? response["ResponseTemplates"] : {},
    ...(isAbsent(status) ? {} : { statusCode: display(status) }),
  };
}
