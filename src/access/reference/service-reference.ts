/** A service's page in AWS's Service Authorization Reference. */
export interface ServiceReference {
  /** By name of the resource type: its ARN's form (`arn:${Partition}:lambda:…`), then the condition keys it has. */
  readonly resources: Readonly<Record<string, readonly [arn: string, ...conditionKeys: string[]]>>;
  /** By name of the action: the types of resources it is asked about (none: `*`), and its condition keys. */
  readonly actions: Readonly<
    Record<string, readonly [resourceTypes: readonly string[], conditionKeys: readonly string[]]>
  >;
}
