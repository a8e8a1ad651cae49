#!/bin/sh
# --on-promote: takes addresses and tells the neighbours of each. take.sh DEVICE=ADDRESS/BITS ...
# With arp_notify the kernel announces the addresses of a device whose own is set anew; it may stay the same one.
for pair in "$@"; do
  device=${pair%%=*}
  ip addr replace "${pair#*=}" dev "$device" || exit 1
  echo 1 >"/proc/sys/net/ipv4/conf/$device/arp_notify"
  ip link set dev "$device" address "$(cat "/sys/class/net/$device/address")"
done
