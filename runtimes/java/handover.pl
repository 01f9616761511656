# Opens the listening sockets of an environment in its own network and hands them to the platform, as runtimes/python does;
# then becomes the program that it is given, with the variables `CUMULET_SET_…`. Java cannot pass descriptors; programs of a
# function must not have the channel, nor decide by their variables what runs before it is closed. Arguments: the number of
# sendmsg(2), the program.
use strict;
my $sendmsg = shift @ARGV;
my ($setFlags, $family, $stream, $socketLevel, $reuse, $rights) = (4, 2, 1, 1, 2, 1);
my $wanted = delete $ENV{CUMULET_LISTEN};
my $descriptor = delete $ENV{NODE_CHANNEL_FD};
delete @ENV{"NODE_CHANNEL_SERIALIZATION_MODE", "PERL_BADLANG"};
if (defined $wanted && defined $descriptor) {
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
}
for my $name (keys %ENV) {
  $ENV{$1} = delete $ENV{$name} if $name =~ /^CUMULET_SET_(.+)/s;
}
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!";
