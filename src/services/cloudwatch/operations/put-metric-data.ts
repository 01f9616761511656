import type { MetricDatum as SentDatum } from "@aws-sdk/client-cloudwatch";
import { notImplemented } from "../../../aws/error.ts";
import type { Call, OperationsOf } from "../../../wire/service.ts";
import type { MetricDatum } from "../datum.ts";
import { invalidCombination, invalidValue, missing } from "../errors.ts";
import { cloudWatchLimits } from "../limits.ts";
import { sampleOf, type Sample } from "../sample.ts";
import { onMetrics, toDimensions, type OperationNeeds, type Sdk } from "./needs.ts";

export function putOperations({ writer }: OperationNeeds) {
  return {
    PutMetricData: {
      authorize: (input) => onMetrics("PutMetricData", input.Namespace),
      async run(input, call) {
        const namespace = input.Namespace ?? "";
        if (input.EntityMetricData) throw notImplemented("The parameter EntityMetricData of PutMetricData");
        if (input.StrictEntityValidation) {
          throw notImplemented("The parameter StrictEntityValidation of PutMetricData");
        }
        if (namespace.startsWith("AWS/")) throw invalidValue("The value AWS/ for parameter Namespace is invalid.");
        checkAscii(namespace, "Namespace");
        const sent = input.MetricData ?? [];
        if (sent.length === 0) throw missing("The parameter MetricData is required.");
        if (sent.length > cloudWatchLimits.metricDataMax) {
          throw invalidValue(
            `The collection MetricData must not have a size greater than ${cloudWatchLimits.metricDataMax}.`,
          );
        }
        await writer.put(
          sent.map((datum, index) => parseDatum(datum, `MetricData.member.${index + 1}`, namespace, call)),
        );
        return {};
      },
    },
  } satisfies OperationsOf<Sdk>;
}

function parseDatum(sent: SentDatum, path: string, namespace: string, call: Call): MetricDatum {
  const metricName = sent.MetricName ?? "";
  checkAscii(metricName, `${path}.MetricName`);
  const dimensions = toDimensions(sent.Dimensions);
  dimensions.forEach(({ name, value }, index) => {
    checkAscii(name, `${path}.Dimensions.member.${index + 1}.Name`);
    checkAscii(value, `${path}.Dimensions.member.${index + 1}.Value`);
    if (name.startsWith(":")) throw invalidValue(`The value ${name} for parameter ${path}.Dimensions is invalid.`);
    if (dimensions[index - 1]?.name === name) {
      throw invalidValue(`The parameter ${path}.Dimensions names the dimension ${name} more than once.`);
    }
  });
  const timestamp = sent.Timestamp?.getTime() ?? call.now;
  if (Number.isNaN(timestamp) || timestamp < call.now - cloudWatchLimits.tooOldMs) {
    throw invalidValue(`The parameter ${path}.Timestamp must specify a time within the past two weeks.`);
  }
  if (timestamp > call.now + cloudWatchLimits.tooNewMs) {
    throw invalidValue(`The parameter ${path}.Timestamp must specify a time no more than two hours in the future.`);
  }
  const resolution = sent.StorageResolution ?? 60;
  if (resolution !== 1 && resolution !== 60) {
    throw invalidValue(`The value ${resolution} for parameter ${path}.StorageResolution is invalid.`);
  }
  return {
    account: call.account,
    region: call.region,
    namespace,
    metricName,
    dimensions,
    unit: sent.Unit ?? "None",
    timestamp,
    resolution,
    sample: parseSample(sent, path),
  };
}

function parseSample(sent: SentDatum, path: string): Sample {
  const { Value, Values, Counts, StatisticValues } = sent;
  const given = Object.entries({ Value, Values, StatisticValues }).filter(([, value]) => value !== undefined);
  const [first, second] = given.map(([name]) => `${path}.${name}`);
  if (first === undefined) {
    throw missing(
      `At least one of the parameters ${path}.Value, ${path}.Values, ${path}.StatisticValues must be specified.`,
    );
  }
  if (second !== undefined) {
    throw invalidCombination(
      `The parameters ${first} and ${second} are mutually exclusive and you have specified both.`,
    );
  }
  if (Counts !== undefined && Values === undefined) {
    throw missing(`The parameter ${path}.Values is required.`);
  }
  if (StatisticValues) {
    const { SampleCount = 0, Sum = 0, Minimum = 0, Maximum = 0 } = StatisticValues;
    for (const [name, value] of Object.entries({ SampleCount, Sum, Minimum, Maximum })) {
      checkValue(value, `${path}.StatisticValues.${name}`);
    }
    if (SampleCount <= 0)
      throw invalidValue(`The value ${SampleCount} for parameter ${path}.StatisticValues.SampleCount is invalid.`);
    if (Minimum > Maximum) {
      throw invalidCombination(
        `The parameter ${path}.StatisticValues.Maximum must be greater than or equal to ${path}.StatisticValues.Minimum.`,
      );
    }
    return { count: SampleCount, sum: Sum, minimum: Minimum, maximum: Maximum };
  }
  const values = Values ?? [Value ?? 0];
  if (values.length === 0) throw missing(`The parameter ${path}.Values is required.`);
  if (values.length > cloudWatchLimits.valuesMax) {
    throw invalidValue(
      `The collection ${path}.Values must not have a size greater than ${cloudWatchLimits.valuesMax}.`,
    );
  }
  if (Counts !== undefined && Counts.length !== values.length) {
    throw invalidValue(`The parameters ${path}.Values and ${path}.Counts must be of the same size.`);
  }
  const distinct = new Map<number, number>();
  values.forEach((value, index) => {
    checkValue(value, Values ? `${path}.Values.member.${index + 1}` : `${path}.Value`);
    const count = Counts?.[index] ?? 1;
    checkValue(count, `${path}.Counts.member.${index + 1}`);
    if (count <= 0)
      throw invalidValue(`The value ${count} for parameter ${path}.Counts.member.${index + 1} is invalid.`);
    distinct.set(value, (distinct.get(value) ?? 0) + count);
  });
  return sampleOf(distinct);
}

function checkValue(value: number, path: string): void {
  if (!Number.isFinite(value) || Math.abs(value) > cloudWatchLimits.valueMost) {
    throw invalidValue(`The value ${value} for parameter ${path} is invalid.`);
  }
}

/** AWS: names and values of metrics and dimensions are ASCII, without control characters, and not blank. */
function checkAscii(text: string, path: string): void {
  if (!/^[\x20-\x7e]+$/.test(text) || text.trim() === "") {
    throw invalidValue(`The value ${text} for parameter ${path} is invalid.`);
  }
}
