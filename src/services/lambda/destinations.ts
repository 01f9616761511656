import type { DestinationConfig } from "@aws-sdk/client-lambda";
import { parseArn, type Arn } from "../../aws/arn.ts";
import { AwsError, notImplemented } from "../../aws/error.ts";
import type { Principal } from "../../aws/principal.ts";
import { functionNotFound, invalidParameter } from "./errors.ts";
import { functionArn, type Place } from "./model.ts";
import { parseFunctionName } from "./names.ts";
import type { LambdaNeeds } from "./needs.ts";
import type { Functions } from "./functions.ts";
import { onFunction } from "./permissions.ts";

/** Where records of asynchronous invocations go, by how these ended: ARNs. */
export interface Destinations {
  readonly onSuccess?: string;
  readonly onFailure?: string;
}

/** A function or a bucket: the destinations that this platform has services for. */
export type Destination =
  { readonly kind: "function"; readonly arn: string } | { readonly kind: "bucket"; readonly bucket: string };

type DestinationNeeds = Pick<LambdaNeeds, "iam" | "authorizer"> & { readonly functions: Functions };

/**
 * What an event invoke config's `DestinationConfig` says. AWS: an empty `Destination` is none.
 *
 * @throws for what is no destination (InvalidParameterValueException), and the 501 for services that are not built
 */
export function readDestinations(config: DestinationConfig | undefined, operation: string): Destinations {
  const read = (name: "OnSuccess" | "OnFailure") => {
    const arn = config?.[name]?.Destination;
    if (arn === undefined || arn === "") return undefined;
    const parsed = parseArn(arn);
    if (parsed !== undefined && ["sqs", "sns", "events"].includes(parsed.service)) {
      throw notImplemented(`The destination ${parsed.service} in DestinationConfig.${name} of ${operation}`);
    }
    const destination = toDestination(arn);
    // AWS: buckets take records of failures only.
    if (destination === undefined || (destination.kind === "bucket" && name === "OnSuccess"))
      throw invalidDestination(arn);
    return arn;
  };
  const onSuccess = read("OnSuccess");
  const onFailure = read("OnFailure");
  return { ...(onSuccess !== undefined && { onSuccess }), ...(onFailure !== undefined && { onFailure }) };
}

export function toDestination(arn: string): Destination | undefined {
  const parsed: Arn | undefined = parseArn(arn);
  if (parsed?.service === "lambda" && /^function:[\w-]+(?::[\w$-]+)?$/.test(parsed.resource)) {
    return { kind: "function", arn };
  }
  if (parsed?.service === "s3" && parsed.resource !== "" && !parsed.resource.includes("/")) {
    return { kind: "bucket", bucket: parsed.resource };
  }
  return undefined;
}

/** AWS refuses a destination that the function's role cannot use, or that is the function itself. */
export async function checkDestinations(
  needs: DestinationNeeds,
  source: { readonly place: Place; readonly name: string; readonly role: string },
  destinations: Destinations,
): Promise<void> {
  const own = functionArn(source.place, source.name);
  for (const arn of [destinations.onSuccess, destinations.onFailure]) {
    if (arn === undefined) continue;
    if (arn === own || arn.startsWith(`${own}:`)) {
      throw invalidParameter("You can't specify the function as a destination for itself.");
    }
    const destination = toDestination(arn);
    if (destination === undefined) throw invalidDestination(arn);
    const [action, service] = destination.kind === "function" ? ["InvokeFunction", "LAMBDA"] : ["PutObject", "S3"];
    try {
      await authorizeDelivery(needs, await assume(needs, source), destination, source.place, 0);
    } catch (error) {
      if (!(error instanceof AwsError) || error.status >= 500) throw error;
      if (error.status === 404) throw invalidDestination(arn);
      throw invalidParameter(`The provided execution role does not have permissions to call ${action} on ${service}`);
    }
  }
}

/** The function's execution role, as Lambda delivers for it. Throws AccessDenied. */
export function assume(
  { iam }: Pick<DestinationNeeds, "iam">,
  source: { readonly place: Place; readonly name: string; readonly role: string },
): Promise<Principal> {
  return iam.assumeRole({
    roleArn: source.role,
    service: "lambda.amazonaws.com",
    sessionName: source.name,
    sourceArn: functionArn(source.place, source.name),
  });
}

/** Whether `principal` may deliver to a function; buckets ask for themselves when something is put into them. Throws. */
export async function authorizeDelivery(
  { authorizer, functions }: DestinationNeeds,
  principal: Principal,
  destination: Destination,
  place: Place,
  now: number,
): Promise<void> {
  const context = { ...place, sourceIp: "127.0.0.1", secureTransport: true, userAgent: "", now };
  if (destination.kind === "bucket") {
    const resource = `arn:aws:s3:::${destination.bucket}/aws/lambda/async/record`;
    await authorizer.authorize(
      principal,
      { action: "s3:PutObject", resource, resourceAccount: place.account },
      context,
    );
    return;
  }
  const reference = parseFunctionName(destination.arn, place);
  if ((await functions.find(reference, reference.name)) === undefined) throw functionNotFound(destination.arn);
  for (const question of await onFunction(functions, "InvokeFunction", destination.arn, place)) {
    await authorizer.authorize(principal, question, context);
  }
}

function invalidDestination(arn: string): AwsError {
  return invalidParameter(`The destination ARN ${arn} is invalid.`);
}
