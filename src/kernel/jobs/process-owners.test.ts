import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";

import { describe, expect, test } from "vitest";
import { randomIds } from "../ids.ts";
import { createProcessOwners } from "./process-owners.ts";

describe.skipIf(!existsSync("/proc/self/stat"))("an owner of this machine (needs /proc)", () => {
  const owners = createProcessOwners(randomIds);

  test("has not ended while its process runs, though another owner be in it", () => {
    expect(createProcessOwners(randomIds).id).not.toBe(owners.id);
    expect(owners.hasEnded(createProcessOwners(randomIds).id)).toBe(false);
  });

  test("has ended with its process, and when its number was given to another one", async () => {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const [machine, space, , began, tail] = owners.id.split("/");
    const asChild = (beginning: string | undefined) => [machine, space, child.pid, beginning, tail].join("/");
    expect(owners.hasEnded(asChild(began))).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(owners.hasEnded(asChild("1"))).toBe(true);
  });

  test("of another machine is not known to have ended", () => {
    expect(owners.hasEnded(owners.id.replace(/^[^/]*/, "0b9f3c1e"))).toBe(false);
  });

  test.each(["", "x", "a/b/c", "a uuid of another sort"])("is not known to have ended: %j", (id) => {
    expect(owners.hasEnded(id)).toBe(false);
  });

  test("of another container is not known to have ended", () => {
    const [machine, , , began, tail] = owners.id.split("/");
    expect(owners.hasEnded([machine, "pid:[1]", 999_999_999, began, tail].join("/"))).toBe(false);
  });
});
