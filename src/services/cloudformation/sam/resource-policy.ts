import { arnPath, anyMethod, pathItems } from "./definition.ts";
import { sub } from "./intrinsics.ts";
import { documentProblem } from "./problems.ts";
import {
  asDict,
  asList,
  dictOf,
  display,
  includesSame,
  isAbsent,
  isDict,
  isGiven,
  isList,
  isString,
  type Dict,
} from "./values.ts";

const policyKey = "x-amazon-apigateway-policy";

/** Adds a `ResourcePolicy` of an API or of one of its events to the definition, for one path. */
export function addResourcePolicy(definition: Dict, policy: Dict, path: string, stage: unknown): void {
  const document = policyOf(definition);
  const resources = () => methodResources(definition, path, stage);
  for (const [name, effect] of [
    ["AwsAccountWhitelist", "Allow"],
    ["AwsAccountBlacklist", "Deny"],
  ] as const) {
    if (isGiven(policy[name])) addAccounts(document, policy[name], effect, resources());
  }
  for (const [name, operator] of [
    ["IpRangeWhitelist", "NotIpAddress"],
    ["IpRangeBlacklist", "IpAddress"],
  ] as const) {
    if (isGiven(policy[name]))
      addDenial(document, resources(), { [operator]: { "aws:SourceIp": asList(policy[name]) } });
  }
  for (const [kind, operator] of [
    ["Blacklist", "StringEquals"],
    ["Whitelist", "StringNotEquals"],
  ] as const) {
    const condition = vpcCondition(policy, kind);
    if (condition) addDenial(document, resources(), { [operator]: condition });
  }
}

export function addCustomStatements(definition: Dict, statements: unknown): void {
  const document = policyOf(definition);
  document["Version"] = "2012-10-17";
  if (isAbsent(document["Statement"])) document["Statement"] = statements;
  else addStatements(document, asList(statements), true);
}

function policyOf(definition: Dict): Dict {
  if (!isDict(definition[policyKey])) definition[policyKey] = dictOf({});
  return asDict(definition[policyKey]);
}

function methodResources(definition: Dict, path: string, stage: unknown): Dict[] {
  return pathItems(definition, path)
    .flatMap((item) => Object.keys(item))
    .map((method) => (["any", anyMethod].includes(method.toLowerCase()) ? "*" : method.toUpperCase()))
    .map((method) => sub(`execute-api:/\${__Stage__}/${method}${arnPath(path, true)}`, { __Stage__: stage }));
}

function addAccounts(document: Dict, accounts: unknown, effect: string, resources: Dict[]): void {
  if (!isDict(accounts) && !isList(accounts)) {
    throw documentProblem(`Type of '${display(accounts)}' must be a list or dictionary`);
  }
  const statement = {
    Effect: effect,
    Action: "execute-api:Invoke",
    Resource: resources,
    Principal: { AWS: asList(accounts) },
  };
  document["Version"] = "2012-10-17";
  // AWS: a first statement of this kind stands alone, not in a list.
  if (isAbsent(document["Statement"])) document["Statement"] = statement;
  else addStatements(document, [statement], false);
}

/** Everyone is allowed, and then denied under the condition. */
function addDenial(document: Dict, resources: Dict[], condition: Dict): void {
  const statement = { Action: "execute-api:Invoke", Resource: resources, Principal: "*" };
  document["Version"] = "2012-10-17";
  addStatements(
    document,
    [
      { Effect: "Allow", ...statement },
      { Effect: "Deny", ...statement, Condition: condition },
    ],
    true,
  );
}

function addStatements(document: Dict, statements: unknown[], once: boolean): void {
  const all = isAbsent(document["Statement"]) ? [] : [...asList(document["Statement"])];
  for (const statement of statements) if (!once || !includesSame(all, statement)) all.push(statement);
  document["Statement"] = all;
}

function vpcCondition(policy: Dict, kind: "Blacklist" | "Whitelist"): Dict | undefined {
  const named = policy[`SourceVpc${kind}`] ?? [];
  if (!isList(named) || !named.every(isString)) {
    throw documentProblem(
      `SourceVpc${kind} must be a list of strings. Use IntrinsicVpc${kind} instead for values that use Intrinsic Functions`,
    );
  }
  const vpcs = [...named.filter((id) => id.startsWith("vpc-")), ...listOf(policy[`IntrinsicVpc${kind}`])];
  const endpoints = [...named.filter((id) => id.startsWith("vpce-")), ...listOf(policy[`IntrinsicVpce${kind}`])];
  const condition: Dict = {};
  if (vpcs.length > 0) condition["aws:SourceVpc"] = vpcs;
  if (endpoints.length > 0) condition["aws:SourceVpce"] = endpoints;
  return Object.keys(condition).length > 0 ? condition : undefined;
}

const listOf = (value: unknown): unknown[] => (isList(value) ? value : []);
