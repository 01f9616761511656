import { parseQuery } from "../../../proxy/query-string.ts";
import type { AuthorizerTest, AuthorizerTestResult, PublishedRestStage, TestAuthorizer } from "../port.ts";
import type { StageNeeds } from "../stage-needs.ts";
import { poolClaim } from "./claim-text.ts";
import { createLambdaAuthorizer, type LambdaVerdict } from "./lambda-authorizer.ts";
import { tokenEvent } from "./rest-events.ts";
import { bareToken, verifyToken } from "../../../access/tokens/token.ts";
import { compileWholeMatch } from "./whole-match.ts";

/** TestInvokeAuthorizer: asks as a request would, without one, and remembers nothing. */
export function createAuthorizerTester(needs: StageNeeds): TestAuthorizer {
  return async (test) => {
    const started = needs.clock.now();
    const requestId = needs.identities.uuid();
    const log: string[] = [`Execution log for request ${requestId}`];
    const say = (text: string) => log.push(`${new Date(needs.clock.now()).toUTCString()} : ${text}`);
    say(`Starting authorizer: ${test.authorizer.id} for request: ${requestId}`);
    const outcome =
      test.authorizer.type === "COGNITO_USER_POOLS"
        ? await testPool(needs, test, say)
        : await testLambda(needs, test, requestId, say);
    say(outcome.clientStatus === 0 ? "Successfully completed authorizer execution" : "Authorization failed");
    return { ...outcome, latencyMs: needs.clock.now() - started, log: log.join("\n") };
  };
}

type Outcome = Omit<AuthorizerTestResult, "latencyMs" | "log">;
type Say = (text: string) => void;

async function testLambda(needs: StageNeeds, test: AuthorizerTest, requestId: string, say: Say): Promise<Outcome> {
  const { authorizer, place } = test;
  if (authorizer.type === "COGNITO_USER_POOLS") return { clientStatus: 500 };
  const identity = authorizer.identitySources.map((source) => sourceOf(test, source));
  const [token = ""] = identity;
  const matches = authorizer.type === "TOKEN" ? compileWholeMatch(authorizer.identityValidationExpression) : undefined;
  if (identity.includes("") || (matches !== undefined && !matches(token))) {
    say("The identity is missing, or does not match the validation expression");
    return { clientStatus: 401 };
  }
  const stage: PublishedRestStage = {
    kind: "rest",
    version: 1,
    ...place,
    stageName: testStage,
    deploymentId: "",
    variables: test.stageVariables,
    disableExecuteApiEndpoint: false,
    binaryMediaTypes: [],
    gatewayResponses: [],
    methods: [],
  };
  const lambda = createLambdaAuthorizer(needs, stage, { ...authorizer, ttlSeconds: 0 });
  const methodArn = `arn:aws:execute-api:${place.region}:${place.account}:${place.apiId}/${testStage}/GET/`;
  const event = () =>
    authorizer.type === "TOKEN" ? tokenEvent(methodArn, token) : requestEvent(test, methodArn, requestId);
  const trace = needs.identities.traceRoot(needs.clock.now());
  const verdict = await new Promise<LambdaVerdict>((resolve) => {
    lambda.ask({ identity, event, requestId, trace, now: needs.clock.now() }, resolve);
  });
  if (verdict.verdict === "granted") {
    const { principalId, policy } = verdict.grant;
    return {
      clientStatus: 0,
      ...(principalId === undefined ? {} : { principalId }),
      ...(policy === undefined ? {} : { policy }),
    };
  }
  say(
    verdict.verdict === "misconfigured"
      ? `Execution failed: ${verdict.reason}`
      : `Execution failed: ${verdict.verdict}`,
  );
  return { clientStatus: verdict.verdict === "unauthorized" ? 401 : 500 };
}

async function testPool(needs: StageNeeds, test: AuthorizerTest, say: Say): Promise<Outcome> {
  const { authorizer } = test;
  if (authorizer.type !== "COGNITO_USER_POOLS") return { clientStatus: 500 };
  const issuers = authorizer.providerArns.flatMap((arn) => needs.authorizers.issuerOf(arn) ?? []);
  const token = bareToken(sourceOf(test, authorizer.identitySource));
  const outcome = await verifyToken(needs.authorizers.issuers, issuers, token, needs.clock.now());
  if (outcome.outcome === "refused") {
    say(`Unauthorized: ${outcome.reason}`);
    return { clientStatus: 401 };
  }
  const claims = Object.entries(outcome.claims).map(([name, value]) => [name, poolClaim(name, value)]);
  return { clientStatus: 0, claims: Object.fromEntries(claims) };
}

/** AWS: where no stage is named. */
const testStage = "test-invoke-stage";

/** The value of an identity source; empty where there is none. */
function sourceOf(test: AuthorizerTest, source: string): string {
  const [, kind, name = ""] =
    /^(?:method\.)?(request\.header|request\.querystring|stageVariables|context)\.(.+)$/.exec(source) ?? [];
  if (kind === "request.header") {
    const sent = Object.entries(test.headers).find(([key]) => key.toLowerCase() === name.toLowerCase());
    return sent?.[1] ?? "";
  }
  if (kind === "request.querystring") return queryOf(test)[name]?.at(-1) ?? "";
  if (kind === "stageVariables") return test.stageVariables[name] ?? "";
  return test.additionalContext[`context.${name}`] ?? test.additionalContext[name] ?? "";
}

function queryOf({ pathWithQueryString }: AuthorizerTest): Record<string, string[]> {
  const mark = pathWithQueryString.indexOf("?");
  if (mark === -1) return {};
  const { names, values } = parseQuery(pathWithQueryString.slice(mark + 1));
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? []]));
}

function requestEvent(test: AuthorizerTest, methodArn: string, requestId: string): string {
  const { place, headers, stageVariables } = test;
  const query = queryOf(test);
  const path = test.pathWithQueryString.split("?")[0] || "/";
  return JSON.stringify({
    type: "REQUEST",
    methodArn,
    resource: "/",
    path,
    httpMethod: "GET",
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: Object.fromEntries(Object.entries(query).map(([name, values]) => [name, values.at(-1)])),
    multiValueQueryStringParameters: query,
    pathParameters: {},
    stageVariables,
    requestContext: {
      resourcePath: "/",
      httpMethod: "GET",
      path,
      accountId: place.account,
      apiId: place.apiId,
      stage: testStage,
      requestId,
      identity: { sourceIp: "test-invoke-source-ip", userAgent: headers["User-Agent"] ?? null },
    },
  });
}
