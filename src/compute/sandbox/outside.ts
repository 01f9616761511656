import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connector } from "./perl.ts";
import type { Stage } from "./stage.ts";

/**
 * The way out of the environments' networks. All lead to one router, a network namespace of our own, which `pasta` connects
 * to the outside with ordinary sockets of this host: nothing of the host's own network is changed, and no special rights are
 * needed. The router lets nothing pass from one environment to another, to this host's own addresses, or to link-local
 * addresses such as a cloud's metadata service.
 */
export interface Outside {
  /** The name server for environments: leads to the host's. */
  readonly nameServer: string;
  /** Connects the network of process `pid`; `slot` is free among those connected. */
  attach(pid: number, slot: number): Promise<void>;
  close(): Promise<void>;
}

const nameServer = "169.254.253.53";
/** As many networks of four addresses as fit into 169.254.64.0/18. */
const slotsMax = 4_096;
const openTimeoutMs = 3_000;
const path = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin";

const router = `
echo here
i=0
until ip route show default | grep -q default; do i=$((i + 1)); [ $i -gt 100 ] && exit 1; sleep 0.02; done
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal
nft -f - <<END || exit 1
$1
END
echo ready
exec cat > /dev/null
`;

/** `pasta` does not end with its parent by itself. */
const connection = `pasta "$@" & pasta=$!; cat > /dev/null; kill $pasta 2> /dev/null`;

/** What an environment that ended abruptly has left under the name is taken away when it is in the way. */
const attacher = `
command -v perl > /dev/null && exec perl -e "$2" "$1"
connect() {
  nsenter -t "$1" -n ip -batch - <<END && nsenter -t "$pid" -n ip -batch - <<END2
link add $name type veth peer name eth0 netns $pid
addr add $gateway/30 dev $name
link set $name up
END
addr add $own/30 dev eth0
link set eth0 up
route add default via $gateway
END2
}
tab=$(printf '\\t')
while IFS="$tab" read -r id pid name gateway own; do
  {
    connect "$1" 2> /dev/null || { nsenter -t "$1" -n ip link del "$name" 2> /dev/null; connect "$1"; }
    echo "$id $?"
  } &
done
`;

/** @returns the reason, as a clause, where there is no way out here */
export async function openOutside(stage: Stage, asRoot: boolean): Promise<Outside | string> {
  const children: ChildProcess[] = [];
  let complaint = "";
  const start = (command: readonly string[]): ChildProcess => {
    const [file = "", ...args] = command;
    const child = spawn(file, args, {
      cwd: "/",
      env: { PATH: path, LANG: "C" },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    child.on("error", () => {});
    child.stdin?.on("error", () => {});
    child.stderr?.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString("utf8")).slice(-1_000)));
    child.unref();
    children.push(child);
    return child;
  };
  const close = async () => {
    for (const child of children) child.stdin?.end();
    await Promise.all(
      children.map((child) =>
        child.exitCode !== null || child.signalCode !== null || child.pid === undefined
          ? undefined
          : new Promise((resolve) => child.once("exit", resolve)),
      ),
    );
  };
  const missing = await missingTools(["pasta", "nft", "ip"]);
  if (missing.length > 0) return `${missing.join(", ")} missing here (Debian: apt-get install passt nftables iproute2)`;

  const own = asRoot ? ["--user", "--map-root-user"] : [];
  const routing = start([...stage.enter, "unshare", ...own, "--net", "sh", "-c", router, "sh", rules(hostAddresses())]);
  const { pid } = routing;
  if (pid === undefined) return "a network namespace of our own is refused here";
  const lines = linesOf(routing);
  const here = await lines.next("here");
  if (here) start(["sh", "-c", connection, "sh", ...pastaArguments(pid, asRoot)]);
  if (!here || !(await lines.next("ready"))) {
    await close();
    const reason = complaint.split("\n").find((line) => line !== "" && !/syslog|Don't run as root/u.test(line));
    return `pasta or nft does not work here: ${reason ?? "no answer"}`;
  }

  const attaching = start([...stage.enter, "sh", "-c", attacher, "sh", String(pid), connector]);
  const waiting = new Map<string, (failed: boolean) => void>();
  if (attaching.stdout !== null) {
    createInterface({ input: attaching.stdout }).on("line", (line) => {
      const [id = "", code] = line.split(" ");
      waiting.get(id)?.(code !== "0");
      waiting.delete(id);
    });
  }
  attaching.once("exit", () => {
    for (const settle of waiting.values()) settle(true);
  });
  let count = 0;
  return {
    nameServer,
    close,
    attach: (target, slot) =>
      new Promise((resolve, reject) => {
        if (slot >= slotsMax) return reject(new Error("There are no more networks for environments"));
        count += 1;
        const failed = () => reject(new Error("The environment could not be connected to the outside"));
        waiting.set(String(count), (fails) => (fails ? failed() : resolve()));
        const { gateway, address } = addressesOf(slot);
        attaching.stdin?.write(`${count}\t${target}\tv${slot}\t${gateway}\t${address}\n`);
      }),
  };
}

function pastaArguments(pid: number, asRoot: boolean): readonly string[] {
  return [
    ["--foreground", "--quiet", "--config-net", "--no-map-gw", "--mtu", "1500", "--dns-forward", nameServer],
    ["-t", "none", "-u", "none", "-T", "none", "-U", "none"],
    asRoot ? ["--runas", "0"] : [],
    ["--netns", `/proc/${pid}/ns/net`, "--userns", `/proc/${pid}/ns/user`],
  ].flat();
}

/** AWS: functions reach link-local addresses of their own environment alone; ours are for the resolver. */
function rules(addresses: readonly string[]): string {
  const refused = [
    "127.0.0.0/8",
    "169.254.0.0/16",
    ...addresses.filter((address) => !/^(127|169\.254)\./u.test(address)),
  ];
  return `
table inet cumulet {
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "v*" oifname "v*" reject
    iifname "v*" ip daddr ${nameServer} meta l4proto { tcp, udp } th dport 53 accept
    iifname "v*" ip daddr { ${refused.join(", ")} } reject
    iifname "v*" accept
    oifname "v*" ct state established,related accept
  }
  chain input {
    type filter hook input priority 0; policy drop;
    meta l4proto { tcp, udp } drop
    accept
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname != "v*" masquerade
  }
}`;
}

function hostAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ family }) => family === "IPv4").map(({ address }) => address),
  );
}

function addressesOf(slot: number): { readonly gateway: string; readonly address: string } {
  const network = `169.254.${64 + (slot >> 6)}`;
  const first = (slot & 63) * 4;
  return { gateway: `${network}.${first + 1}`, address: `${network}.${first + 2}` };
}

/** Waits for what a child says, a limited time. */
function linesOf(child: ChildProcess) {
  const said = new Set<string>();
  let notify: (() => void) | undefined;
  let ended = false;
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      said.add(line);
      notify?.();
    });
  }
  child.once("exit", () => {
    ended = true;
    notify?.();
  });
  return {
    next: (line: string): Promise<boolean> =>
      new Promise((resolve) => {
        const settle = () => {
          if (!said.has(line) && !ended) return;
          clearTimeout(timer);
          resolve(said.has(line));
        };
        const timer = setTimeout(() => resolve(false), openTimeoutMs);
        notify = settle;
        settle();
      }),
  };
}

async function missingTools(names: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      for (const folder of path.split(":")) {
        if (
          await access(join(folder, name), constants.X_OK).then(
            () => true,
            () => false,
          )
        )
          return true;
      }
      return false;
    }),
  );
  return names.filter((_, index) => found[index] !== true);
}
