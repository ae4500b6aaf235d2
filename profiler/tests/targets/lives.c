/*
 * Threads and processes that come and go, and how they end.
 *
 *     lives MODE N [M]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A bare system call: the C library must not add anything. */
static long bare(long number, long argument)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(argument)
                     : "rcx", "r11", "memory");
    return result;
}

static void *calls(void *times)
{
    for (long i = 0; i < (long)times; i++)
        bare(SYS_getppid, 0);
    return NULL;
}

/* n threads, four at a time, that make so many calls each. */
static int threads(long n, long times)
{
    pthread_t ids[4];
    for (long made = 0; made < n;) {
        int now = 0;
        while (now < 4 && made < n) {
            if (pthread_create(&ids[now], NULL, calls, (void *)times) == 0) {
                now++;
                made++;
            } else if (now == 0) {
                usleep(1000);
            } else {
                break;
            }
        }
        while (now > 0)
            pthread_join(ids[--now], NULL);
    }
    return 0;
}

/* Until it is killed: children whose calls nobody else makes. */
static int strangers(void)
{
    puts("ready");
    fflush(stdout);
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            for (int i = 0; i < 50; i++)
                bare(SYS_getsid, 0);
            _exit(0);
        }
        if (child > 0)
            waitpid(child, NULL, 0);
    }
}

/* n children that are killed before they have run: they share a CPU with us, and
 * we have precedence. */
static int killed(long n)
{
    struct sched_param first = {.sched_priority = 1};
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one) ||
        sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first))
        return 3;
    for (long i = 0; i < n; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        kill(child, SIGKILL);
        int status;
        if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
            return 4;
    }
    return 0;
}

/* n children that end by an x32 call. 77: this kernel has none. */
static int x32(long n)
{
    for (long i = 0; i < n; i++) {
        pid_t child = fork();
        if (child == 0) {
            bare(0x40000000 | SYS_exit_group, 0);
            _exit(77);
        }
        int status;
        if (waitpid(child, &status, 0) != child)
            return 4;
        if (WEXITSTATUS(status))
            return WEXITSTATUS(status);
    }
    return 0;
}

/* The first thread ends before the other one has made its calls. */
static void *outlives(void *times)
{
    usleep(100000);
    calls(times);
    exit(0);
}

static int leaderless(long times)
{
    pthread_t other;
    if (pthread_create(&other, NULL, outlives, (void *)times))
        return 6;
    pthread_exit(NULL);
}

/* Until it is killed: short threads, and a leader that has ended. */
static void *makes_threads(void *unused)
{
    puts("ready");
    fflush(stdout);
    for (;;)
        threads(1000, 1);
    return unused;
}

static int restless(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, makes_threads, NULL))
        return 6;
    pthread_exit(NULL);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long n = argc > 2 ? atol(argv[2]) : 0;
    long m = argc > 3 ? atol(argv[3]) : 0;

    if (!strcmp(mode, "threads"))
        return threads(n, m);
    if (!strcmp(mode, "strangers"))
        return strangers();
    if (!strcmp(mode, "killed"))
        return killed(n);
    if (!strcmp(mode, "x32"))
        return x32(n);
    if (!strcmp(mode, "leaderless"))
        return leaderless(n);
    if (!strcmp(mode, "restless"))
        return restless();
    fprintf(stderr, "lives: no mode '%s'\n", mode);
    return 64;
}
