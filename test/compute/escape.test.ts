import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, symlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHarness, type Harness } from "./harness.ts";

const why = !existsSync("/usr/bin/bwrap")
  ? "without bubblewrap"
  : !existsSync("/usr/bin/python3")
    ? "without Python, whose ctypes reaches any system call"
    : "";

/** Runs what the event asks for, with means that no ordinary function needs; says how each call ended. */
const intruder = `
import ctypes, errno, os, platform, socket, subprocess

libc = ctypes.CDLL(None, use_errno=True)
column = 1 if platform.machine() == "aarch64" else 0
numbers = {name: both[column] for name, both in {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "unshare": (272, 97), "setns": (308, 268), "clone": (56, 220), "clone3": (435, 435),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "init_module": (175, 105), "finit_module": (313, 273), "kexec_load": (246, 104), "reboot": (169, 142),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "syslog": (103, 116), "swapon": (167, 224),
    "clock_settime": (227, 112), "sethostname": (170, 161), "personality": (135, 92), "mknodat": (259, 33),
    "setuid": (105, 146), "setgid": (106, 144),
}.items()}


def system(name, *arguments):
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(numbers[name]), *arguments) != -1:
        return "done"
    return errno.errorcode.get(ctypes.get_errno(), ctypes.get_errno())


def tried(action):
    try:
        done = action()
        return "done" if done is None else done
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    except Exception as error:
        return type(error).__name__


def read(path):
    with open(path, "rb") as file:
        return file.read(4096).decode("latin1")


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def reach(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(0.5)
        connection.connect(address)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def handler(event, context):
    scope = dict(globals())
    exec(event["code"], scope)
    return scope["result"]
`;

