import type { Language } from "./bare.ts";
import type { ColdStarts } from "./cold-start.ts";
import type { Idle } from "./idle.ts";
import type { StartUp } from "./start-up.ts";
import { median, quantile, ratio } from "./statistics.ts";
import type { Row } from "./table.ts";
import type { Throughput } from "./throughput.ts";

const names: Readonly<Record<Language, string>> = { node: "Node.js", python: "Python", java: "Java", ruby: "Ruby" };
const languages: readonly Language[] = ["node", "python", "java", "ruby"];
const aims: Readonly<Record<Language, { readonly waiting?: string; readonly nothing?: string }>> = {
  node: { waiting: "< 10", nothing: "< 60" },
  python: { waiting: "< 10", nothing: "< 45" },
  java: { waiting: "< 10", nothing: "< 60" },
  ruby: {},
};

export function requestRows(measured: Readonly<Record<string, Throughput>>, load: string): Row[] {
  const ours = measured["cumulet"]?.perSecond ?? [];
  const aimsHere: Readonly<Record<string, string>> =
    load === "32 in flight" ? { fastify: "≥ 0.4", "serverless-offline": "≥ 12" } : {};
  return [
    ...Object.entries(measured).flatMap(([name, { perSecond, p50Ms, p99Ms }]) => [
      { what: `warm requests/s, ${load}, ${name}`, value: Math.round(median(perSecond)), unit: "1/s" },
      { what: `p50, ${load}, ${name}`, value: median(p50Ms), unit: "ms" },
      { what: `p99, ${load}, ${name}`, value: median(p99Ms), unit: "ms" },
    ]),
    ...Object.entries(measured)
      .filter(([name]) => name !== "cumulet")
      .map(([name, { perSecond }]) => ({
        what: `Cumulet / ${name}, ${load}`,
        value: ratio(ours, perSecond),
        unit: "×",
        aim: aimsHere[name],
      })),
  ];
}

export function coldRows(cold: ColdStarts): Row[] {
  const perLanguage = languages.flatMap((language) => {
    const waiting = cold.singleMs[language];
    const nothing = cold.fromNothingMs[language];
    const bare = cold.bareMs[language];
    if (waiting === undefined || nothing === undefined || bare === undefined) return [];
    const name = names[language];
    return [
      ...both(`cold start, ${name}`, waiting, aims[language].waiting),
      { what: `cold start, ${name} / its bare start`, value: ratio(waiting, bare), unit: "×" },
      ...both(`cold start from nothing, ${name}`, nothing, aims[language].nothing),
      { what: `cold start from nothing, ${name} / its bare start`, value: ratio(nothing, bare), unit: "×" },
      ...both(`bare start, ${name}`, bare),
    ];
  });
  return [
    ...perLanguage,
    ...both("cold start, Node.js with an AWS SDK client of the runtime", cold.sdkMs, "< 25"),
    ...both("cold start, Node.js with an AWS SDK client in its package", cold.ownSdkMs),
    {
      what: "20 cold starts in parallel, all answered, median",
      value: median(cold.parallelMs),
      unit: "ms",
      aim: "< 400",
    },
    {
      what: "20 cold starts in parallel, the first time after start",
      value: cold.parallelMs[0] ?? Number.NaN,
      unit: "ms",
    },
    {
      what: "100 cold starts in parallel, all answered, median",
      value: median(cold.manyMs),
      unit: "ms",
      aim: "< 1500",
    },
    { what: "20 first requests to one new function, median", value: median(cold.sameFunctionMs), unit: "ms" },
  ];
}

export function idleRows(idle: Idle): Row[] {
  return [
    ...languages.flatMap((language) => {
      const ours = idle.environmentMb[language];
      const bare = idle.bareMb[language];
      if (ours === undefined || bare === undefined) return [];
      const name = names[language];
      return [
        { what: `private memory of an idle environment, ${name}`, value: ours, unit: "MB" },
        { what: `private memory of the bare interpreter, ${name}`, value: bare, unit: "MB" },
        { what: `idle environment / bare interpreter, ${name}`, value: ratio([ours], [bare]), unit: "×", aim: "≤ 1.2" },
      ];
    }),
    { what: "processor time of idle environments in a minute", value: idle.environmentsCpuMs, unit: "ms" },
    { what: "processor time of all of an idle server in a minute", value: idle.cpuMs, unit: "ms" },
  ];
}

export function startUpRows(startUp: StartUp): Row[] {
  return [
    { what: "ready with 200 functions deployed, median", value: median(startUp.readyMs), unit: "ms", aim: "< 400" },
    { what: "plain `node -e 0` at that time, median", value: median(startUp.bareNodeMs), unit: "ms" },
    { what: "resident memory idle, server with 200 functions", value: startUp.idleMb, unit: "MB", aim: "< 100" },
  ];
}

export function reloadRows(reloadMs: readonly number[]): Row[] {
  return [
    {
      what: "saved under `cumulet dev` until the new code answers, median",
      value: median(reloadMs),
      unit: "ms",
      aim: "< 200",
    },
  ];
}

function both(what: string, values: readonly number[], aim?: string): Row[] {
  return [
    { what: `${what}, median`, value: median(values), unit: "ms", aim },
    { what: `${what}, p99`, value: quantile(values, 0.99), unit: "ms" },
  ];
}
