/*
 * A poller with a steady state that makes no entries of its own, and two
 * changes that break it, at the lines marked with an @ in a comment.
 *
 *     gate quiet|stray|lazy
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "modeswitch_phase.h"

#define ROUNDS 1000
#define PAGE 4096L

/* A clock read by a system call, as a wrongly built library does it. */
static void stray_clock(struct timespec *now)
{
    long result;
    __asm__ volatile("syscall" /* @stray */
                     : "=a"(result)
                     : "a"((long)SYS_clock_gettime), "D"((long)CLOCK_MONOTONIC), "S"(now)
                     : "rcx", "r11", "memory");
}

static void poll_once(volatile char *buffer, long round)
{
    buffer[round % ROUNDS * PAGE] = 1; /* @lazy */
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "quiet";
    modeswitch_phase_page *phase = modeswitch_phase_open();
    struct timespec now;
    char *buffer = mmap(NULL, ROUNDS * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer == MAP_FAILED)
        return 1;
    madvise(buffer, ROUNDS * PAGE, MADV_NOHUGEPAGE);
    if (strcmp(mode, "lazy"))
        memset(buffer, 0, ROUNDS * PAGE);
    poll_once(buffer, 0);
    modeswitch_phase_enter(phase, MODESWITCH_PHASE_STEADY);
    for (long round = 0; round < ROUNDS; round++) {
        poll_once(buffer, round);
        if (!strcmp(mode, "stray"))
            stray_clock(&now);
    }
    modeswitch_phase_enter(phase, MODESWITCH_PHASE_TEARDOWN);
    return 0;
}
