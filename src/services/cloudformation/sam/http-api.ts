import { httpDomain } from "./api-domain.ts";
import { resolve, type Context, type SamResource } from "./context.ts";
import { deepGet, pathsOf } from "./definition.ts";
import { generate, propagateTags, type Generated } from "./generated.ts";
import { parseHttpAuthorizers, toSecurityScheme } from "./http-authorizers.ts";
import { managed } from "./implicit-apis.ts";
import { isIntrinsic, isNoValue, ref } from "./intrinsics.ts";
import { isAlphanumeric, suffixedId } from "./logical-ids.ts";
import {
  addHttpCors,
  addSecuritySchemes,
  addTags,
  defaultPath,
  disableDefaultEndpoint,
  hasGeneratedTitle,
  isOpenApi,
  openOpenApi,
  setDefaultRouteAuthorizer,
  setInfo,
} from "./open-api.ts";
import { expectString, resourceProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { authorizerPermission } from "./rest-api.ts";
import { definitionLocation } from "./s3-location.ts";
import { asDict, dictOf, isAbsent, isDict, isGiven, isSame, isString, type Dict } from "./values.ts";

export const httpApiProperties: PropertyRules = {
  [managed]: "boolean",
  Name: "any",
  StageName: "string|map",
  Tags: "map",
  PropagateTags: "boolean",
  DefinitionBody: "map",
  DefinitionUri: "string|map",
  StageVariables: "map",
  CorsConfiguration: "boolean|map",
  AccessLogSettings: "map",
  DefaultRouteSettings: "map",
  Auth: "map",
  RouteSettings: "map",
  Domain: "map",
  FailOnWarnings: "boolean",
  Description: "string",
  DisableExecuteApiEndpoint: "boolean",
};

const createdBy = { "httpapi:createdBy": "SAM" };
const authNames = new Set(["Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer"]);
const corsNames = new Set([
  "AllowMethods",
  "AllowHeaders",
  "AllowOrigins",
  "MaxAge",
  "ExposeHeaders",
  "AllowCredentials",
]);

/** `AWS::Serverless::HttpApi`: an HTTP API with its stage, and what authorizers and domains need. */
export function transformHttpApi(context: Context, sam: SamResource): Generated[] {
  const { properties, id } = sam;
  for (const name of ["CorsConfiguration", "Domain"]) properties[name] = resolve(context, properties[name]);
  const uri = properties["DefinitionUri"];
  const given = properties["DefinitionBody"];
  if (isGiven(uri) && isGiven(given)) {
    throw resourceProblem(id, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.");
  }
  const body = buildDefinition(context, sam, isDict(given) && isGiven(given) ? given : undefined);
  if (!isGiven(uri) && !isGiven(body)) {
    throw resourceProblem(
      id,
      "'DefinitionUri' or 'DefinitionBody' are required properties of an 'AWS::Serverless::HttpApi'. Add a value for one of these properties or add a 'HttpApi' event to an 'AWS::Serverless::Function'.",
    );
  }
  const api = generate(
    id,
    "AWS::ApiGatewayV2::Api",
    {
      ...(isGiven(uri) ? { BodyS3Location: definitionLocation(id, uri) } : { Body: body }),
      ...(isGiven(properties["FailOnWarnings"]) ? { FailOnWarnings: properties["FailOnWarnings"] } : {}),
    },
    sam.attributes,
    sam.resource["DependsOn"],
  );
  const tags = isDict(body) && isOpenApi(body) ? { ...asDict(properties["Tags"]), ...createdBy } : properties["Tags"];
  const domain = httpDomain(context, sam, properties["Domain"], createdBy);
  const permissions = [...parseHttpAuthorizers(id, asDict(properties["Auth"])).values()]
    .filter(({ config }) => isGiven(config["FunctionArn"]) && isGiven(config["EnableFunctionDefaultPermissions"]))
    .map(({ name, config }) => authorizerPermission("${AWS::Partition}", sam, name, config["FunctionArn"]));
  const resources = [api, ...permissions, ...domain, stageOf(sam, tags)];
  if (!isAbsent(given) && isGiven(properties["Tags"])) propagateTags(resources, tags);
  return resources;
}

function stageOf(sam: SamResource, tags: unknown): Generated {
  const { properties, id } = sam;
  const name = isGiven(properties["StageName"]) ? properties["StageName"] : defaultPath;
  const plain = isString(name) ? name : "";
  const stageId =
    plain === defaultPath
      ? `${id}ApiGatewayDefaultStage`
      : isAlphanumeric(plain)
        ? `${id}${plain}Stage`
        : suffixedId(`${id}Stage`, plain);
  return generate(
    stageId,
    "AWS::ApiGatewayV2::Stage",
    {
      ApiId: ref(id),
      StageName: name,
      StageVariables: properties["StageVariables"],
      AccessLogSettings: properties["AccessLogSettings"],
      DefaultRouteSettings: properties["DefaultRouteSettings"],
      Tags: tags,
      AutoDeploy: true,
      RouteSettings: properties["RouteSettings"],
    },
    sam.inherited,
  );
}

/** The definition with what the properties add to it, in AWS's order. */
function buildDefinition(context: Context, sam: SamResource, given: Dict | undefined): Dict | undefined {
  const { properties } = sam;
  let body = given;
  const withInline = (name: string): Dict => {
    if (body) return body;
    throw resourceProblem(
      sam.id,
      name === "Cors"
        ? "Cors works only with inline OpenApi specified in 'DefinitionBody' property."
        : `${name} works only with inline OpenApi specified in the 'DefinitionBody' property.`,
    );
  };
  if (isGiven(properties["CorsConfiguration"]))
    body = withCors(sam, withInline("Cors"), properties["CorsConfiguration"]);
  if (isGiven(properties["Auth"])) body = withAuth(context, sam, withInline("Auth"), asDict(properties["Auth"]));
  if (isGiven(properties["Tags"])) withInline("Tags");
  if (body) body = withTags(sam, body);
  if (!isAbsent(properties["DisableExecuteApiEndpoint"])) {
    if (!body) {
      throw resourceProblem(sam.id, "DisableExecuteApiEndpoint works only within 'DefinitionBody' property.");
    }
    body = openOpenApi(body);
    disableDefaultEndpoint(body, properties["DisableExecuteApiEndpoint"]);
  }
  if (isGiven(properties["Name"])) body = withTitle(sam, withInline("Name"), properties["Name"]);
  if (isGiven(properties["Description"])) {
    body = withDescription(sam, withInline("Description"), properties["Description"]);
  }
  const paths = body ? pathsOf(body) : {};
  if (isGiven(properties["FailOnWarnings"]) && Object.hasOwn(paths, defaultPath)) {
    paths[`/${defaultPath}`] = paths[defaultPath];
    Reflect.deleteProperty(paths, defaultPath);
  }
  return body;
}

function withCors(sam: SamResource, body: Dict, cors: unknown): Dict {
  let settings: Dict;
  if (typeof cors === "boolean") settings = { AllowOrigins: ["*"] };
  else if (isIntrinsic(cors)) settings = { AllowOrigins: cors };
  else if (isDict(cors)) settings = cors;
  else throw resourceProblem(sam.id, "Invalid value for 'Cors' property.");
  const wrong = Object.keys(settings).find((key) => !corsNames.has(key));
  if (wrong !== undefined) throw resourceProblem(sam.id, `Invalid key '${wrong}' for 'Cors' property.`);
  if (!isOpenApi(body)) {
    throw resourceProblem(
      sam.id,
      "Unable to add Cors configuration because 'DefinitionBody' does not contain a valid OpenApi definition.",
    );
  }
  if (settings["AllowCredentials"] === true && isSame(settings["AllowOrigins"], ["*"])) {
    throw resourceProblem(
      sam.id,
      `Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is "'*'" or not set.`,
    );
  }
  const definition = openOpenApi(body);
  addHttpCors(definition, settings);
  return definition;
}

function withAuth(context: Context, sam: SamResource, body: Dict, auth: Dict): Dict {
  if (Object.keys(auth).some((key) => !authNames.has(key))) {
    throw resourceProblem(sam.id, "Invalid value for 'Auth' property");
  }
  if (!isOpenApi(body)) {
    throw resourceProblem(
      sam.id,
      "Unable to add Auth configuration because 'DefinitionBody' does not contain a valid OpenApi definition.",
    );
  }
  const definition = openOpenApi(body);
  const authorizers = parseHttpAuthorizers(sam.id, auth);
  const schemes = [...authorizers].map(
    ([name, authorizer]) => [name, toSecurityScheme(sam.id, context.partition, authorizer)] as const,
  );
  addSecuritySchemes(definition, new Map(schemes));
  const name = auth["DefaultAuthorizer"];
  if (!isGiven(name) || isNoValue(name)) return definition;
  const chosen = authorizers.get(expectString(name, "Auth.DefaultAuthorizer", sam.culprit));
  if (!chosen) {
    throw resourceProblem(
      sam.id,
      `Unable to set DefaultAuthorizer because '${String(name)}' was not defined in 'Authorizers'.`,
    );
  }
  const scopes = chosen.config["AuthorizationScopes"] ?? [];
  for (const path of Object.keys(pathsOf(definition))) setDefaultRouteAuthorizer(definition, path, chosen.name, scopes);
  return definition;
}

function withTags(sam: SamResource, body: Dict): Dict {
  if (!isOpenApi(body)) {
    if (!isGiven(sam.properties["Tags"])) return body;
    throw resourceProblem(
      sam.id,
      "Unable to add `Tags` because 'DefinitionBody' does not contain a valid OpenApi definition.",
    );
  }
  const definition = openOpenApi(body);
  addTags(definition, dictOf({ ...asDict(sam.properties["Tags"]), ...createdBy }));
  return definition;
}

function withTitle(sam: SamResource, body: Dict, name: unknown): Dict {
  const { wrong } = deepGet(body, ["info", "title"]);
  if (wrong !== undefined) throw resourceProblem(sam.id, `Invalid 'DefinitionBody': ${wrong}.`);
  if (!hasGeneratedTitle(body)) {
    throw resourceProblem(
      sam.id,
      "Unable to set Name because it is already defined within inline OpenAPI specified in the 'DefinitionBody' property.",
    );
  }
  const definition = openOpenApi(body);
  setInfo(definition, "title", name);
  return definition;
}

function withDescription(sam: SamResource, body: Dict, description: unknown): Dict {
  const { value, wrong } = deepGet(body, ["info", "description"]);
  // AWS: the quotation mark at the end is in the message.
  if (wrong !== undefined) throw resourceProblem(sam.id, `Invalid 'DefinitionBody': ${wrong}'.`);
  if (isGiven(value)) {
    throw resourceProblem(
      sam.id,
      "Unable to set Description because it is already defined within inline OpenAPI specified in the 'DefinitionBody' property.",
    );
  }
  const definition = openOpenApi(body);
  setInfo(definition, "description", description);
  return definition;
}
