import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGuardRails } from "./guard-rails.ts";
import { createPolicyCompiler } from "./policy/compile.ts";

let folder: string;
const compile = createPolicyCompiler();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cumulet-guard-rails-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function open(text: string) {
  const file = join(folder, "rails.json");
  await writeFile(file, text);
  return await openGuardRails(file, compile);
}

test("without a file there are none", async () => {
  expect(await openGuardRails(undefined, compile)).toBeUndefined();
});

test("a policy document is taken", async () => {
  const text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';
  expect((await open(text))?.policy.statements).toHaveLength(1);
});

test.each([
  ["no JSON", "{"],
  ["a principal", '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}'],
  ["no statement", '{"Version":"2012-10-17"}'],
])("%s is refused at start", async (_name, text) => {
  await expect(open(text)).rejects.toThrow(/rails\.json is no policy document/);
});

test("a file that is not there is refused at start", async () => {
  await expect(openGuardRails(join(folder, "none"), compile)).rejects.toThrow(/cannot be read/);
});
