/** A custom resource's step has failed, in the words that the stack's events say. */
export class CustomResourceError extends Error {
  /** Of a creation: what the provider may have made all the same, and is asked to delete. */
  readonly physicalId: string | undefined;

  constructor(message: string, physicalId?: string) {
    super(message);
    this.name = "CustomResourceError";
    this.physicalId = physicalId;
  }
}
