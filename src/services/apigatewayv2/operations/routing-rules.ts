import type * as sdk from "@aws-sdk/client-apigatewayv2";
import type { AuthorizationRequest } from "../../../access/authorization.ts";
import { lowerAlphanumeric } from "../../../kernel/ids.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { DomainRecord, RoutingRule, RuleCondition } from "../../execute-api/port.ts";
import { badRequest, childNotFound, conflict, limitExceeded } from "../errors.ts";
import { apiGatewayV2Limits as limits } from "../limits.ts";
import { refuseMembers } from "../rules.ts";
import type { ApiGatewayV2Needs } from "./needs.ts";

type RuleInput = Pick<sdk.CreateRoutingRuleRequest, "Actions" | "Conditions" | "Priority">;

export function routingRuleOperations(needs: ApiGatewayV2Needs) {
  const { domains, ids } = needs;
  const write = async (call: Call, domainName: string | undefined, rule: RoutingRule, isNew: boolean) => {
    await domains.change(call, domainName, async (domain, tx) => {
      if (!isNew) find(domain, rule.id);
      const kind = await domains.kindOf(tx, call, rule.apiId, rule.stage);
      if (kind !== "rest") throw badRequest("Routing rules are only supported for REST APIs");
      const others = domain.rules.filter(({ id }) => id !== rule.id);
      if (others.some(({ priority }) => priority === rule.priority)) {
        throw conflict(`A routing rule with priority ${rule.priority} already exists for this domain name`);
      }
      if (others.length >= limits.rulesPerDomainMax) throw limitExceeded("routing rules", limits.rulesPerDomainMax);
      return { ...domain, rules: [...others, rule].toSorted((a, b) => a.priority - b.priority) };
    });
    return describe(rule, call, domainName);
  };
  return {
    CreateRoutingRule: {
      authorize: (input, call) => mayRule("CreateRoutingRule", call, input.DomainName, undefined),
      run: (input, call) => {
        refuseMembers("CreateRoutingRule", input, ["DomainNameId"]);
        return write(call, input.DomainName, parseRule(ids.random(6, lowerAlphanumeric), input), true);
      },
    },
    PutRoutingRule: {
      authorize: (input, call) => mayRule("UpdateRoutingRule", call, input.DomainName, input.RoutingRuleId),
      run: (input, call) => {
        refuseMembers("PutRoutingRule", input, ["DomainNameId"]);
        return write(call, input.DomainName, parseRule(input.RoutingRuleId ?? "", input), false);
      },
    },
    GetRoutingRule: {
      authorize: (input, call) => mayRule("GetRoutingRule", call, input.DomainName, input.RoutingRuleId),
      run: async (input, call) => {
        refuseMembers("GetRoutingRule", input, ["DomainNameId"]);
        const rule = find(await domains.get(call, input.DomainName), input.RoutingRuleId);
        return describe(rule, call, input.DomainName);
      },
    },
    ListRoutingRules: {
      authorize: (input, call) => mayRule("ListRoutingRules", call, input.DomainName, undefined),
      run: async (input, call) => {
        refuseMembers("ListRoutingRules", input, ["DomainNameId"]);
        const { rules } = await domains.get(call, input.DomainName);
        const after = input.NextToken === undefined ? 0 : Number(input.NextToken);
        if (!Number.isInteger(after)) throw badRequest("Invalid nextToken parameter");
        const rest = rules.filter(({ priority }) => priority > after);
        const page = rest.slice(0, input.MaxResults ?? limits.rulesPerDomainMax);
        const last = page.at(-1);
        return {
          RoutingRules: page.map((rule) => describe(rule, call, input.DomainName)),
          ...(last === undefined || page.length === rest.length ? {} : { NextToken: String(last.priority) }),
        };
      },
    },
    DeleteRoutingRule: {
      authorize: (input, call) => mayRule("DeleteRoutingRule", call, input.DomainName, input.RoutingRuleId),
      run: async (input, call) => {
        refuseMembers("DeleteRoutingRule", input, ["DomainNameId"]);
        await domains.change(call, input.DomainName, (domain) => {
          const gone = find(domain, input.RoutingRuleId);
          return { ...domain, rules: domain.rules.filter(({ id }) => id !== gone.id) };
        });
        return {};
      },
    },
  } satisfies OperationsOf<typeof sdk>;
}

/** Routing rules have actions of their own, on ARNs with an account. Source: "Actions … for Amazon API Gateway Management V2". */
function mayRule(
  action: string,
  call: Call,
  domainName: string | undefined,
  id: string | undefined,
): readonly AuthorizationRequest[] {
  return [{ action: `apigateway:${action}`, resource: arnOf(call, domainName, id ?? "*") }];
}

