#!/bin/sh
# --on-demote: gives addresses up. drop.sh DEVICE=ADDRESS/BITS ... It is run at the start too, when there are none.
for pair in "$@"; do
  ip addr del "${pair#*=}" dev "${pair%%=*}" 2>/dev/null
done
exit 0
