import { AwsError } from "../../aws/error.ts";

export const validationError = (message: string) => new AwsError("ValidationError", 400, message);

export const stackNotFound = (nameOrId: string) => validationError(`Stack with id ${nameOrId} does not exist`);
/** The same, as the operations on templates, events and resources say it. */
export const stackNameNotFound = (nameOrId: string) => validationError(`Stack [${nameOrId}] does not exist`);
export const stackResourcesNotFound = (nameOrId: string) => validationError(`Stack '${nameOrId}' does not exist`);
export const resourceNotFound = (logicalId: string, nameOrId: string) =>
  validationError(`Resource ${logicalId} does not exist for stack ${nameOrId}`);

export const stackExists = (stackName: string) =>
  new AwsError("AlreadyExistsException", 400, `Stack [${stackName}] already exists`);

export const stackCannotUpdate = (stackId: string, status: string) =>
  validationError(`Stack:${stackId} is in ${status} state and can not be updated.`);
export const stackCannotDelete = (stackId: string, status: string) =>
  validationError(`Stack [${stackId}] cannot be deleted while in status ${status}`);
export const terminationProtected = (stackName: string) =>
  validationError(`Stack [${stackName}] cannot be deleted while TerminationProtection is enabled`);

export const noUpdates = () => validationError("No updates are to be performed.");

export const insufficientCapabilities = (capabilities: readonly string[]) =>
  new AwsError("InsufficientCapabilitiesException", 400, `Requires capabilities : [${capabilities.join(", ")}]`);

export const changeSetNotFound = (name: string) =>
  new AwsError("ChangeSetNotFound", 404, `ChangeSet [${name}] does not exist`);
export const changeSetExists = (name: string) =>
  new AwsError(
    "AlreadyExistsException",
    400,
    `ChangeSet ${name} cannot be created due to a mismatch with existing attribute Name`,
  );
export const changeSetNotExecutable = (changeSetId: string, status: string) =>
  new AwsError(
    "InvalidChangeSetStatus",
    400,
    `ChangeSet [${changeSetId}] cannot be executed in its current status of [${status}]`,
  );

export const exportInUse = (name: string, stackNames: readonly string[]) =>
  validationError(`Export ${name} cannot be deleted as it is in use by ${stackNames.join(", ")}`);

export const notExported = (name: string) => validationError(`Export '${name}' is not imported by any stack.`);

/** A request member that is not built, refused by its name. */
export const memberNotImplemented = (operation: string, member: string) =>
  new AwsError("NotImplemented", 501, `${operation} with ${member} is not implemented by Cumulet`);
