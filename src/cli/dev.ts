import { dirname, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { printAddresses } from "./addresses.ts";
import { packageTemplate } from "./artifacts.ts";
import { CommandError, type Command, type Output } from "./command.ts";
import { connectionOptions, type Connection } from "./connection.ts";
import { deployStack, parseParameter, stackNameOf } from "./deploy.ts";
import { refuseOtherOrigin, withOrigin } from "./stack-origin.ts";
import { readDevApp, type DevApp } from "./dev-app.ts";
import { followStack } from "./dev-follow.ts";
import { openDevServer } from "./dev-server.ts";
import { clearFailedStack, readDevStack, type DevStack } from "./dev-stack.ts";
import { createSwapper, type Swapper } from "./dev-swap.ts";
import { watchFiles } from "./dev-watch.ts";
import { createProgress } from "./progress.ts";

export const devCommand: Command = {
  name: "dev",
  usage: "dev [FOLDER|TEMPLATE] [--stack NAME] [--parameter KEY=VALUE]… [--port PORT] [--data DIR]",
  summary: "runs an app while you edit it: a save is live at once",
  help: "Starts the platform unless it runs already, deploys the app as 'cumulet deploy' does, and watches its files. A change of a function's files replaces that function's code; a change of the template deploys the stack again. What functions log and which requests were answered is printed as it happens. Ctrl+C ends it, and the platform too if this command has started it.\nAn app that 'sam build' has built is taken from .aws-sam/build: build again (sam build) to bring changed sources there.",
  async run(argv, output) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...connectionOptions, stack: { type: "string" }, parameter: { type: "string", multiple: true } },
      allowPositionals: true,
    });
    const folder = resolve(positionals[0] ?? ".");
    const parameters = (values.parameter ?? []).map(parseParameter);
    // Before anything is started: whether there is an app at all.
    await readDevApp(folder);
    const ended = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => ended.abort());
    const server = await openDevServer(values, output);
    try {
      const { connection } = server;
      const stackName = values.stack ?? stackNameOf(folder);
      if (values.stack === undefined) await refuseOtherOrigin(connection, stackName, folder);
      const swapper = await createSwapper(connection);
      await develop({ folder, stackName, parameters, connection, swapper, output, ended: ended.signal });
    } finally {
      await server.stop();
    }
    return 0;
  },
};

interface Development {
  readonly folder: string;
  readonly stackName: string;
  readonly parameters: readonly { ParameterKey: string; ParameterValue: string }[];
  readonly connection: Connection;
  readonly swapper: Swapper;
  readonly output: Output;
  readonly ended: AbortSignal;
}

async function develop(development: Development): Promise<void> {
  const { folder, connection, output, ended } = development;
  let stack: DevStack | undefined;
  let app: DevApp = await readDevApp(folder);
  let unwatch: (() => void) | undefined;
  let work: Promise<void> = Promise.resolve();
  // What has changed while something else was under way.
  let pending = new Set<string>();

  const deploy = async (): Promise<void> => {
    // What is watched follows the template as it is, deployable or not.
    app = await readDevApp(folder).catch(() => app);
    stack = (await deployApp(development, app)) ?? stack;
    // The next watch begins before the last ends: a save between the two would be lost.
    const endLast = unwatch;
    unwatch = ended.aborted ? undefined : await watchFiles(watchedOf(app), onChange);
    endLast?.();
  };
  const bringUpToDate = async (changed: ReadonlySet<string>): Promise<void> => {
    const redeploy = stack === undefined || changed.has(app.templatePath) || app.deployed.some(isTouchedBy(changed));
    if (redeploy) return deploy();
    await swapChanged(development, app, stack, changed);
  };
  const onChange = (changed: ReadonlySet<string>) => {
    for (const path of changed) pending.add(path);
    work = work.then(async () => {
      if (pending.size === 0 || ended.aborted) return;
      const burst = pending;
      pending = new Set();
      try {
        await bringUpToDate(burst);
      } catch (error) {
        output.err(messageOf(error));
      }
    });
  };

  const following = followStack(connection, () => stack, output, ended);
  try {
    await deploy();
    if (app.isBuilt) output.err("This app is deployed from what 'sam build' made: run it again after an edit.");
    output.err("Watching for changes. Press Ctrl+C to stop.");
    if (!ended.aborted) await new Promise((resolve) => ended.addEventListener("abort", resolve, { once: true }));
    await work;
  } finally {
    unwatch?.();
    await following;
  }
}

/** @returns undefined when it failed, which is said: the app is deployed again when its files change */
async function deployApp(development: Development, app: DevApp): Promise<DevStack | undefined> {
  const { folder, stackName, parameters, connection, swapper, output } = development;
  const progress = createProgress(output);
  try {
    await clearFailedStack(connection, stackName);
    const template = withOrigin(await packageTemplate(folder, connection, progress), folder);
    const { changed } = await deployStack({ connection, stackName, template, parameters, progress });
    progress.end();
    await swapper.deployed(app.functions);
    output.err(changed ? `Stack ${stackName} is deployed.` : `Stack ${stackName} is up to date.`);
    if (changed) await printAddresses(connection, stackName, output);
    return await readDevStack(connection, stackName);
  } catch (error) {
    progress.end();
    swapper.forget();
    output.err(messageOf(error));
    return undefined;
  }
}

async function swapChanged(
  { swapper, output }: Development,
  app: DevApp,
  stack: DevStack | undefined,
  changed: ReadonlySet<string>,
): Promise<void> {
  const touched = app.functions.filter(({ path }) => isTouchedBy(changed)(path));
  await Promise.all(
    touched.map(async (fn) => {
      const functionName = stack?.functions.get(fn.logicalId);
      if (functionName === undefined) return;
      try {
        const swapped = await swapper.swap(fn, functionName, changed);
        if (swapped === undefined) return;
        output.err(`${fn.logicalId} is replaced (${swapped.ms.toFixed(0)} ms).`);
        if (swapped.failure !== undefined) output.err(`${fn.logicalId} cannot be loaded: ${swapped.failure}`);
      } catch (error) {
        output.err(`${fn.logicalId} is not replaced: ${messageOf(error)}`);
      }
    }),
  );
}

function watchedOf(app: DevApp): readonly string[] {
  const own = dirname(app.templatePath);
  const paths = [...app.functions.map(({ path }) => path), ...app.deployed];
  return [own, ...paths.filter((path) => !path.startsWith(own + sep))];
}

/** Whether a file or folder is among what has changed, or holds some of it. */
const isTouchedBy =
  (changed: ReadonlySet<string>) =>
  (path: string): boolean =>
    changed.has(path) || [...changed].some((one) => one.startsWith(path + sep));

function messageOf(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
