/*
 * A program whose kernel entries are known by construction: what it is asked
 * for happens in steady state, and nothing else does.
 *
 *     counts MODE N [M]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "modeswitch_phase.h"

static modeswitch_phase_page *phase;
static long threads_n;

static void steady(void) { modeswitch_phase_enter(phase, MODESWITCH_PHASE_STEADY); }
static void teardown(void) { modeswitch_phase_enter(phase, MODESWITCH_PHASE_TEARDOWN); }

/* A bare system call: the C library must not add anything. */
static long bare(long number)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}

static void getppid_times(long n)
{
    for (long i = 0; i < n; i++)
        bare(SYS_getppid);
}

static void touch(long pages)
{
    long bytes = pages * 4096;
    volatile char *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise((void *)memory, bytes, MADV_NOHUGEPAGE);
    steady();
    for (long i = 0; i < pages; i++)
        memory[i * 4096] = 1;
    teardown();
}

static void children(long n, const char *program)
{
    steady();
    for (long i = 0; i < n; i++) {
        pid_t child = program ? vfork() : fork();
        if (child == 0) {
            if (program)
                execl(program, program, (char *)NULL);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    teardown();
}

static void *thread(void *unused)
{
    getppid_times(threads_n);
    return unused;
}

static void threads(long count, long n)
{
    pthread_t ids[256];
    threads_n = n;
    steady();
    for (long i = 0; i < count; i++)
        pthread_create(&ids[i], NULL, thread, NULL);
    for (long i = 0; i < count; i++)
        pthread_join(ids[i], NULL);
    teardown();
}

/* Spins for n ms without leaving user mode of its own accord. */
static void spin(long ms)
{
    struct timespec now;
    long end;
    clock_gettime(CLOCK_MONOTONIC, &now);
    end = now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
    steady();
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < end);
    teardown();
}

/* Through the C library, which asks the kernel only where it has to. */
static void read_clock(long n)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    steady();
    for (long i = 0; i < n; i++)
        clock_gettime(CLOCK_MONOTONIC, &now);
    teardown();
}

static void handler(int number) { (void)number; }

static void signals(long n)
{
    long self = getpid();
    signal(SIGUSR1, handler);
    /* Once ahead, so that steady state does not meet cold pages. */
    kill(self, SIGUSR1);
    steady();
    for (long i = 0; i < n; i++)
        kill(self, SIGUSR1);
    teardown();
}

/* The 32-bit gate, with its own numbering: 64 is getppid. */
static void int80(long n)
{
    steady();
    for (long i = 0; i < n; i++) {
        long result;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(64L)
                         : "r8", "r9", "r10", "r11", "memory");
    }
    teardown();
}

/* As a script does that maps the page and stores a number. */
static void stores(long n)
{
    const struct { uint32_t phase; long calls; } each[] = {
        {MODESWITCH_PHASE_SETUP, 10},
        {MODESWITCH_PHASE_STEADY, n},
        {MODESWITCH_PHASE_FIRST_CUSTOM, 5},
        {MODESWITCH_PHASE_TEARDOWN, 20},
    };
    modeswitch_phase_name(phase, MODESWITCH_PHASE_FIRST_CUSTOM, "flush");
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        *(volatile uint32_t *)&phase->current = each[i].phase;
        getppid_times(each[i].calls);
    }
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long n = argc > 2 ? atol(argv[2]) : 0;
    long m = argc > 3 ? atol(argv[3]) : 0;

    phase = modeswitch_phase_open();
    if (!strcmp(mode, "stores")) {
        stores(n);
        return 0;
    }
    modeswitch_phase_enter(phase, MODESWITCH_PHASE_SETUP);
    if (!strcmp(mode, "getppid")) {
        steady();
        getppid_times(n);
        teardown();
    } else if (!strcmp(mode, "touch")) {
        touch(n);
    } else if (!strcmp(mode, "fork")) {
        children(n, NULL);
    } else if (!strcmp(mode, "exec")) {
        children(n, "/bin/true");
    } else if (!strcmp(mode, "threads")) {
        threads(n, m);
    } else if (!strcmp(mode, "spin")) {
        spin(n);
    } else if (!strcmp(mode, "clock")) {
        read_clock(n);
    } else if (!strcmp(mode, "signals")) {
        signals(n);
    } else if (!strcmp(mode, "int80")) {
        int80(n);
    } else if (!strcmp(mode, "crash")) {
        steady();
        getppid_times(n);
        *(volatile int *)NULL = 0;
    } else if (!strcmp(mode, "wait")) {
        steady();
        getppid_times(n);
        /* Says that it has got here, and then waits for ever. */
        puts("ready");
        fflush(stdout);
        for (;;)
            pause();
    } else if (!strcmp(mode, "name")) {
        modeswitch_phase_name(phase, MODESWITCH_PHASE_FIRST_CUSTOM, "rebuild");
        modeswitch_phase_enter(phase, MODESWITCH_PHASE_FIRST_CUSTOM);
        getppid_times(n);
        teardown();
    } else if (!strcmp(mode, "status")) {
        return (int)n;
    } else {
        fprintf(stderr, "counts: no mode '%s'\n", mode);
        return 64;
    }
    return 0;
}
