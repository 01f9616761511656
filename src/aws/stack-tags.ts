/**
 * Whether tags are those that CloudFormation gives what it makes for a resource of a stack: it is what a creation has left that
 * was cut off before its identifier was recorded.
 */
export function isMadeFor(
  { stackId, logicalId }: { readonly stackId: string; readonly logicalId: string },
  tags: Readonly<Record<string, string>> | undefined,
): boolean {
  return tags?.["aws:cloudformation:stack-id"] === stackId && tags["aws:cloudformation:logical-id"] === logicalId;
}
