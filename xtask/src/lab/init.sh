#!/bin/sh
# The first program of a lab guest: makes this machine's files the guest's root,
# read-only, with a layer of memory above them for what the guest writes.
export PATH=/bin
/bin/busybox --install -s /bin

fail() {
    echo "lab: init failed: $*"
    poweroff -f
}

mount -t devtmpfs dev /dev || fail "no /dev"
mount -t proc proc /proc || fail "no /proc"
mount -t sysfs sys /sys || fail "no /sys"

arguments=$(cat /proc/cmdline)
while read -r name parameters; do
    case "$name $arguments" in
        "nvme "*lab.poll_queues=0*) parameters=poll_queues=0 ;;
    esac
    insmod "/modules/$name.ko" $parameters || echo "lab: $name cannot be loaded"
done </modules/list

options=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o "ro,$options,cache=loose" host /lower || fail "no files of the host"
mount -t tmpfs -o size=75% upper /upper || fail "no memory for files"
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work \
    root /root || fail "no overlay"
mkdir -p /root/modeswitch-lab
mount -t 9p -o "$options,cache=none" lab /root/modeswitch-lab || fail "no place for results"
for folder in dev proc sys; do
    mkdir -p "/root/$folder"
    mount -o move "/$folder" "/root/$folder" || fail "cannot move /$folder"
done
exec switch_root /root /modeswitch-lab/busybox sh /modeswitch-lab/guest.sh
