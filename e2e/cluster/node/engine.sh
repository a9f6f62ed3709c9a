#!/bin/sh
# Gives a command a /sys of its network namespace, a loopback, and a /run without other engines. Arguments: scratch directory, command...
# Call it in new network and mount namespaces, by rooted.
set -e
scratch=$1
shift
mkdir -p "$scratch/cgroup"
mount --rbind /sys/fs/cgroup "$scratch/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$scratch/cgroup" /sys/fs/cgroup
umount -l "$scratch/cgroup"
# dockerd would use the containerd whose socket it finds there, running or not.
for directory in /run/containerd /run/docker; do
  mkdir -p "$directory"
  mount -t tmpfs tmpfs "$directory"
done
ip link set lo up
exec "$@"
