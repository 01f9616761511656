import type { Reader } from "../../kernel/store/store.ts";
import { keyOf, readFunction, type FunctionRecord, type FunctionVersion, type Place } from "./model.ts";

/** One entry of a list of functions, and the marker that goes on after it. */
export interface ListedFunction {
  readonly record: FunctionRecord;
  readonly version: FunctionVersion;
  readonly marker: string;
}

const functionsAtOnce = 50;

/** Functions by name, each as its `$LATEST`; with `all`, each followed by its published versions. Goes on after `marker`. */
export async function* listFunctions(
  reader: Reader,
  place: Place,
  marker: string | undefined,
  all: boolean,
): AsyncGenerator<ListedFunction> {
  // `name`, or `name:version` in the midst of a function.
  const [name, number] = marker?.split(":") ?? [];
  if (all && name !== undefined && number !== undefined) {
    const record = await readFunction(reader, place, name);
    if (record) yield* publishedVersions(reader, place, record, Number(number));
  }
  const prefix = keyOf("function", place);
  let after = name;
  for (;;) {
    const entries = await reader.range<FunctionRecord>(
      { prefix, ...(after !== undefined && { after: [...prefix, after] }) },
      { limit: functionsAtOnce },
    );
    for (const { value: record } of entries) {
      yield { record, version: record.latest, marker: all ? `${record.name}:0` : record.name };
      if (all) yield* publishedVersions(reader, place, record, 0);
    }
    after = entries.at(-1)?.value.name;
    if (entries.length < functionsAtOnce) return;
  }
}

async function* publishedVersions(
  reader: Reader,
  place: Place,
  record: FunctionRecord,
  after: number,
): AsyncGenerator<ListedFunction> {
  const prefix = keyOf("version", place, record.name);
  for (let last = after; ;) {
    const entries = await reader.range<FunctionVersion>(
      { prefix, after: [...prefix, last] },
      { limit: functionsAtOnce },
    );
    for (const { value: version } of entries) {
      last = Number(version.version);
      yield { record, version, marker: `${record.name}:${version.version}` };
    }
    if (entries.length < functionsAtOnce) return;
  }
}
