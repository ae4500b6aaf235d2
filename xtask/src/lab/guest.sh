# The second part of a lab guest's start, on this machine's files.
here=/modeswitch-lab
box() { "$here/busybox" "$@"; }

# A guest that hangs is one that stops counting.
(
    beat=0
    while :; do
        echo "$((beat += 1))" >"$here/heartbeat"
        box sleep 2
    done
) &

try_mount() { box mkdir -p "$3"; box mount -t "$1" "$2" "$3" 2>/dev/null || :; }
try_mount devpts devpts /dev/pts
try_mount tmpfs shm /dev/shm
try_mount tmpfs run /run
try_mount tracefs tracefs /sys/kernel/tracing
try_mount debugfs debugfs /sys/kernel/debug
try_mount bpf bpf /sys/fs/bpf
try_mount cgroup2 cgroup /sys/fs/cgroup
# Memory and 9p do not take direct I/O; this does.
try_mount ext4 /dev/vda /var/tmp
box chmod 1777 /var/tmp
box ln -sfn /proc/self/fd /dev/fd
box ip link set lo up
box hostname modeswitch-lab
box mkdir -p "$here/results"

box setsid /bin/sh "$here/command.sh" </dev/null >"$here/stdout" 2>"$here/stderr"
echo $? >"$here/status.new"
box mv "$here/status.new" "$here/status"
box sync
box poweroff -f
