import { parseArn } from "../../aws/arn.ts";

/**
 * The function that an integration URI names, stage variables replaced: an invocation URI
 * (`arn:aws:apigateway:…:lambda:path/2015-03-31/functions/{function ARN}/invocations`) or the function's ARN itself.
 * Undefined when it names none.
 */
export function functionArnOf(uri: string, variables: Readonly<Record<string, string>>): string | undefined {
  const resolved = uri.replaceAll(/\$\{stageVariables\.(\w+)\}/g, (_all, name: string) => variables[name] ?? "");
  const arn = parseArn(resolved);
  if (arn === undefined) return undefined;
  if (arn.service === "lambda") return arn.resource.startsWith("function:") ? resolved : undefined;
  if (arn.service !== "apigateway" || arn.account !== "lambda") return undefined;
  const named = invocationPath.exec(arn.resource)?.[1] ?? "";
  return parseArn(named)?.service === "lambda" ? named : undefined;
}

const invocationPath =
  /^path\/(?:2015-03-31\/functions\/(?=.+\/invocations$)|2021-11-15\/functions\/(?=.+\/response-streaming-invocations$))(.+)\/[a-z-]+$/;
