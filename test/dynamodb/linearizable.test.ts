import { afterAll, beforeAll, expect, test } from "vitest";
import { checkLinearizable } from "../../src/testing/linearizability.ts";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { raceOnObject, objectModel } from "../s3/histories.ts";
import { itemsModel, raceOnItems } from "./histories.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ sandbox: "process", durable: true });
});
afterAll(() => platform.stop());

const random = Math.random;

test("clients that race on items with conditions, sums and transactions see one order", async () => {
  for (let race = 0; race < 4; race += 1) {
    const history = await raceOnItems(platform.settings, { clients: 6, callsEach: 25, random });
    expect(history.filter(({ end }) => end === undefined)).toEqual([]);
    expect(checkLinearizable(itemsModel, history)).toEqual({ linearizable: true });
  }
});

test("clients that race on an object with If-None-Match and If-Match see one order", async () => {
  for (let race = 0; race < 2; race += 1) {
    const history = await raceOnObject(platform.settings, { clients: 5, callsEach: 20, random });
    expect(history.filter(({ end }) => end === undefined)).toEqual([]);
    expect(checkLinearizable(objectModel, history)).toEqual({ linearizable: true });
  }
});
