#!/bin/sh
# The first program of a guest that has nothing but this archive: runs the programs
# of known counts under each backend, and says on the console what was counted.
# Emulated processors with FRED are slow, so it is one run for each backend.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
# What the kernel says must not come between the halves of a line.
echo 1 >/proc/sys/kernel/printk

# Each program under a name of its own, by which its rows are told.
cat >/programs.sh <<'END'
ticks() { awk '$1 == "LOC:" { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' /proc/interrupts; }
while read -r program mode n m; do
    ln -s "/targets/$program" "/named/$mode"
    if [ "$mode" = spin ]; then before=$(ticks); fi
    "/named/$mode" "$mode" $n $m >/dev/null 2>&1 || echo "$mode: status $?" >&2
    if [ "$mode" = spin ]; then echo $(($(ticks) - before)) >/ticks; fi
    rm "/named/$mode"
done </programs
END

if grep -qw fred /proc/cpuinfo; then echo "LAB fred"; fi
for backend in auto tracepoint audit kprobe; do
    modeswitch run --backend $backend --format csv -o /result.csv --save /result.json -- \
        sh /programs.sh 2>/errors
    status=$?
    head -20 /errors | sed "s/^/LAB note $backend: /"
    echo "LAB status $backend $status"
    awk -F, -v backend=$backend '
        $1 == "entries" { n[$7 " " $4 " " $2 " " $3] += $8 }
        END { for (row in n) print "LAB row", backend, row, n[row] }' /result.csv
    awk -v backend=$backend '
        /"call": / { is_allocation = 1 }
        /"calls": / && is_allocation { gsub(/[^0-9]/, ""); n += $0; is_allocation = 0 }
        END { print "LAB row", backend, "all - allocation calls", n + 0 }' /result.json
    echo "LAB row $backend spin - witness timer $(cat /ticks)"
done
echo "LAB done"
# The last line must have left the serial port.
sleep 1
poweroff -f
