# The first program of a sandbox, which makes it ready for any runtime: opens the listening sockets of an environment in its own
# network and hands them to the platform, as a Node.js child process does; then waits to be told, on descriptor 3, which program
# to become and with which variables, and becomes it. The platform closes the channel for listeners before, so that nothing
# of a function ever has it, nor decides by its variables what runs before. The argument is the number of sendmsg(2).
# What it is told: `u32` length, then fields that end with a zero byte: how many are the command line, these, `name=value`.
use strict;
my $sendmsg = shift @ARGV;
my ($setFlags, $family, $stream, $socketLevel, $reuse, $rights) = (4, 2, 1, 1, 2, 1);
my $setDescriptorFlags = 2;
my $wanted = delete $ENV{CUMULET_LISTEN};
my $descriptor = delete $ENV{NODE_CHANNEL_FD};
delete @ENV{"NODE_CHANNEL_SERIALIZATION_MODE", "PERL_BADLANG"};
open(my $parent, "+<&=", $descriptor) or die "channel: $!";
fcntl($parent, $setFlags, 0);
for my $entry (split /,/, $wanted) {
  my ($name, $port) = split /=/, $entry;
  socket(my $listener, $family, $stream, 0) or die "socket: $!";
  setsockopt($listener, $socketLevel, $reuse, 1);
  bind($listener, pack("SnC4x8", $family, $port, 127, 0, 0, 1)) or die "port $port: $!";
  listen($listener, 511) or die "port $port: $!";
  my $message = qq({"cmd":"NODE_HANDLE","type":"net.Server","msg":{"listener":"$name"}}\n);
  my $vector = pack("PQ", $message, length $message);
  my $control = pack("Qiiix4", 20, $socketLevel, $rights, fileno $listener);
  my $header = pack("QLLPQPQix4", 0, 0, 0, $vector, 1, $control, length $control, 0);
  syscall($sendmsg, fileno $parent, $header, 0) >= 0 or die "sendmsg: $!";
  my $acknowledged = "";
  while ($acknowledged !~ /\n\z/) { sysread($parent, $acknowledged, 4096, length $acknowledged) or last }
}
# The platform closes its side: from then on nothing that is written here reaches it.
while (sysread($parent, my $rest, 4096)) {}
close $parent;

open(my $channel, "+<&=", 3) or die "channel: $!";
fcntl($channel, $setFlags, 0);
fcntl($channel, $setDescriptorFlags, 0);
sub receive {
  my ($bytes) = @_;
  my $held = "";
  # Without the platform there is no reason to be here.
  while (length $held < $bytes) { sysread($channel, $held, $bytes - length $held, length $held) or exit 0 }
  return $held;
}
my ($arguments, @fields) = split /\0/, receive(unpack "N", receive(4)), -1;
pop @fields;
my @program = splice @fields, 0, $arguments;
for my $variable (@fields) {
  my ($name, $value) = split /=/, $variable, 2;
  $ENV{$name} = $value;
}
exec { $program[0] } @program or die "$program[0]: $!";
