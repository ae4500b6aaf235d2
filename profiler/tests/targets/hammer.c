/*
 * Keeps a CPU busy inside bpf(): reads a large map value over and over until it
 * is killed. While a preemptible kernel has preempted it there, kprobe programs
 * on that CPU are passed over.
 *
 *     hammer CPU
 */
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VALUE_BYTES (1 << 20)

static long bpf(int command, union bpf_attr *attr)
{
    return syscall(SYS_bpf, command, attr, sizeof *attr);
}

int main(int argc, char **argv)
{
    struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
    unsigned zero = 0;
    void *value = malloc(VALUE_BYTES);
    union bpf_attr attr;
    cpu_set_t set;
    long map;

    CPU_ZERO(&set);
    CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &set);
    sched_setaffinity(0, sizeof set, &set);
    setrlimit(RLIMIT_MEMLOCK, &unlimited);

    memset(&attr, 0, sizeof attr);
    attr.map_type = BPF_MAP_TYPE_ARRAY;
    attr.key_size = sizeof zero;
    attr.value_size = VALUE_BYTES;
    attr.max_entries = 1;
    map = bpf(BPF_MAP_CREATE, &attr);
    if (map < 0)
        return 65;

    memset(&attr, 0, sizeof attr);
    attr.map_fd = map;
    attr.key = (unsigned long)&zero;
    attr.value = (unsigned long)value;
    puts("ready");
    fflush(stdout);
    while (bpf(BPF_MAP_LOOKUP_ELEM, &attr) == 0)
        ;
    return 66;
}
