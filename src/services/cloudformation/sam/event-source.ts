import type { Context } from "./context.ts";
import { generate, type Generated } from "./generated.ts";
import { ref } from "./intrinsics.ts";
import { suffixedId } from "./logical-ids.ts";
import type { PropertyRules } from "./property-rules.ts";
import type { Dict } from "./values.ts";

/** What an event invokes: a function or its alias, a state machine or its alias. */
export interface EventTarget {
  readonly id: string;
  /** The reference that gives its ARN. */
  readonly arn: Dict;
  readonly inherited: Dict;
}

/** One entry of a resource's `Events`. */
export interface EventUse {
  /** The owner's logical id and the event's. */
  readonly id: string;
  /** The event's id in `Events`. */
  readonly eventId: string;
  readonly properties: Dict;
  readonly target: EventTarget;
  /** The function's role, to which polling sources add what they need. */
  readonly role: Generated;
}

export interface EventSource {
  readonly properties: PropertyRules;
  /** Looks at what the event names before anything of the owner is generated. */
  readonly link?: (context: Context, event: Omit<EventUse, "target" | "role">) => void;
  readonly generate: (context: Context, event: EventUse) => Generated[];
}

export interface PermissionParts {
  readonly principal: string;
  readonly sourceArn?: unknown;
  readonly sourceAccount?: unknown;
  readonly token?: unknown;
  readonly suffix?: string;
  readonly prefix?: string;
}

/** Lets a service invoke the function. */
export function invokePermission(event: EventUse, parts: PermissionParts): Generated {
  const { principal, sourceArn, sourceAccount, token, suffix = "", prefix = event.id } = parts;
  return generate(
    suffixedId(`${prefix}Permission`, suffix),
    "AWS::Lambda::Permission",
    {
      Action: "lambda:InvokeFunction",
      FunctionName: ref(event.target.id),
      Principal: principal,
      SourceArn: sourceArn,
      SourceAccount: sourceAccount,
      EventSourceToken: token,
    },
    event.target.inherited,
  );
}
