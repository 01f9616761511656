import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { readConfig } from "../../src/config.ts";
import { runTool } from "../../src/testing/tools.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "deploy/kubernetes");
const validator = join(root, ".venv/bin/kubernetes-validate");
const env = { PATH: process.env["PATH"] ?? "" };

/** The oldest and the newest Kubernetes that the manifests are for. */
const versions = ["1.33", "1.37"];

const files = (await readdir(folder)).filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml");

async function read(name: string): Promise<Record<string, unknown>> {
  const [document] = parseAllDocuments(await readFile(join(folder, name), "utf8"));
  const value: unknown = document?.toJS();
  if (typeof value !== "object" || value === null) throw new Error(`${name} is empty`);
  return { ...value };
}

describe.skipIf(!existsSync(validator))(
  "Kubernetes' own schemas (skipped where kubernetes-validate is missing)",
  () => {
    test.each(versions)("of version %s take every manifest, strictly", async (version) => {
      const paths = files.map((name) => join(folder, name));
      const { status, stdout, stderr } = await runTool(validator, ["--strict", "-k", version, ...paths], { env });
      expect(`${stdout}${stderr}`).not.toMatch(/ERROR|WARN/);
      expect(status).toBe(0);
    });
  },
);

test("the kustomization names every manifest but the example of a secret", async () => {
  const { resources } = await read("kustomization.yaml");
  expect(new Set(resources as string[])).toEqual(new Set(files.filter((name) => name !== "secret.example.yaml")));
});

test("the deployment's arguments and variables are those that the program knows, and the grace fits", async () => {
  const text = await readFile(join(folder, "deployment.yaml"), "utf8");
  const flag = (name: string) => new RegExp(`--${name}=(\\S+)`).exec(text)?.[1];
  const config = readConfig(
    {
      "drain-wait": flag("drain-wait"),
      "stop-grace": flag("stop-grace"),
      "tls-cert": flag("tls-cert"),
      "tls-key": flag("tls-key"),
    },
    {},
  );
  const graceMs = Number(/terminationGracePeriodSeconds: (\d+)/.exec(text)?.[1]) * 1000;
  expect(config.drainWaitMs).toBeGreaterThan(0);
  expect(config.drainWaitMs + config.stopGraceMs).toBeLessThan(graceMs);
  const known = await readFile(join(root, "src/config.ts"), "utf8");
  for (const [name] of text.matchAll(/CUMULET_[A-Z_]+/g)) expect(known).toContain(`"${name}"`);
});

test("the metric that the autoscaler asks for is one that /metrics gives", async () => {
  const text = await readFile(join(folder, "horizontal-pod-autoscaler.yaml"), "utf8");
  const name = /metric:\s+name: (\S+)/.exec(text)?.[1] ?? "";
  expect(await readFile(join(root, "src/services/lambda/meter.ts"), "utf8")).toContain(`"${name}"`);
});

const analyze = "/usr/bin/systemd-analyze";

test.skipIf(!existsSync(analyze))(
  "systemd finds nothing wrong with the unit (skipped without systemd-analyze)",
  async () => {
    const unit = join(root, "deploy/systemd/cumulet.service");
    const { stdout, stderr } = await runTool(analyze, ["verify", unit], { env });
    // The program is not installed where the unit expects it.
    const found = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !line.includes("is not executable"));
    expect(found.filter((line) => line.includes("cumulet"))).toEqual([]);
  },
);
