import { restDomain } from "./api-domain.ts";
import { arnSub } from "./arns.ts";
import type { Context, SamResource } from "./context.ts";
import { resolve } from "./context.ts";
import { isOpenApi3, pathsOf, requireMap, versionText } from "./definition.ts";
import { addGatewayResponses, checkGatewayResponses } from "./gateway-responses.ts";
import { generate, propagateTags, tagList, type Generated } from "./generated.ts";
import { managed } from "./implicit-apis.ts";
import { isIntrinsic, ref } from "./intrinsics.ts";
import { hashSuffix, suffixedId } from "./logical-ids.ts";
import { Problem, resourceProblem } from "./problems.ts";
import type { PropertyRules } from "./property-rules.ts";
import { addCustomStatements, addResourcePolicy } from "./resource-policy.ts";
import { parseRestAuthorizers, toSecurityDefinition } from "./rest-authorizers.ts";
import { definitionLocation } from "./s3-location.ts";
import {
  addAuthorizers,
  addCors,
  addModels,
  disableExecuteApi,
  isSwagger,
  openSwagger,
  setDefaultApiKey,
  setDefaultAuthorizer,
  toOpenApi3,
  unescapeMediaTypes,
} from "./swagger.ts";
import { usagePlan } from "./usage-plan.ts";
import { asDict, canonicalJson, copyDict, display, isAbsent, isDict, isGiven, isString, type Dict } from "./values.ts";

export const restApiProperties: PropertyRules = {
  [managed]: "boolean",
  Name: "string|map",
  StageName: "string|map!",
  Tags: "map",
  PropagateTags: "boolean",
  DefinitionBody: "map",
  DefinitionUri: "string|map",
  MergeDefinitions: "=boolean",
  CacheClusterEnabled: "boolean",
  CacheClusterSize: "string",
  Variables: "map",
  EndpointConfiguration: "string|map",
  MethodSettings: "list",
  BinaryMediaTypes: "list",
  MinimumCompressionSize: "integer",
  Cors: "string|map",
  Auth: "map",
  GatewayResponses: "map",
  AccessLogSetting: "map",
  CanarySetting: "map",
  TracingEnabled: "boolean",
  OpenApiVersion: "string",
  Models: "map",
  Domain: "map",
  FailOnWarnings: "boolean",
  Description: "string",
  Mode: "string",
  DisableExecuteApiEndpoint: "boolean",
  ApiKeySourceType: "string",
  AlwaysDeploy: "=boolean",
  Policy: "string|map",
  SecurityPolicy: "string",
  EndpointAccessMode: "string",
};

/** `AWS::Serverless::Api`: a REST API with its deployment and stage, and what authorizers, domains and usage plans need. */
export function transformRestApi(context: Context, sam: SamResource): Generated[] {
  const { properties } = sam;
  for (const name of ["BinaryMediaTypes", "Domain", "Auth"]) properties[name] = resolve(context, properties[name]);
  const api = restApi(context, sam);
  const domain = restDomain(context, sam, properties["Domain"]);
  const content = api.properties["Body"] ?? api.properties["BodyS3Location"];
  const deployment = deploymentOf(context, sam, content);
  const stage = stageOf(sam, deployment.id);
  const auth = asDict(properties["Auth"]);
  const permissions = authorizerPermissions(context, sam, auth);
  const plan = usagePlan(context, sam, auth["UsagePlan"], stage.id);
  const resources = [api, deployment, stage, ...permissions, ...domain, ...plan];
  if (isGiven(properties["PropagateTags"])) propagateTags(resources, properties["Tags"]);
  return resources;
}

function restApi(context: Context, sam: SamResource): Generated {
  const { properties, id } = sam;
  const uri = properties["DefinitionUri"];
  if (isGiven(uri) && isGiven(properties["DefinitionBody"])) {
    throw resourceProblem(id, "Specify either 'DefinitionUri' or 'DefinitionBody' property and not both.");
  }
  if (isGiven(uri) && isGiven(properties["MergeDefinitions"])) {
    throw resourceProblem(id, "Cannot set 'MergeDefinitions' to True when using `DefinitionUri`.");
  }
  const version = properties["OpenApiVersion"];
  if (isGiven(version) && !/^[2-3](\.\d)(\.\d)?$/.test(display(version))) {
    throw resourceProblem(id, "The OpenApiVersion value must be of the format '3.0.0'.");
  }
  const endpoint = endpointProperties(context, sam);
  const definition = new Definition(context, sam);
  const body = definition.build();
  const optional = (names: readonly string[]): Dict =>
    Object.fromEntries(names.filter((name) => isGiven(properties[name])).map((name) => [name, properties[name]]));
  return generate(
    id,
    "AWS::ApiGateway::RestApi",
    {
      BinaryMediaTypes: properties["BinaryMediaTypes"],
      MinimumCompressionSize: properties["MinimumCompressionSize"],
      ...endpoint,
      ...(isGiven(uri) ? { BodyS3Location: definitionLocation(id, uri) } : { Body: body }),
      ...optional([
        "FailOnWarnings",
        "Name",
        "Description",
        "Mode",
        "ApiKeySourceType",
        "Policy",
        "SecurityPolicy",
        "EndpointAccessMode",
      ]),
    },
    sam.attributes,
    sam.resource["DependsOn"],
  );
}

