/**
 * Run a step for every name, each after those it waits for, at most `parallelMax` at once. After a failure nothing new is
 * begun, or, with `keepGoing`, nothing that waits for what failed. Resolves when everything begun has ended.
 *
 * @param waitsFor names outside of `names` are not waited for; there must be no circle
 * @returns the names whose step failed, with the error
 */
export async function runInOrder(
  names: readonly string[],
  waitsFor: (name: string) => Iterable<string>,
  step: (name: string) => Promise<void>,
  options: { readonly parallelMax: number; readonly keepGoing?: boolean },
): Promise<ReadonlyMap<string, unknown>> {
  const waiting = new Map<string, Set<string>>();
  const dependents = new Map<string, string[]>();
  const all = new Set(names);
  for (const name of names) {
    const on = new Set([...waitsFor(name)].filter((each) => all.has(each) && each !== name));
    waiting.set(name, on);
    for (const each of on) dependents.set(each, [...(dependents.get(each) ?? []), name]);
  }
  const failures = new Map<string, unknown>();
  const ready = names.filter((name) => waiting.get(name)?.size === 0);
  let running = 0;
  return new Promise((resolve) => {
    const advance = (): void => {
      while (running < options.parallelMax && ready.length > 0 && (options.keepGoing || failures.size === 0)) {
        const name = ready.shift();
        if (name !== undefined) begin(name);
      }
      if (running === 0) resolve(failures);
    };
    const begin = (name: string): void => {
      running++;
      step(name).then(
        () => {
          for (const dependent of dependents.get(name) ?? []) {
            const on = waiting.get(dependent);
            if (on?.delete(name) && on.size === 0) ready.push(dependent);
          }
          ended();
        },
        (error: unknown) => {
          failures.set(name, error);
          ended();
        },
      );
    };
    const ended = (): void => {
      running--;
      advance();
    };
    advance();
  });
}
