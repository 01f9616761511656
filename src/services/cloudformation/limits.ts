/** Quotas: AWS CloudFormation User Guide, "Understand CloudFormation quotas". Others are Cumulet's own and say so. */
export const cloudFormationLimits = {
  templateBodyBytesMax: 51_200,
  templateUrlBytesMax: 1_048_576,
  resourcesMax: 500,
  parametersMax: 200,
  mappingsMax: 200,
  mappingAttributesMax: 200,
  outputsMax: 200,
  logicalIdLengthMax: 255,
  descriptionBytesMax: 1024,
  parameterValueBytesMax: 4096,
  tagsMax: 50,
  stackNameLengthMax: 128,
  stacksMax: 2000,
  /** DescribeStackEvents, ListStacks, ListStackResources, ListExports answer at most this many a page. */
  pageEntriesMax: 100,
  /** Own: nesting of a template's value. Deeper ones are refused before anything walks them. */
  templateDepthMax: 100,
  /** Own: how many values a template may grow to by Fn::ForEach, and Fn::Sub and Fn::Join may make of it. */
  templateNodesMax: 100_000,
  resolvedTextMax: 1_048_576,
  /** Own: the resolved properties of one resource, as JSON. Twice that fits a value of the store. */
  resourcePropertiesBytesMax: 900_000,
  /** Own: how long an operation that begins work on a stack waits for its end before it answers. */
  answerWaitMsMax: 1500,
  /** Own: how many stacks' operations one process runs at once. One may wait for a custom resource's provider, which costs nothing, for an hour. */
  stacksAtOnceMax: 250,
  /** Own: how many steps of one stack's operation run at once. */
  parallelStepsMax: 25,
  /** User guide, "Custom resource response objects", and `ServiceTimeout` in the template reference. */
  customResponseBytesMax: 4096,
  customPhysicalIdBytesMax: 1024,
  customResourceSecondsMax: 3600,
  /** Own: how long a request to a provider is kept after its deadline, for a step that is run again. */
  customRequestKeptMs: 24 * 3_600_000,
  /** Own: how often a clean-up deletion is tried after an update, as observed of CloudFormation. */
  cleanupAttemptsMax: 3,
} as const;
