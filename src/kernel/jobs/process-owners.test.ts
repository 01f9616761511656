import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { randomIds } from "../ids.ts";
import { processIdentity } from "../process-identity.ts";
import { createProcessOwners } from "./process-owners.ts";

describe.skipIf(!existsSync("/proc/self/stat"))("an owner of this machine (needs /proc)", () => {
  const owners = createProcessOwners(randomIds);

  test("has not ended while its process runs, though another owner be in it", () => {
    expect(createProcessOwners(randomIds).id).not.toBe(owners.id);
    expect(owners.hasEnded(createProcessOwners(randomIds).id)).toBe(false);
  });

  test("has ended with its process", async () => {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const asChild = owners.id.replace(/\|[^|]*\|/, `|${processIdentity(child.pid ?? 0)}|`);
    expect(owners.hasEnded(asChild)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(owners.hasEnded(asChild)).toBe(true);
  });

  test.each([
    ["of another machine", owners.id.replace(/^[^ ]*/, "0b9f3c1e")],
    ["of another container", owners.id.replace(/^(\S*) [^|]*/, "$1 pid:[1]")],
  ])("%s is not known to have ended", (_name, id) => {
    expect(owners.hasEnded(id.replace(/\|\d+-/, "|999999999-"))).toBe(false);
  });

  test.each(["", "x", "a|b|c", "a uuid of another sort"])("is not known to have ended: %j", (id) => {
    expect(owners.hasEnded(id)).toBe(false);
  });
});
