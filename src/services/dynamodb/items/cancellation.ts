import type { Item } from "../values/attribute-value.ts";

/** Why one item of a transaction did not go through; `None` for those that would have. */
export interface CancellationReason {
  readonly Code:
    | "None"
    | "ConditionalCheckFailed"
    | "ItemCollectionSizeLimitExceeded"
    | "ProvisionedThroughputExceeded"
    | "ThrottlingError"
    | "ValidationError"
    | "DuplicateItem";
  readonly Message?: string;
  readonly Item?: Item;
}
