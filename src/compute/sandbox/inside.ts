import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Duplex, PassThrough } from "node:stream";
import type { Stage } from "./stage.ts";

/**
 * Bubblewrap stays outside, its child begins the sandbox's own processes with the one that it was made for.
 *
 * @param depth 1 is that child, 2 what it was made for
 */
function processInside(pid: number, depth: number): number | undefined {
  let at = pid;
  for (let step = 0; step < depth; step += 1) {
    try {
      const [first] = readFileSync(`/proc/${at}/task/${at}/children`, "utf8").trim().split(" ");
      if (first === undefined || first === "") return undefined;
      at = Number(first);
    } catch {
      return undefined;
    }
  }
  return at;
}

/** Ask the first process of a sandbox to end. */
export function terminateInside(bubblewrap: number): void {
  const pid = processInside(bubblewrap, 2);
  try {
    if (pid !== undefined) process.kill(pid, "SIGTERM");
  } catch {
    // It has ended already.
  }
}

/** Copies both ways between descriptor 3 and a connection, in whatever network it is started. */
const forwarder = String.raw`
use strict;
my ($family, $stream) = (2, 1);
open(my $near, "+<&=", 3) or die;
socket(my $far, $family, $stream, 0) or die "socket: $!";
connect($far, pack("SnC4x8", $family, $ARGV[0], 127, 0, 0, 1)) or die "port $ARGV[0]: $!";
my %to = (fileno($near), $far, fileno($far), $near);
my %from = (fileno($near), $near, fileno($far), $far);
$SIG{PIPE} = "IGNORE";
for (;;) {
  my $ready = "";
  vec($ready, $_, 1) = 1 for keys %from;
  select($ready, undef, undef, undef) > 0 or next;
  for my $number (keys %from) {
    next unless vec($ready, $number, 1);
    my $read = sysread($from{$number}, my $bytes, 65536);
    exit 0 unless $read;
    for (my $at = 0; $at < $read;) {
      my $written = syswrite($to{$number}, $bytes, $read - $at, $at);
      exit 0 unless defined $written;
      $at += $written;
    }
  }
}
`;

/**
 * A connection to a listener inside a sandbox. Nothing of this host is in a sandbox's network: a process of ours enters that, and
 * no other of its namespaces, and copies.
 */
export function connectInside(stage: Stage, bubblewrap: number, port: number): Duplex {
  const pid = processInside(bubblewrap, 1);
  const [file = "nsenter", ...enter] = stage.enter;
  if (pid === undefined) return new PassThrough().destroy();
  const child = spawn(
    file,
    [...enter, "nsenter", "-t", String(pid), "-n", "--", "perl", "-e", forwarder, "--", String(port)],
    {
      cwd: "/",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C" },
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    },
  );
  child.on("error", () => {});
  const stream: unknown = child.stdio[3];
  if (!(stream instanceof Duplex)) throw new Error("The forwarder's stream is not there");
  stream.on("close", () => child.kill("SIGKILL"));
  child.unref();
  return stream;
}
