# Hands messages of nfnetlink to the kernel: perl write.pl, for as long as its input lasts. Node.js has no netlink sockets.
# In: the length of a run of messages and the number of its last one, which asks for an answer, as two 32-bit numbers of
# the network's byte order; then the run. Out: `ready` at the start, `NUMBER ERRNO` for each message that was refused,
# `done NUMBER` after each run.
use strict;
use warnings;
my ($AF_NETLINK, $SOCK_RAW, $NETFILTER, $ERROR) = (16, 3, 12, 2);
my ($SOL_SOCKET, $SO_RCVBUFFORCE, $SOL_NETLINK, $CAP_ACK) = (1, 33, 270, 10);
my $kernel = pack('SSLL', $AF_NETLINK, 0, 0, 0);

socket(my $socket, $AF_NETLINK, $SOCK_RAW, $NETFILTER) or die "socket: $!\n";
# Each message of a run may be refused; what is refused need not come back whole.
setsockopt($socket, $SOL_SOCKET, $SO_RCVBUFFORCE, pack('i', 8 << 20)) or die "setsockopt: $!\n";
setsockopt($socket, $SOL_NETLINK, $CAP_ACK, pack('i', 1)) or die "setsockopt: $!\n";
binmode STDIN;
$| = 1;
print "ready\n";

sub take {
  my ($length) = @_;
  my $bytes = '';
  while (length $bytes < $length) {
    my $got = sysread(STDIN, $bytes, $length - length $bytes, length $bytes);
    die "read: $!\n" unless defined $got;
    exit 0 if $got == 0;
  }
  return $bytes;
}

while (1) {
  my ($length, $last) = unpack('NN', take(8));
  my $run = take($length);
  defined send($socket, $run, 0, $kernel) or die "send: $!\n";
  my $told = '';
  until ($told =~ /^done/m) {
    defined recv($socket, my $answer, 65_536, 0) or die "recv: $!\n";
    while (length $answer >= 20) {
      my ($size, $type, undef, $number, undef, $errno) = unpack('LSSLLl', $answer);
      $answer = substr($answer, ($size + 3) & ~3);
      next if $type != $ERROR;
      $told .= $number . ' ' . -$errno . "\n" if $errno != 0;
      $told .= "done $number\n" if $number == $last;
    }
  }
  print $told;
}
