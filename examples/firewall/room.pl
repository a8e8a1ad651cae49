# Gives a process's sockets room for SIZE bytes of what was not read yet, and ends when one of them hears events:
# perl room.pl PID SIZE. conntrack 1.4.7 sets it on another socket than the one its events come by, whose room
# (net.core.rmem_default) then is used up by some 160 events.
use strict;
use warnings;
my ($pid, $size) = @ARGV;
my ($PIDFD_OPEN, $PIDFD_GETFD, $SOL_SOCKET, $SO_RCVBUFFORCE) = (434, 438, 1, 33);
my $process = syscall($PIDFD_OPEN, $pid + 0, 0);
die "pidfd_open: $!\n" if $process < 0;

# Inodes of its sockets that are members of a netlink group; asked in its own network namespace.
sub hearing {
  open(my $list, '<', "/proc/$pid/net/netlink") or die "/proc/$pid/net/netlink: $!\n";
  my %hearing;
  while (<$list>) {
    my ($protocol, $groups, $inode) = (split)[1, 3, -1];
    $hearing{$inode} = 1 if $protocol eq '12' && $groups =~ /[1-9a-f]/;
  }
  return \%hearing;
}

# Until then it is asked again, for ten seconds at most: a machine may have much else to do.
for (1 .. 2000) {
  my ($hearing, $hears) = (hearing(), 0);
  for my $fd (map { m{(\d+)$} } glob "/proc/$pid/fd/*") {
    next unless (readlink("/proc/$pid/fd/$fd") // '') =~ /^socket:\[(\d+)\]/;
    $hears = 1 if $hearing->{$1};
    my $copy = syscall($PIDFD_GETFD, $process, $fd + 0, 0);
    die "pidfd_getfd: $!\n" if $copy < 0;
    open(my $socket, '+<&=', $copy) or die "open: $!\n";
    setsockopt($socket, $SOL_SOCKET, $SO_RCVBUFFORCE, pack('i', $size)) or die "setsockopt: $!\n";
  }
  exit 0 if $hears;
  select(undef, undef, undef, 0.005);
}
die "no socket that hears events within ten seconds\n";
