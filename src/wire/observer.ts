import type { Principal } from "../aws/principal.ts";
import type { CallFacts } from "./dispatch.ts";
import type { OperationModel, ServiceModel } from "./model.ts";

/** Sees which operations were called, however they were called: the audit trail, and who has last used what. */
export interface CallObserver {
  /** A principal calls an operation of a service and may. For every call: it must cost next to nothing, and not throw. */
  used(principal: Principal, service: string, region: string, now: number): void;
  /** Whether calls of this operation are to be told to `ended`; asked once for each. */
  observes(model: ServiceModel, operation: OperationModel): boolean;
  /** A call has ended. The answer waits for it. Must not reject. */
  ended(call: EndedCall): Promise<void> | void;
}

export interface EndedCall {
  readonly model: ServiceModel;
  readonly operation: OperationModel;
  /** As the operation received it: not to be kept, for it may be large or secret. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly facts: CallFacts;
  readonly outcome:
    | { readonly output: Readonly<Record<string, unknown>> }
    /** What the operation threw. */
    | { readonly error: unknown };
}
