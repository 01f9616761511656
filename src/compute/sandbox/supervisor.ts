import type { Duplex, Readable } from "node:stream";

/** The processes of an environment that has extensions: they and the runtime are children of one small program of ours. */
export interface ExtensionProcesses {
  /** What extensions print, all of them together. */
  readonly output: Readable;
  /** Start an executable. How it ends is told by its name; so is why it could not be started. */
  start(name: string, file: string, environment: Readonly<Record<string, string>>): void;
  /** To be called once, before anything is started. */
  watch(events: ProcessEvents): void;
  signalRuntime(signal: "TERM" | "KILL"): void;
  /** Whether the kernel has ended one of them for using more memory than the function has. */
  outOfMemory(): boolean;
}

export interface ProcessEvents {
  runtimeExited(exit: ProcessExit): void;
  extensionExited(name: string, exit: ProcessExit): void;
  /** @param errno as the system names it: `EACCES` … */
  extensionFailed(name: string, errno: string): void;
}

export interface ProcessExit {
  readonly code: number | null;
  /** Its number. */
  readonly signal: number | null;
}

/**
 * The first process of such an environment, for `perl -e`. Its arguments are the runtime's command line, which it starts at
 * once; orders come on descriptor 6: `u32` length, then fields that end with a zero byte. Each end of a child is told as a
 * line: who (`-` the runtime), `exit` and the status as wait(2) has it, or `fail` and an error's name. What extensions print
 * goes to descriptor 7; they get none of the runtime's descriptors.
 */
export const supervisorProgram = String.raw`
use strict;
use Errno;
open(my $orders, "+<&=", 6) or die; open(my $output, "+<&=", 7) or die;
fcntl($_, 2, 1) for $orders, $output;
my %names;
my $childEnded = 0;
$SIG{CHLD} = sub { $childEnded = 1 };
$SIG{PIPE} = "IGNORE";
sub news { my $line = "$_[0]\n"; syswrite($orders, $line) }
my $runtime = fork;
defined $runtime or die "fork: $!";
if (!$runtime) { $SIG{$_} = "DEFAULT" for "CHLD", "PIPE"; exec { $ARGV[0] } @ARGV or exit 127 }
$names{$runtime} = "-";
sub begin {
  my ($name, $file, @variables) = @_;
  my $pid = fork;
  if (!defined $pid) { news("$name\tfail\tEAGAIN"); return }
  if ($pid) { $names{$pid} = $name; return }
  $SIG{$_} = "DEFAULT" for "CHLD", "PIPE";
  open(STDOUT, ">&", $output); open(STDERR, ">&", $output);
  for my $number (3 .. 5) { if (open(my $held, "<&=", $number)) { close $held } }
  %ENV = map { split /=/, $_, 2 } @variables;
  chdir "/";
  exec { $file } $file or do {
    my ($errno) = grep { $!{$_} } "EACCES", "ENOENT", "ENOEXEC";
    news("$name\tfail\t" . ($errno // "EIO"));
    kill 9, $$;
  };
}
my $held = "";
for (;;) {
  if ($childEnded) {
    $childEnded = 0;
    while ((my $pid = waitpid(-1, 1)) > 0) {
      my $status = $?;
      my $name = delete $names{$pid};
      news("$name\texit\t$status") if defined $name;
    }
  }
  my $ready = "";
  vec($ready, 6, 1) = 1;
  select($ready, undef, undef, 0.5) > 0 or next;
  my $read = sysread($orders, $held, 65536, length $held);
  if (!defined $read) { next if $!{EINTR} || $!{EAGAIN}; exit 0 }
  exit 0 if $read == 0;
  while (length $held >= 4) {
    my $bytes = unpack("N", $held);
    last if length $held < 4 + $bytes;
    my ($what, @fields) = split /\0/, substr($held, 4, $bytes), -1;
    pop @fields;
    $held = substr($held, 4 + $bytes);
    if ($what eq "start") { begin(@fields) }
    elsif ($what eq "signal") { kill $fields[0], $runtime if exists $names{$runtime} }
  }
}
`;

/** Speaks with `supervisorProgram`. */
export function createExtensionProcesses(
  control: Duplex,
  output: Readable,
  outOfMemory: () => boolean,
): ExtensionProcesses {
  const order = (...fields: readonly string[]) => {
    const body = Buffer.from(fields.map((field) => `${field}\0`).join(""));
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32BE(body.length, 0);
    control.write(Buffer.concat([head, body]));
  };
  control.on("error", () => {});
  return {
    output,
    outOfMemory,
    start(name, file, environment) {
      const variables = Object.entries(environment).map(([variable, value]) => `${variable}=${value}`);
      order("start", name, file, ...variables.map((variable) => variable.replaceAll("\0", "")));
    },
    signalRuntime: (signal) => order("signal", signal),
    watch(events) {
      let rest = "";
      control.on("data", (chunk: Buffer) => {
        const lines = (rest + chunk.toString("utf8")).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) tell(line, events);
      });
    },
  };
}

function tell(line: string, events: ProcessEvents): void {
  const [name = "", what, value = ""] = line.split("\t");
  if (what === "fail") return events.extensionFailed(name, value);
  const status = Number(value);
  const signal = status & 127;
  const exit = signal === 0 ? { code: status >> 8, signal: null } : { code: null, signal };
  if (name === "-") events.runtimeExited(exit);
  else events.extensionExited(name, exit);
}
