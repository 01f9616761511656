/**
 * A member of a JSON body, by a plain path: names and positions, as `user.roles[0]` or `$['user']['name']`. AWS's parameter
 * mappings know no more; a path with anything else finds nothing.
 *
 * @returns text as it is, anything else as JSON; undefined where there is nothing
 */
export function textAt(body: Buffer, path: string): string | undefined {
  const steps = parseSteps(path);
  if (steps === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
  for (const step of steps) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

const stepPattern = /^(?:\.?([^.[\]'"*?@()\s]+)|\[(\d{1,9})\]|\['([^']*)'\]|\["([^"]*)"\])/;

function parseSteps(path: string): string[] | undefined {
  const steps: string[] = [];
  let rest = path.replace(/^\$\.?/, "");
  while (rest !== "") {
    const match = stepPattern.exec(rest);
    if (match === null) return undefined;
    steps.push(match[1] ?? match[2] ?? match[3] ?? match[4] ?? "");
    rest = rest.slice(match[0].length);
  }
  return steps;
}