function arnOf({ account, region }: Call, domainName: string | undefined, id: string): string {
  return `arn:aws:apigateway:${region}:${account}:/domainnames/${domainName}/routingrules/${id}`;
}

function parseRule(id: string, { Priority: priority = 0, Conditions = [], Actions = [] }: RuleInput): RoutingRule {
  if (!Number.isInteger(priority) || priority < 1 || priority > limits.rulePriorityMax) {
    throw badRequest(`Priority must be between 1 and ${limits.rulePriorityMax}`);
  }
  const [action, ...more] = Actions;
  if (action?.InvokeApi === undefined || more.length > 0) {
    throw badRequest("A routing rule must have exactly one action, which invokes an API");
  }
  const conditions = Conditions.map(parseCondition);
  const count = (kind: RuleCondition["kind"]) => conditions.filter((condition) => condition.kind === kind).length;
  if (count("headers") > limits.ruleHeaderConditionsMax || count("base-paths") > 1) {
    throw badRequest("A routing rule supports up to two header conditions and one base path condition");
  }
  const { ApiId: apiId = "", Stage: stage = "", StripBasePath = false } = action.InvokeApi;
  if (StripBasePath && count("base-paths") === 0) {
    throw badRequest("StripBasePath can only be used with a base path condition");
  }
  return { id, priority, conditions, apiId, stage, stripBasePath: StripBasePath };
}

function parseCondition({ MatchBasePaths, MatchHeaders }: sdk.RoutingRuleCondition): RuleCondition {
  if ((MatchBasePaths === undefined) === (MatchHeaders === undefined)) {
    throw badRequest("A condition must have either MatchBasePaths or MatchHeaders");
  }
  if (MatchBasePaths !== undefined) {
    return { kind: "base-paths", anyOf: atLeastOne(MatchBasePaths.AnyOf).map(checkBasePath) };
  }
  return {
    kind: "headers",
    anyOf: atLeastOne(MatchHeaders?.AnyOf).map(({ Header, ValueGlob }) => ({
      header: checkHeader(Header),
      valueGlob: checkGlob(ValueGlob),
    })),
  };
}

function atLeastOne<T>(values: readonly T[] | undefined): readonly T[] {
  if (values === undefined || values.length === 0) throw badRequest("AnyOf must have at least one value");
  return values;
}

function checkBasePath(path: string): string {
  const isValid =
    path.length <= limits.mappingKeyCharactersMax &&
    path.split("/").every((part) => /^[\w$.+!*'()-]+$/.test(part) && !/^\.{1,2}$/.test(part));
  if (isValid) return path;
  throw badRequest(`Invalid base path ${path}`);
}

/** Source: "Routing rules to connect API stages to a custom domain name for REST APIs", restrictions. */
const restrictedHeaders =
  /^(?:access-control-.*|apigw-.*|authorization|connection|content-encoding|content-length|content-location|forwarded|keep-alive|origin|proxy-authenticate|proxy-authorization|te|trailers?|transfer-encoding|upgrade|x-amz-.*|x-amzn-.*|x-apigw-api-id|x-forwarded-for|x-forwarded-host|x-forwarded-proto|x-restapi|via)$/i;

function checkHeader(header = ""): string {
  if (restrictedHeaders.test(header)) throw badRequest(`The header ${header} is not supported in header conditions`);
  if (/^[\w!#$%&'*+.^`|~-]{1,40}$/.test(header)) return header;
  throw badRequest(`Invalid header name ${header}`);
}

/** AWS: a star may only stand at the ends. */
function checkGlob(glob = ""): string {
  if (/^(?:\*|\*?[^*]+\*?)$/.test(glob) && glob.length <= limits.mappingKeyCharactersMax) return glob;
  throw badRequest(`Invalid header value ${glob}: a wildcard may only be its first or last character`);
}

function find(domain: DomainRecord, id: string | undefined): RoutingRule {
  const found = domain.rules.find((rule) => rule.id === id);
  if (found === undefined) throw childNotFound("RoutingRule");
  return found;
}

function describe(rule: RoutingRule, call: Call, domainName: string | undefined) {
  return {
    Actions: [{ InvokeApi: { ApiId: rule.apiId, Stage: rule.stage, StripBasePath: rule.stripBasePath } }],
    Conditions: rule.conditions.map((condition) =>
      condition.kind === "base-paths"
        ? { MatchBasePaths: { AnyOf: [...condition.anyOf] } }
        : {
            MatchHeaders: {
              AnyOf: condition.anyOf.map(({ header, valueGlob }) => ({ Header: header, ValueGlob: valueGlob })),
            },
          },
    ),
    Priority: rule.priority,
    RoutingRuleArn: arnOf(call, domainName, rule.id),
    RoutingRuleId: rule.id,
  };
}
