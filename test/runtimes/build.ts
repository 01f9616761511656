import { buildClient, clientNames } from "./clients.ts";

/** Builds the functions on official clients ahead of the tests, which otherwise do so themselves. */
for (const name of clientNames) {
  const built = await buildClient(name);
  if ("missing" in built) process.stderr.write(`cumulet: ${built.missing}; its tests are skipped\n`);
}
