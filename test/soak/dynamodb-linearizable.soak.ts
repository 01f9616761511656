import { expect, test } from "vitest";
import { clientSettings } from "../../src/testing/functions.ts";
import { checkLinearizable } from "../../src/testing/linearizability.ts";
import { startTestServer } from "../../src/testing/server.ts";
import { itemsModel, raceOnItems } from "../dynamodb/histories.ts";
import { objectModel, raceOnObject } from "../s3/histories.ts";

const races = Number(process.env["CUMULET_SOAK_RACES"] ?? 300);

test.each([1, 2])("%i workers: clients that race on items and objects see one order", async (workers) => {
  const server = await startTestServer(["--workers", String(workers)]);
  try {
    const settings = clientSettings(server.environment);
    let calls = 0;
    let unknown = 0;
    for (let race = 0; race < races; race += 1) {
      const items = await raceOnItems(settings, { clients: 8, callsEach: 25, random: Math.random });
      expect(checkLinearizable(itemsModel, items)).toEqual({ linearizable: true });
      const objects = await raceOnObject(settings, { clients: 6, callsEach: 20, random: Math.random });
      expect(checkLinearizable(objectModel, objects)).toEqual({ linearizable: true });
      calls += items.length + objects.length;
      unknown += [...items, ...objects].filter(({ end }) => end === undefined).length;
    }
    process.stdout.write(
      `${workers} workers, ${races} races, ${calls} calls, ${unknown} without an answer: linearizable\n`,
    );
  } finally {
    await server.stop();
  }
});
