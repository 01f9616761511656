import { isIntrinsic } from "./intrinsics.ts";
import { Problem, resourceProblem } from "./problems.ts";
import { asDict, copy, display, isDict, isGiven, isList, isString, type Dict } from "./values.ts";

const words = (text: string): readonly string[] => text.split(" ");

/** Which properties each section of `Globals` may hold, in the order in which AWS's messages list them. */
const supported = new Map<string, readonly string[]>([
  [
    "Function",
    words(
      "Handler Runtime CodeUri DeadLetterQueue Description MemorySize Timeout VpcConfig Environment Tags PropagateTags Tracing KmsKeyArn AutoPublishAlias AutoPublishAliasAllProperties Layers DeploymentPreference RolePath PermissionsBoundary ReservedConcurrentExecutions ProvisionedConcurrencyConfig AssumeRolePolicyDocument EventInvokeConfig FileSystemConfigs CodeSigningConfigArn Architectures SnapStart EphemeralStorage FunctionUrlConfig RuntimeManagementConfig LoggingConfig RecursiveLoop SourceKMSKeyArn TenancyConfig DurableConfig CapacityProviderConfig FunctionScalingConfig PublishToLatestPublished VersionDeletionPolicy",
    ),
  ],
  [
    "Api",
    words(
      "Auth Name DefinitionUri CacheClusterEnabled CacheClusterSize MergeDefinitions Variables EndpointConfiguration MethodSettings BinaryMediaTypes MinimumCompressionSize Cors GatewayResponses AccessLogSetting CanarySetting TracingEnabled OpenApiVersion Domain AlwaysDeploy PropagateTags SecurityPolicy EndpointAccessMode",
    ),
  ],
  [
    "HttpApi",
    words(
      "Auth AccessLogSettings StageVariables Tags CorsConfiguration DefaultRouteSettings Domain RouteSettings FailOnWarnings PropagateTags",
    ),
  ],
  ["SimpleTable", words("SSESpecification")],
  ["StateMachine", words("PropagateTags")],
  ["LayerVersion", words("PublishLambdaVersion")],
  [
    "CapacityProvider",
    words(
      "VpcConfig OperatorRole Tags InstanceRequirements ScalingConfig KmsKeyArn PropagateTags LoggingConfig ManagedResourceTags",
    ),
  ],
  [
    "MicrovmImage",
    words(
      "BuildRoleArn BaseImageArn BaseImageVersion Logging EgressNetworkConnectors CpuConfigurations Resources AdditionalOsCapabilities Hooks EnvironmentVariables Tags PropagateTags",
    ),
  ],
  ["NetworkConnector", words("OperatorRole Tags PropagateTags")],
  [
    "WebSocketApi",
    words(
      "AccessLogSettings ApiKeySelectionExpression DefaultRouteSettings DisableExecuteApiEndpoint DisableSchemaValidation Domain FailOnWarnings IpAddressType PropagateTags RouteSelectionExpression RouteSettings StageVariables Tags",
    ),
  ],
]);

/** Lists are added to, except these, which the resource's own list replaces. */
const replacing = new Set(["Function.Architectures", "CapacityProvider.InstanceRequirements.Architectures"]);
/** Of these maps only the keys that the resource's own map has are merged. */
const pruning = new Set(["CapacityProvider.ManagedResourceTags"]);

/** The properties of `Globals` by section, checked. */
export function parseGlobals(globals: unknown): ReadonlyMap<string, Dict> {
  if (!isDict(globals)) throw invalid("It must be a non-empty dictionary");
  const sections = new Map<string, Dict>();
  for (const [section, properties] of Object.entries(globals)) {
    const names = supported.get(section);
    if (!names) {
      throw invalid(
        `'${section}' is not supported. Must be one of the following values - ${display([...supported.keys()].toSorted())}`,
      );
    }
    // AWS: the message really reads `${section}`.
    if (!isDict(properties)) throw invalid("Value of ${section} must be a dictionary");
    for (const name of Object.keys(properties)) {
      if (names.includes(name)) continue;
      throw invalid(
        `'${name}' is not a supported property of '${section}'. Must be one of the following values - ${display(names)}`,
      );
    }
    sections.set(section, properties);
  }
  return sections;
}

function invalid(message: string): Problem {
  return new Problem(`'Globals' section is invalid. ${message}`, { sortKey: "Globals", fatal: true });
}

/** A resource's properties over those of its section; `IgnoreGlobals` takes some or all of the section away. */
export function mergeGlobals(
  globals: ReadonlyMap<string, Dict>,
  logicalId: string,
  section: string,
  properties: Dict,
  ignored: unknown,
): Dict {
  const all = globals.get(section);
  if (!all) return properties;
  const shared = asDict(copy(remaining(all, logicalId, ignored)));
  return asDict(merge(shared, properties, section));
}

function remaining(all: Dict, logicalId: string, ignored: unknown): Dict {
  if (!isGiven(ignored)) return all;
  if (ignored === "*") return {};
  const refuse = (item: string) =>
    new Problem(
      resourceProblem(logicalId, `Resource ${logicalId} has invalid resource attribute 'IgnoreGlobals'${item}.`)
        .message,
      { sortKey: logicalId, fatal: true },
    );
  if (!isList(ignored)) throw refuse("");
  const left = { ...all };
  for (const name of ignored) {
    if (!isString(name) || !Object.hasOwn(left, name)) throw refuse(` on item '${display(name)}'`);
    Reflect.deleteProperty(left, name);
  }
  return left;
}

function merge(shared: unknown, own: unknown, path: string): unknown {
  if (isList(shared) && isList(own)) return replacing.has(path) ? own : [...shared, ...own];
  if (!isDict(shared) || !isDict(own) || isIntrinsic(shared) || isIntrinsic(own)) return own;
  const prune = pruning.has(path) && isGiven(own);
  const result: Dict = Object.assign(Object.create(null), prune ? {} : shared);
  for (const [key, value] of Object.entries(own)) {
    result[key] = Object.hasOwn(shared, key) ? merge(shared[key], value, `${path}.${key}`) : value;
  }
  return result;
}
