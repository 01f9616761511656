import { AwsError } from "../../../aws/error.ts";
import type { ClientOf } from "../../../wire/service.ts";
import type { Incarnation } from "../model.ts";
import type { ResourceContext } from "../port.ts";
import { RunEndedError, type Run } from "./run.ts";

/** What a resource type is handed to make, change or delete one incarnation of a resource. */
export function resourceContext(
  run: Run,
  incarnation: Incarnation,
  more: { readonly signal: AbortSignal; readonly resumed: boolean },
): ResourceContext {
  const { stack, needs } = run;
  const { stackName, stackId, account, region } = stack;
  const { logicalId } = incarnation;
  return {
    stackName,
    stackId,
    logicalId,
    type: incarnation.type,
    properties: incarnation.properties,
    account,
    region,
    endpoint: stack.actor.endpoint,
    tags: {
      ...incarnation.tags,
      "aws:cloudformation:stack-name": stackName,
      "aws:cloudformation:stack-id": stackId,
      "aws:cloudformation:logical-id": logicalId,
    },
    generateName: (max, style) => {
      const name = physicalName(stackName, logicalId, incarnation.incarnation, max);
      return style === "lowercase" ? name.toLowerCase() : name;
    },
    clientToken: `${stackId.slice(stackId.lastIndexOf("/") + 1)}-${incarnation.incarnation}`,
    resumed: more.resumed,
    client<Sdk>(service: string, creationToken?: string): ClientOf<Sdk> {
      const as = {
        principal: run.principal,
        account,
        region,
        endpoint: stack.actor.endpoint,
        signal: more.signal,
        ...(creationToken !== undefined && { creationToken }),
        // AWS: a stack with a role of its own is the caller itself.
        ...(stack.roleArn === undefined && { calledVia: ["cloudformation.amazonaws.com"] }),
      };
      return needs.directory.client<Sdk>(service, as);
    },
    wait: (ms) => waitFor(run, ms, more.signal),
    signal: more.signal,
  };
}

/** `stack-LogicalId-1A2B3C4D5E6F`; where that is too long, stack name and logical id give way alike. */
export function physicalName(stackName: string, logicalId: string, random: string, max: number): string {
  const room = max - random.length - 2;
  const stackPart = stackName.slice(0, Math.max(Math.ceil(room / 2), room - logicalId.length));
  const logicalPart = logicalId.slice(0, Math.max(0, room - stackPart.length));
  return `${stackPart}-${logicalPart}-${random}`;
}

async function waitFor(run: Run, ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (signal.aborted) {
      reject(new RunEndedError());
      return;
    }
    const abort = (): void => {
      cancel();
      reject(new RunEndedError());
    };
    const cancel = run.needs.clock.after(ms, () => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** Why a step failed, as CloudFormation's events say it: the service's message, and the handler's error code. */
export function failureReason(run: Run, type: string, error: unknown): string {
  const token = run.needs.ids.uuid();
  const told = (message: string, code: string) =>
    `Resource handler returned message: "${message}" (RequestToken: ${token}, HandlerErrorCode: ${code})`;
  if (error instanceof AwsError) {
    const service = type.split("::")[1] ?? type;
    const origin = `(Service: ${service}, Status Code: ${error.status}, Request ID: ${run.needs.ids.uuid()})`;
    return told(`${error.message} ${origin}`, handlerErrorCode(error));
  }
  if (error instanceof Error && isTold.has(error.name)) return error.message;
  run.needs.log.error("A resource type failed", { stackId: run.stack.stackId, type, error });
  return told("Internal Failure", "InternalFailure");
}

/** Errors that are about the template, or a provider's: their message says it all. */
const isTold = new Set(["TemplateError", "PropertyTypeError", "CustomResourceError"]);

function handlerErrorCode(error: AwsError): string {
  if (error.code === "NotImplemented") return "NotUpdatable";
  if (
    /AlreadyExists|EntityAlreadyExists|ResourceConflict|BucketAlreadyOwnedByYou/.test(error.code) ||
    error.status === 409
  ) {
    return "AlreadyExists";
  }
  if (error.status === 404 || /NotFound|NoSuchEntity/.test(error.code)) return "NotFound";
  if (error.status === 403 || error.code.startsWith("AccessDenied")) return "AccessDenied";
  if (error.status === 429 || /Throttl|TooManyRequests/.test(error.code)) return "Throttling";
  return error.status >= 500 ? "ServiceInternalError" : "InvalidRequest";
}
