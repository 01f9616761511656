import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { mounter } from "./perl.ts";

/**
 * A folder in a mount namespace of its own, from which sandboxes are made. Mounts made here later appear in the sandboxes
 * that were bound to the place before: so does a function's code reach a sandbox that has been waiting for one. Nothing of
 * it is seen on the host, and all of it is gone when this process ends, however it ends.
 */
export interface Stage {
  /** As processes inside the namespace name it. */
  readonly path: string;
  /** As this process names the same folder. */
  readonly outside: string;
  /** Put before a command to run it inside. */
  readonly enter: readonly string[];
  /** With what is mounted in it. */
  bind(from: string, to: string): Promise<void>;
  /** Read-only, without devices and set-user-id programs; what is bound from there stays so. */
  bindReadOnly(from: string, to: string): Promise<void>;
  unmount(path: string): Promise<void>;
  close(): Promise<void>;
}

/** The keeper of the namespace: does what it is told, several things at a time, and ends with this process. */
const keeper = `
mount -t tmpfs -o size=16m,mode=0711 cumulet "$1" && mount --make-shared "$1" || exit 1
echo ready
if command -v perl > /dev/null; then
  perl -e "$6"
else
  tab=$(printf '\\t')
  while IFS="$tab" read -r id what from to; do
    {
      case $what in
        bind) mount --rbind "$from" "$to" && mount --make-rprivate "$to" ;;
        read-only) mount -o bind,ro,nosuid,nodev "$from" "$to" ;;
        unmount) umount -l "$from" ;;
      esac
      echo "$id $?"
    } &
  done
fi
for state in $2; do [ -e "$state" ] && echo "$3" > "$state"; done
umount -l "$1"
rmdir "$1"
tries=0
while [ -n "$4" ] && [ $tries -lt 50 ]; do
  rmdir $5 2> /dev/null
  left=; for folder in $4; do [ -e "$folder" ] && left=1; done
  [ -z "$left" ] && break
  tries=$((tries + 1)); sleep 0.1
done
`;

/** What is to be put right when this process has ended without doing it: frozen processes cannot die, groups stay. */
export interface Afterwards {
  /** Files to write `thawed` to; may hold `*`. */
  readonly freezers: string;
  readonly thawed: string;
  /** Folders to remove, with what is in them first. */
  readonly groups: readonly string[];
}

/** @throws when the host does not let this user make mounts in a namespace of its own */
export async function createStage(asRoot: boolean, afterwards: Afterwards): Promise<Stage> {
  // Where nothing tidies up: removing the folder, even unseen from here, would take the mounts away.
  const path = await mkdtemp(join(asRoot && existsSync("/run") ? "/run" : tmpdir(), "cumulet-"));
  const own = asRoot ? [] : ["--user", "--map-root-user"];
  const groups = afterwards.groups.join(" ");
  const inner = afterwards.groups.map((group) => `${group}/*/ ${group}`).join(" ");
  const program = "unshare";
  const child = spawn(
    program,
    [
      ...own,
      "--mount",
      "--propagation",
      "private",
      "sh",
      "-c",
      keeper,
      "sh",
      path,
      afterwards.freezers,
      afterwards.thawed,
      groups,
      inner,
      mounter,
    ],
    {
      cwd: "/",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C" },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    },
  );
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-1_000)));
  child.stdin.on("error", () => {});
  const waiting = new Map<string, (failed: boolean) => void>();
  let readyNow: (() => void) | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line === "ready") return readyNow?.();
    const [id = "", code] = line.split(" ");
    waiting.get(id)?.(code !== "0");
    waiting.delete(id);
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  const problem = (what: string) => new Error(`${what}${complaint === "" ? "" : `: ${complaint.trim()}`}`);
  let closed = false;
  void ended.then(() => {
    closed = true;
    for (const settle of waiting.values()) settle(true);
  });
  const removeFolder = () => rmdir(path).catch(() => {});
  await new Promise<void>((resolve, reject) => {
    readyNow = resolve;
    void ended.then(() =>
      removeFolder().then(() => reject(problem("Mounts in a namespace of our own are refused here"))),
    );
  });
  child.unref();

  let count = 0;
  const order = (what: string, from: string, to: string): Promise<void> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(problem("The keeper of the mounts has ended"));
      if (/[\t\n]/u.test(from + to)) return reject(new Error("A path with a tab or a line break cannot be mounted"));
      count += 1;
      waiting.set(String(count), (failed) => (failed ? reject(problem(`Mounting ${from} failed`)) : resolve()));
      child.stdin.write(`${count}\t${what}\t${from}\t${to}\n`);
    });

  return {
    path,
    outside: `/proc/${child.pid}/root${path}`,
    enter: ["nsenter", "-t", String(child.pid), ...(asRoot ? ["-m"] : ["-U", "--preserve-credentials", "-m"]), "--"],
    bind: (from, to) => order("bind", from, to),
    bindReadOnly: (from, to) => order("read-only", from, to),
    unmount: (at) => order("unmount", at, ""),
    async close() {
      child.stdin.end();
      await ended;
      await removeFolder();
    },
  };
}
