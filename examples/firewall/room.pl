# Gives a process's sockets room for SIZE bytes of what was not read yet: perl room.pl PID SIZE. conntrack 1.4.7 sets it on
# another socket than the one its events come by, whose room (net.core.rmem_default) then is used up by some 160 events.
use strict;
use warnings;
my ($pid, $size) = @ARGV;
my ($PIDFD_OPEN, $PIDFD_GETFD, $SOL_SOCKET, $SO_RCVBUFFORCE) = (434, 438, 1, 33);
my $process = syscall($PIDFD_OPEN, $pid + 0, 0);
die "pidfd_open: $!\n" if $process < 0;
# It has two sockets once it listens; until then it is asked again, for two seconds at most.
for (1 .. 200) {
  my $sockets = 0;
  for my $fd (map { m{(\d+)$} } glob "/proc/$pid/fd/*") {
    next unless (readlink("/proc/$pid/fd/$fd") // '') =~ /^socket:/;
    my $copy = syscall($PIDFD_GETFD, $process, $fd + 0, 0);
    die "pidfd_getfd: $!\n" if $copy < 0;
    open(my $socket, '+<&=', $copy) or die "open: $!\n";
    setsockopt($socket, $SOL_SOCKET, $SO_RCVBUFFORCE, pack('i', $size)) or die "setsockopt: $!\n";
    $sockets++;
  }
  exit 0 if $sockets >= 2;
  select(undef, undef, undef, 0.01);
}
die "no socket within two seconds\n";