function endpointProperties(context: Context, sam: SamResource): Dict {
  let value = sam.properties["EndpointConfiguration"];
  if (!isGiven(value)) {
    // Partitions without edge-optimized endpoints.
    const withoutEdge =
      context.partition.startsWith("aws-iso") || ["aws-us-gov", "aws-cn", "aws-eusc"].includes(context.partition);
    if (!withoutEdge) return {};
    value = "REGIONAL";
  }
  if (!isDict(value) || !isGiven(value["Type"])) {
    return { EndpointConfiguration: { Types: [value] }, Parameters: { endpointConfigurationTypes: value } };
  }
  const hasOld = Object.hasOwn(value, "VPCEndpointIds");
  const hasNew = Object.hasOwn(value, "VpcEndpointIds");
  if (hasOld && hasNew) {
    throw resourceProblem(
      sam.id,
      "'VPCEndpointIds' and 'VpcEndpointIds' cannot be used together in EndpointConfiguration.",
    );
  }
  const endpoints = isGiven(value["VPCEndpointIds"]) ? value["VPCEndpointIds"] : value["VpcEndpointIds"];
  return {
    Parameters: { endpointConfigurationTypes: value["Type"] },
    EndpointConfiguration: {
      Types: [value["Type"]],
      ...(hasOld || hasNew ? { VpcEndpointIds: endpoints } : {}),
      ...(Object.hasOwn(value, "IpAddressType") ? { IpAddressType: value["IpAddressType"] } : {}),
    },
  };
}

const corsNames = new Set(["AllowMethods", "AllowHeaders", "AllowOrigin", "MaxAge", "AllowCredentials"]);
const authNames = new Set([
  "Authorizers",
  "DefaultAuthorizer",
  "InvokeRole",
  "AddDefaultAuthorizerToCorsPreflight",
  "AddApiKeyRequiredToCorsPreflight",
  "ApiKeyRequired",
  "ResourcePolicy",
  "UsagePlan",
]);

/** The inline definition of an API, with what its properties add to it, in AWS's order. */
class Definition {
  readonly #context: Context;
  readonly #sam: SamResource;
  #body: Dict | undefined;

  constructor(context: Context, sam: SamResource) {
    this.#context = context;
    this.#sam = sam;
    const body = sam.properties["DefinitionBody"];
    this.#body = isDict(body) && isGiven(body) ? body : undefined;
  }