describe.skipIf(why !== "")(`a function that wants out of its sandbox of namespaces (skipped ${why})`, () => {
  let harness: Harness;
  let other: Awaited<ReturnType<Harness["define"]>>;
  let spec: Awaited<ReturnType<Harness["define"]>>;
  const attempt = (code: string) => harness.answer(spec, { code: `result = ${code}` });
  const inet = (host: string, to: number) => attempt(`tried(lambda: reach(socket.AF_INET, ("${host}", ${to})))`);

  beforeAll(async () => {
    harness = await startHarness("namespaces");
    await writeFile(join(harness.dataDir, "credentials"), "root key");
    const python = { runtime: "python3.11", handler: "app.handler" } as const;
    other = await harness.define({ "app.py": intruder }, { ...python, functionName: "other" });
    spec = await harness.define({ "app.py": intruder }, python);
    // As no package of this platform's making would have them.
    await symlink("/etc/shadow", join(spec.codeDir, "shadow"));
    await symlink(harness.dataDir, join(spec.codeDir, "data"));
    await symlink("../../credentials", join(spec.codeDir, "credentials"));
    await copyFile("/usr/bin/id", join(spec.codeDir, "id"));
    await chmod(join(spec.codeDir, "id"), 0o6755);
    // Listens in its own network and keeps a file, while the other tries.
    await harness.answer(other, {
      code: `
write("/tmp/secret", "other function's file")
write("/dev/shm/secret", "other function's file")
import builtins
builtins.kept = [socket.socket(socket.AF_INET), socket.socket(socket.AF_UNIX)]
kept[0].bind(("0.0.0.0", 8000)); kept[0].listen()
kept[1].bind("\\0other function"); kept[1].listen()
result = None`,
    });
  });
  afterAll(() => harness.stop());

  it("finds no file of the host by /proc, by links in its package or by descriptors it was left with", async () => {
    const { dataDir } = harness;
    for (const path of [
      `/proc/1/root${dataDir}/credentials`,
      `/proc/self/root${dataDir}/credentials`,
      `/proc/1/cwd/../..${dataDir}/credentials`,
      "/var/task/credentials",
      "/var/task/shadow",
      "/var/task/data/credentials",
      "/proc/1/root/etc/shadow",
      "/etc/shadow",
    ]) {
      expect([path, await attempt(`tried(lambda: read(${JSON.stringify(path)}))`)]).toEqual([
        path,
        expect.stringMatching(/^(ENOENT|EACCES)$/u),
      ]);
    }
    const open = (await attempt(
      `[os.readlink("/proc/self/fd/" + name) for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)]`,
    )) as string[];
    expect(
      open.filter((target) => !/^(\/dev\/null|(socket|pipe|anon_inode):.*|\/proc\/\d+\/fd)$/u.test(target)),
    ).toEqual([]);
    expect(await attempt(`[name for name in os.listdir("/proc") if name.isdigit()]`)).not.toContain(
      String(process.pid),
    );
  });

  it("finds no file of another function, in memory or on disk", async () => {
    expect(await attempt(`[os.listdir("/tmp"), os.listdir("/dev/shm")]`)).toEqual([[], []]);
    expect(await attempt(`tried(lambda: read(${JSON.stringify(join(other.codeDir, "app.py"))}))`)).toBe("ENOENT");
    expect(await harness.answer(other, { code: `result = read("/tmp/secret")` })).toBe("other function's file");
  });

  it.each([
    ["mounts nothing", `system("mount", b"x", b"/tmp", b"tmpfs", 0, None)`],
    ["unmounts nothing", `system("umount2", b"/proc", 2)`],
    ["opens no new mount", `system("fsopen", b"tmpfs", 0)`],
    ["takes no copy of a mount", `system("open_tree", -100, b"/", 1)`],
    ["changes no root", `system("chroot", b"/tmp")`],
    ["pivots no root", `system("pivot_root", b"/tmp", b"/tmp")`],
    ["makes no user namespace", `system("unshare", 0x10000000)`],
    ["makes no mount namespace", `system("unshare", 0x20000)`],
    ["makes no process in a user namespace", `system("clone", 0x10000011, None, None, None, None)`],
    ["enters no namespace", `system("setns", os.open("/proc/1/ns/net", os.O_RDONLY), 0)`],
    ["traces no process", `system("ptrace", 16, 1, None, None)`],
    ["is traced by no process", `system("ptrace", 0, 0, None, None)`],
    ["reads no process's memory", `system("process_vm_readv", 1, None, 0, None, 0, 0)`],
    ["writes no process's memory", `system("process_vm_writev", 1, None, 0, None, 0, 0)`],
    ["takes no process's descriptors", `system("pidfd_getfd", os.pidfd_open(1), 0, 0)`],
    ["adds no key to a keyring", `system("add_key", b"user", b"x", b"y", 1, -3)`],
    ["asks for no key", `system("request_key", b"user", b"x", None, -3)`],
    ["sees no keyring", `system("keyctl", 0, -3, 0)`],
    ["loads no program into the kernel", `system("bpf", 5, None, 0)`],
    ["measures no process", `system("perf_event_open", None, 1, -1, -1, 0)`],
    ["handles no page faults", `system("userfaultfd", 0)`],
    ["has no ring of io_uring", `system("io_uring_setup", 1, None)`],
    ["loads no module", `system("finit_module", 0, b"", 0)`],
    ["loads no kernel", `system("kexec_load", 0, 0, None, 0)`],
    ["reboots nothing", `system("reboot", 0xfee1dead, 672274793, 0, None)`],
    ["opens no file by its handle", `system("open_by_handle_at", -100, None, 0)`],
    ["reads no kernel log", `system("syslog", 3, None, 0)`],
    ["sets no clock", `system("clock_settime", 0, None)`],
    ["renames no host", `system("sethostname", b"x", 1)`],
    ["switches no address randomization off", `system("personality", 0x40000)`],
    ["makes no block device", `tried(lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0)))`],
    ["makes no character device", `tried(lambda: os.mknod("/tmp/memory", 0o20666, os.makedev(1, 1)))`],
    ["opens no raw socket", `tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1) and None)`],
    ["lowers no process's chance to be ended for memory", `tried(lambda: write("/proc/self/oom_score_adj", "-1000"))`],
    ["takes no precedence", `tried(lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))`],
    ["takes no real time", `tried(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)))`],
  ])("%s", async (_what, code) => {
    expect(await attempt(code)).toMatch(/^(EPERM|EACCES)$/u);
  });

  it("becomes nobody else", async () => {
    for (const call of ["setuid", "setgid"]) expect(await attempt(`system("${call}", 0)`)).toMatch(/^(EPERM|EINVAL)$/u);
  });

  it("has no sockets that reach past its network: machines, kernel cryptography, rare protocols", async () => {
    // AF_PACKET, AF_VSOCK, AF_ALG, AF_KEY, AF_BLUETOOTH, AF_CAN, AF_TIPC, AF_XDP, AF_RDS
    for (const family of [17, 40, 38, 15, 31, 29, 30, 44, 21]) {
      for (const type of ["STREAM", "DGRAM", "RAW", "SEQPACKET"]) {
        const made = await attempt(`tried(lambda: socket.socket(${family}, socket.SOCK_${type}, 0).close())`);
        expect([family, type, made]).toEqual([family, type, "EAFNOSUPPORT"]);
      }
    }
    for (const family of ["AF_UNIX", "AF_INET", "AF_INET6"]) {
      expect(await attempt(`tried(lambda: socket.socket(socket.${family}).close())`)).toBe("done");
    }
  });

  it("falls back from clone3, so that threads and processes start", async () => {
    expect(await attempt(`system("clone3", None, 0)`)).toBe("ENOSYS");
    expect(await attempt(`run("/bin/echo", "x")`)).toBe("x\n");
  });

  it("makes a pipe with a name, as it may", async () => {
    expect(await attempt(`tried(lambda: os.mkfifo("/tmp/pipe"))`)).toBe("done");
    expect(await attempt(`tried(lambda: os.unlink("/tmp/pipe"))`)).toBe("done");
  });

  it("has no devices but the harmless ones, no /sys, and writes no setting of the kernel", async () => {
    const devices = (await attempt(`os.listdir("/dev")`)) as string[];
    expect(devices.toSorted()).toEqual([
      "core",
      "fd",
      "full",
      "null",
      "ptmx",
      "pts",
      "random",
      "shm",
      "stderr",
      "stdin",
      "stdout",
      "tty",
      "urandom",
      "zero",
    ]);
    expect(await attempt(`tried(lambda: os.listdir("/sys"))`)).toBe("ENOENT");
    for (const path of [
      "/proc/sys/kernel/core_pattern",
      "/proc/sys/kernel/hostname",
      "/proc/sys/vm/overcommit_memory",
      "/proc/sys/net/ipv4/ip_forward",
      "/proc/sysrq-trigger",
      "/proc/self/uid_map",
    ]) {
      expect([path, await attempt(`tried(lambda: write("${path}", "1"))`)]).toEqual([
        path,
        expect.stringMatching(/^(EACCES|EPERM|EROFS|ENOENT)$/u),
      ]);
    }
    for (const path of ["/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmsg"]) {
      expect([path, await attempt(`tried(lambda: read("${path}"))`)]).toEqual([
        path,
        expect.stringMatching(/^(EACCES|EPERM|ENOENT)$/u),
      ]);
    }
  });

  it("gets no rights from a set-user-id program, in its package or the system's", async () => {
    const mine = (await attempt(`run("/var/task/id")`)) as string;
    expect(mine).toMatch(/^uid=993\S* gid=990\S*/u);
    expect(mine).not.toMatch(/euid|egid/u);
    expect(await attempt(`tried(lambda: run("su", "-c", "id"))`)).not.toContain("uid=0");
  });

  it("raises no limit of its own", async () => {
    const raise = `(__import__("resource").setrlimit(__import__("resource").RLIMIT_NOFILE, (65536, 65536)))`;
    expect(await attempt(`tried(lambda: ${raise})`)).toMatch(/^(ValueError|EPERM)$/u);
  });

  describe("by the network", () => {
    let listening: Server;
    let abstract: Server;
    let port = 0;

    beforeAll(async () => {
      listening = createServer((socket) => socket.end());
      await new Promise<void>((resolve) => listening.listen(0, "::", resolve));
      port = (listening.address() as AddressInfo).port;
      abstract = createServer((socket) => socket.end());
      await new Promise<void>((resolve) => abstract.listen(`\0cumulet-test-${process.pid}`, resolve));
    });
    afterAll(() => {
      listening.close();
      abstract.close();
    });

    it("reaches no service on the host's loopback or its other addresses, of either version", async () => {
      for (const host of ["127.0.0.1", "127.0.0.2", "0.0.0.0"]) expect(await inet(host, port)).toBe("ECONNREFUSED");
      const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
      for (const { family, address, scopeid } of addresses) {
        const reached =
          family === "IPv4"
            ? await inet(address, port)
            : await attempt(`tried(lambda: reach(socket.AF_INET6, ("${address}", ${port}, 0, ${scopeid ?? 0})))`);
        expect([address, reached]).not.toEqual([address, "done"]);
      }
    });

    it("reaches no address that a cloud's metadata and credentials have", async () => {
      for (const [host, to] of [
        ["169.254.169.254", 80],
        ["169.254.170.2", 80],
        ["169.254.169.253", 53],
        ["169.254.253.53", 80],
      ] as const) {
        expect([host, await inet(host, to)]).not.toEqual([host, "done"]);
      }
      expect(await attempt(`tried(lambda: reach(socket.AF_INET6, ("fd00:ec2::254", 80)))`)).not.toBe("done");
    });

    it("reaches neither another environment, nor its Runtime API, nor the router between them", async () => {
      const reached = (await harness.answer(spec, {
        code: `
from concurrent.futures import ThreadPoolExecutor
own = run("ip", "-4", "-o", "addr", "show")
places = [(host, port) for last in range(1, 15) for port in (8000, 9001) if (host := f"169.254.64.{last}") + "/" not in own]
with ThreadPoolExecutor(len(places)) as threads:
    result = list(threads.map(lambda place: tried(lambda: reach(socket.AF_INET, place)), places))`,
      })) as string[];
      expect(reached.length).toBeGreaterThan(24);
      expect(reached).not.toContain("done");
    });

    it("changes nothing of its network", async () => {
      expect(await attempt(`tried(lambda: run("ip", "link", "set", "lo", "down"))`)).toBe("CalledProcessError");
      expect(await attempt(`tried(lambda: run("ip", "addr", "add", "10.9.8.7/24", "dev", "lo"))`)).toBe(
        "CalledProcessError",
      );
    });

    it("reaches no abstract socket of the host or of another environment", async () => {
      for (const name of [`cumulet-test-${process.pid}`, "other function"]) {
        expect(await attempt(`tried(lambda: reach(socket.AF_UNIX, "\\0${name}"))`)).toBe("ECONNREFUSED");
      }
      expect(await attempt(`read("/proc/net/unix")`)).not.toContain("other function");
    });
  });

  it("leaves nothing of itself in the host's view: no mount, no folder below /run that others may read", () => {
    expect(execFileSync("cat", ["/proc/self/mountinfo"], { encoding: "utf8" })).not.toMatch(
      /cumulet-\w+\/(code|envs)/u,
    );
  });
});
