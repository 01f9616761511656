/** Quotas of Lambda Managed Instances. Source: developer guide, "Lambda Managed Instances" (2026), unless a line says that it is ours. */
export const capacityLimits = {
  providersMax: 1000,
  /** Function versions of one capacity provider. */
  versionsMax: 100,
  memoryMbMin: 2048,
  memoryMbMax: 32_768,
  /** GiB for each processor. */
  memoryRatios: [2, 4, 8],
  memoryRatioDefault: 2,
  slotsMax: 1600,
  maxVcpusDefault: 400,
  environmentsMinDefault: 3,
  /** With `Auto`: half, for traffic may double within minutes. */
  utilizationTarget: 0.5,
  listItemsMax: 50,
} as const;

/** Invocations that an environment takes at once, for each of its processors. Source: the pages of the runtimes. */
export function slotsPerVcpu(runtime: string): number {
  if (runtime.startsWith("nodejs")) return 64;
  if (runtime.startsWith("java") || runtime.startsWith("dotnet")) return 32;
  // Python. For other programs AWS's number is not published.
  return 16;
}

/** Source: developer guide, "Lambda Managed Instances runtimes". */
export function isSupportedRuntime(runtime: string): boolean {
  const [, language = "", version = ""] = /^(nodejs|java|dotnet|python3\.|provided\.al)(\d+)/.exec(runtime) ?? [];
  const least: Readonly<Record<string, number>> = {
    nodejs: 22,
    java: 21,
    dotnet: 8,
    "python3.": 13,
    "provided.al": 2023,
  };
  // Container images have no runtime: what is in them is theirs.
  return runtime === "" || Number(version) >= (least[language] ?? Infinity);
}