  build(): Dict | undefined {
    this.#addCors();
    this.#addAuth();
    this.#addGatewayResponses();
    this.#addBinaryMediaTypes();
    this.#addModels();
    this.#disableEndpoint();
    if (this.#body) this.#normalizeVersion(this.#body);
    return this.#body;
  }

  #refuse(message: string): Problem {
    return resourceProblem(this.#sam.id, message);
  }

  /** A copy to edit, once the property is known to fit a definition that stands in the template. */
  #open(inlineOnly: string, notValid: string): Dict {
    if (!this.#body) throw this.#refuse(inlineOnly);
    if (!isSwagger(this.#body)) throw this.#refuse(notValid);
    this.#body = openSwagger(this.#body);
    return this.#body;
  }

  #addCors(): void {
    const cors = this.#sam.properties["Cors"];
    if (!isGiven(cors)) return;
    if (!this.#body) {
      throw this.#refuse("Cors works only with inline Swagger specified in 'DefinitionBody' property.");
    }
    if (!isString(cors) && !isDict(cors)) throw this.#refuse("Invalid value for 'Cors' property");
    const settings: Dict = isString(cors) || isIntrinsic(cors) ? { AllowOrigin: cors } : cors;
    const wrong = Object.keys(settings).find((key) => !corsNames.has(key));
    if (wrong !== undefined) throw this.#refuse(`Invalid key '${wrong}' for 'Cors' property.`);
    const origins = Object.hasOwn(settings, "AllowOrigin") ? settings["AllowOrigin"] : "'*'";
    const editing = () =>
      this.#open(
        "",
        "Unable to add Cors configuration because 'DefinitionBody' does not contain a valid Swagger definition.",
      );
    if (!isSwagger(this.#body)) editing();
    if (settings["AllowCredentials"] === true && origins === "'*'") {
      throw this.#refuse(
        `Unable to add Cors configuration because 'AllowCredentials' can not be true when 'AllowOrigin' is "'*'" or not set`,
      );
    }
    const definition = editing();
    const done = new Set<string>();
    for (const path of Object.keys(pathsOf(definition))) {
      const plain = path === "/" ? path : path.replace(/\/+$/, "");
      if (done.has(plain)) continue;
      done.add(plain);
      try {
        addCors(definition, path, {
          origins,
          headers: settings["AllowHeaders"],
          methods: settings["AllowMethods"],
          maxAge: settings["MaxAge"],
          credentials: settings["AllowCredentials"],
        });
      } catch (error) {
        if (error instanceof Problem && !error.fatal) throw this.#refuse(error.message);
        throw error;
      }
    }
  }

  #addAuth(): void {
    const auth = asDict(this.#sam.properties["Auth"]);
    if (!isGiven(auth)) return;
    if (!this.#body) {
      throw this.#refuse("Auth works only with inline Swagger specified in 'DefinitionBody' property.");
    }
    if (Object.keys(auth).some((key) => !authNames.has(key))) throw this.#refuse("Invalid value for 'Auth' property");
    const definition = this.#open(
      "",
      "Unable to add Auth configuration because 'DefinitionBody' does not contain a valid Swagger definition.",
    );
    this.#addAuthorizers(definition, auth);
    if (isGiven(auth["ApiKeyRequired"])) {
      setDefaultApiKey(definition, onPreflight(auth["AddApiKeyRequiredToCorsPreflight"]));
    }
    if (isGiven(auth["ResourcePolicy"])) {
      const policy = requireMap(auth["ResourcePolicy"], "ResourcePolicy must be a map (ResourcePolicyStatement).");
      for (const path of Object.keys(pathsOf(definition))) {
        addResourcePolicy(definition, policy, path, this.#sam.properties["StageName"]);
      }
      if (isGiven(policy["CustomStatements"])) addCustomStatements(definition, policy["CustomStatements"]);
    }
    this.#normalizeVersion(definition);
  }

  #addAuthorizers(definition: Dict, auth: Dict): void {
    const { id } = this.#sam;
    const name = auth["DefaultAuthorizer"];
    const authorizers = parseRestAuthorizers(id, auth["Authorizers"], name);
    if (!authorizers) return;
    const definitions = [...authorizers].map(
      ([key, authorizer]) => [key, toSecurityDefinition(id, this.#context.partition, authorizer)] as const,
    );
    addAuthorizers(definition, new Map(definitions));
    if (!isGiven(name)) return;
    if (!isString(name)) throw this.#refuse("DefaultAuthorizer is not a string.");
    const chosen = authorizers.get(name);
    if (!chosen) {
      throw this.#refuse(`Unable to set DefaultAuthorizer because '${name}' was not defined in 'Authorizers'.`);
    }
    const known = new Set(["AWS_IAM", ...authorizers.keys()]);
    for (const path of Object.keys(pathsOf(definition))) {
      setDefaultAuthorizer(
        definition,
        path,
        { name, scopes: chosen.scopes, known },
        onPreflight(auth["AddDefaultAuthorizerToCorsPreflight"]),
      );
    }
  }

  #addGatewayResponses(): void {
    const responses = asDict(this.#sam.properties["GatewayResponses"]);
    if (!isGiven(responses)) return;
    if (!this.#body) {
      throw this.#refuse("GatewayResponses works only with inline Swagger specified in 'DefinitionBody' property.");
    }
    checkGatewayResponses(this.#sam.id, responses);
    const definition = this.#open(
      "",
      "Unable to add Auth configuration because 'DefinitionBody' does not contain a valid Swagger definition.",
    );
    addGatewayResponses(definition, this.#sam.id, responses);
  }

  #addBinaryMediaTypes(): void {
    const types = this.#sam.properties["BinaryMediaTypes"];
    if (!isGiven(types) || !this.#body) return;
    this.#body = openSwagger(this.#body);
    this.#body["x-amazon-apigateway-binary-media-types"] = unescapeMediaTypes(types);
  }

  #addModels(): void {
    const models = asDict(this.#sam.properties["Models"]);
    if (!isGiven(models)) return;
    const definition = this.#open(
      "Models works only with inline Swagger specified in 'DefinitionBody' property.",
      "Unable to add Models definitions because 'DefinitionBody' does not contain a valid Swagger definition.",
    );
    if (!Object.values(models).every(isDict)) throw this.#refuse("Invalid value for 'Models' property");
    addModels(definition, models);
    this.#normalizeVersion(definition);
  }

  #disableEndpoint(): void {
    const disabled = this.#sam.properties["DisableExecuteApiEndpoint"];
    if (isAbsent(disabled)) return;
    if (!this.#body) throw this.#refuse("DisableExecuteApiEndpoint works only within 'DefinitionBody' property.");
    this.#body = openSwagger(this.#body);
    disableExecuteApi(this.#body, disabled);
  }

  #normalizeVersion(definition: Dict): void {
    if (!isAbsent(definition["swagger"])) return;
    const declared = this.#sam.properties["OpenApiVersion"];
    const version = isAbsent(declared) ? definition["openapi"] : declared;
    if (isGiven(version) && isOpenApi3(version)) toOpenApi3(definition);
  }
}

const onPreflight = (value: unknown): boolean => value === undefined || isGiven(value);

function deploymentOf(context: Context, sam: SamResource, content: unknown): Generated {
  const { properties, id } = sam;
  const base: Dict = {
    RestApiId: ref(id),
    ...(isGiven(properties["OpenApiVersion"]) ? {} : { StageName: "Stage" }),
  };
  if (!isGiven(content)) return generate(`${id}Deployment`, "AWS::ApiGateway::Deployment", base, sam.inherited);
  const parts = [canonicalJson(content)];
  if (isGiven(properties["OpenApiVersion"])) parts.push(display(properties["OpenApiVersion"]));
  if (isGiven(properties["Domain"])) parts.push(canonicalJson(properties["Domain"]));
  const names = context.functionNames.get(id);
  if (names !== undefined) parts.push(names);
  // A deployment is immutable: a change of what it deploys is a new deployment, under a new logical id.
  const text = properties["AlwaysDeploy"] === true ? String(Math.floor(context.now / 1000)) : parts.join("||");
  return generate(
    `${id}Deployment${hashSuffix(text)}`,
    "AWS::ApiGateway::Deployment",
    { ...base, Description: `RestApi deployment id: ${hashSuffix(text, 40)}` },
    sam.inherited,
  );
}

function stageOf(sam: SamResource, deploymentId: string): Generated {
  const { properties, id } = sam;
  const name = properties["StageName"];
  const passed = [
    "CacheClusterEnabled",
    "CacheClusterSize",
    "Variables",
    "MethodSettings",
    "AccessLogSetting",
    "CanarySetting",
    "TracingEnabled",
  ];
  const plain = isString(name) ? name : "";
  const stageId = /^[\p{L}\p{N}]+$/u.test(plain) ? `${id}${plain}Stage` : suffixedId(`${id}Stage`, plain);
  return generate(
    stageId,
    "AWS::ApiGateway::Stage",
    {
      RestApiId: ref(id),
      DeploymentId: ref(deploymentId),
      StageName: name,
      ...Object.fromEntries(passed.map((key) => [key, properties[key]])),
      ...(isAbsent(properties["Tags"]) ? {} : { Tags: tagList(properties["Tags"]) }),
    },
    sam.inherited,
  );
}

function authorizerPermissions(context: Context, sam: SamResource, auth: Dict): Generated[] {
  const authorizers = parseRestAuthorizers(sam.id, auth["Authorizers"], undefined);
  return [...(authorizers?.values() ?? [])]
    .filter(({ config }) => isGiven(config["FunctionArn"]) && !isGiven(config["DisableFunctionDefaultPermissions"]))
    .map(({ name, config }) => authorizerPermission(context.partition, sam, name, config["FunctionArn"]));
}

/** Lets API Gateway invoke an authorizer function on behalf of an API. */
export function authorizerPermission(
  partition: string,
  sam: SamResource,
  authorizer: string,
  functionArn: unknown,
): Generated {
  return generate(
    `${sam.id}${authorizer}AuthorizerPermission`,
    "AWS::Lambda::Permission",
    {
      Action: "lambda:InvokeFunction",
      FunctionName: functionArn,
      Principal: "apigateway.amazonaws.com",
      SourceArn: arnSub(partition, "execute-api", "${__ApiId__}/authorizers/*", { __ApiId__: ref(sam.id) }),
    },
    sam.inherited,
  );
}

/** `Globals.Api.OpenApiVersion: 3…` makes the definitions that SAM manages OpenAPI 3. */
export function applyOpenApiVersion(resources: Dict): void {
  for (const resource of Object.values(resources)) {
    if (!isDict(resource) || resource["Type"] !== "AWS::Serverless::Api") continue;
    const properties = asDict(resource["Properties"]);
    const version = properties["OpenApiVersion"];
    if (!Object.hasOwn(properties, "OpenApiVersion") || !Object.hasOwn(properties, managed)) continue;
    if (!isOpenApi3(version)) continue;
    properties["OpenApiVersion"] = versionText(version);
    if (!isDict(properties["DefinitionBody"])) continue;
    const body = copyDict(properties["DefinitionBody"]);
    body["openapi"] = versionText(version);
    if (isGiven(body["swagger"])) Reflect.deleteProperty(body, "swagger");
    properties["DefinitionBody"] = body;
  }
}
