/*
 * A program whose page faults are known by construction: what it is asked for
 * happens in steady state, in a mapping with nothing beside it.
 *
 *     faults MODE N [FILE]
 *
 * Exits with 77 where this machine cannot do it; `warm` with the number of minor
 * faults that it had by getrusage. With FAULTS_WITNESS in its environment, the
 * kernel's own count of its faults in steady state goes to the file of that name:
 * MINOR MAJOR, and how many there should be if that is known only here, else -1.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "modeswitch_phase.h"

enum { PAGE = 4096, AROUND = 16 * PAGE, CANNOT = 77 };

static modeswitch_phase_page *phase;
static volatile char sink;

static struct rusage before, after;
static long expected = -1;

/* Twice: the second call finds its code and its memory there. */
static void steady(void)
{
    getrusage(RUSAGE_SELF, &after);
    getrusage(RUSAGE_SELF, &before);
    modeswitch_phase_enter(phase, MODESWITCH_PHASE_STEADY);
}

static void teardown(void)
{
    modeswitch_phase_enter(phase, MODESWITCH_PHASE_TEARDOWN);
    getrusage(RUSAGE_SELF, &after);
}

static void testify(void)
{
    const char *path = getenv("FAULTS_WITNESS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "%ld %ld %ld\n", after.ru_minflt - before.ru_minflt,
            after.ru_majflt - before.ru_majflt, expected);
    fclose(file);
}

static void *checked(void *memory)
{
    if (memory == MAP_FAILED)
        exit(CANNOT);
    return memory;
}

/* Memory in a mapping of just this size: with room around it that is not mapped. */
static volatile char *alone(long bytes, int protection, int flags, int fd)
{
    long room = bytes + 4 * AROUND;
    char *start = checked(mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(start, room);
    start = (char *)(((unsigned long)start + 2 * AROUND) & ~(AROUND - 1UL));
    char *memory = checked(mmap(start, bytes, protection, flags | MAP_FIXED, fd, 0));
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    return memory;
}

static volatile char *anonymous(long pages)
{
    return alone(pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void write_each(volatile char *memory, long n, long step)
{
    for (long i = 0; i < n; i++)
        memory[i * step] = 1;
}

static void read_each(volatile char *memory, long n, long step)
{
    for (long i = 0; i < n; i++)
        sink = memory[i * step];
}

static void touch(long n)
{
    volatile char *memory = anonymous(n);
    steady();
    write_each(memory, n, PAGE);
}

static void shared(long n)
{
    int flags = MAP_SHARED | MAP_ANONYMOUS;
    volatile char *memory = alone(n * PAGE, PROT_READ | PROT_WRITE, flags, -1);
    steady();
    write_each(memory, n, PAGE);
}

/* Each page: the zero page first, then one of its own. */
static void zero(long n)
{
    volatile char *memory = anonymous(n);
    steady();
    read_each(memory, n, PAGE);
    write_each(memory, n, PAGE);
}

/* One page, which a child shares whenever it is written to. */
static void cow(long n)
{
    volatile char *memory = anonymous(1);
    *memory = 1;
    steady();
    for (long i = 0; i < n; i++) {
        int gate[2];
        if (pipe(gate))
            exit(1);
        pid_t child = fork();
        if (child == 0) {
            char byte;
            close(gate[1]);
            while (read(gate[0], &byte, 1) > 0)
                ;
            _exit(0);
        }
        *memory = (char)i;
        close(gate[0]);
        close(gate[1]);
        waitpid(child, NULL, 0);
    }
}

static long minor_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/*
 * One page in each piece that the kernel maps at once. Some kernels map more than
 * that, so the answer is how many minor faults the kernel has counted.
 */
static int file(long n, const char *path, int cold)
{
    int fd = open(path, O_RDONLY);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) || status.st_size < n * AROUND)
        exit(CANNOT);
    if (cold) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    } else {
        char *buffer = malloc(AROUND);
        while (read(fd, buffer, AROUND) > 0)
            ;
    }
    volatile char *memory = alone(n * AROUND, PROT_READ, MAP_PRIVATE, fd);
    madvise((void *)memory, n * AROUND, MADV_RANDOM);
    unsigned char *resident = malloc(n * 16);
    if (mincore((void *)memory, n * AROUND, resident))
        exit(CANNOT);
    for (long i = 0; i < n * 16; i++)
        if ((resident[i] & 1) == cold)
            exit(CANNOT);
    long minor = minor_faults();
    steady();
    read_each(memory, n, AROUND);
    teardown();
    return minor_faults() - minor;
}

static void pass_over(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 3;
}

/* Accesses that the mapping does not allow. The instruction has three bytes. */
static void violate(long n)
{
    struct sigaction action = {.sa_sigaction = pass_over, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    volatile char *memory = alone(PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    steady();
    for (long i = 0; i < n; i++)
        __asm__ volatile("movb $0, (%%rdi)" : : "D"(memory) : "memory");
}

static volatile char *forbidden;

static void allow(int number)
{
    (void)number;
    mprotect((void *)forbidden, PAGE, PROT_READ | PROT_WRITE);
}

/* The same page again and again: a handler allows what it did not. */
static void guard(long n)
{
    signal(SIGSEGV, allow);
    forbidden = anonymous(1);
    *forbidden = 1;
    /* The first one shows the handler its stack. */
    for (long i = 0; i <= n; i++) {
        mprotect((void *)forbidden, PAGE, PROT_NONE);
        if (i == 1)
            steady();
        *forbidden = (char)i;
    }
}

static void heap(long n)
{
    volatile char *memory = sbrk(0);
    memory += -(unsigned long)memory & (PAGE - 1);
    if (brk((char *)memory + n * PAGE))
        exit(CANNOT);
    madvise((void *)memory, n * PAGE, MADV_NOHUGEPAGE);
    steady();
    write_each(memory, n, PAGE);
}

static void deeper(long n)
{
    volatile char page[PAGE];
    page[0] = 1;
    if (n > 1)
        deeper(n - 1);
    sink = page[0];
}

static void hugetlb(long n)
{
    long bytes = n << 21;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
    volatile char *memory = checked(mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0));
    steady();
    write_each(memory, n * 512, PAGE);
}

/* Huge pages if the kernel has some: one fault for each, or for each small one. */
static void thp(long n)
{
    char *memory = checked(mmap(NULL, (n + 1) << 21, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    memory += -(unsigned long)memory & ((1UL << 21) - 1);
    if (madvise(memory, n << 21, MADV_HUGEPAGE))
        exit(CANNOT);
    steady();
    write_each(memory, n * 512, PAGE);
}

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static void swap(long n)
{
    volatile char *memory = anonymous(n);
    for (long i = 0; i < n; i++)
        memset((char *)memory + i * PAGE, (int)i + 1, PAGE);
    if (madvise((void *)memory, n * PAGE, MADV_PAGEOUT))
        exit(CANNOT);
    /* Pages that somebody was just looking at stay. */
    int map = open("/proc/self/pagemap", O_RDONLY);
    expected = 0;
    for (long i = 0; i < n; i++) {
        unsigned long entry;
        if (pread(map, &entry, 8, ((long)memory / PAGE + i) * 8) != 8)
            exit(CANNOT);
        expected += entry >> 62 & 1;
    }
    if (expected == 0)
        exit(CANNOT);
    steady();
    read_each(memory, n, PAGE);
}

/*
 * A shared mapping of a file, all of whose pages were written to and are clean
 * again: where the file system wants to know, it is told of the next write.
 */
static void notify(long n, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *page = calloc(1, PAGE);
    for (long i = 0; i < n; i++)
        if (fd < 0 || write(fd, page, PAGE) != PAGE)
            exit(CANNOT);
    volatile char *memory = alone(n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    write_each(memory, n, PAGE);
    if (msync((void *)memory, n * PAGE, MS_SYNC))
        exit(CANNOT);
    steady();
    write_each(memory, n, PAGE);
}

static void *wait_forever(void *nothing)
{
    for (;;)
        pause();
    return nothing;
}

/*
 * Walks over memory for N seconds: what NUMA balancing likes to look at. It leaves
 * the memory of a single thread alone where that runs.
 */
static void walk(long seconds)
{
    pthread_t idle;
    if (pthread_create(&idle, NULL, wait_forever, NULL))
        exit(CANNOT);
    volatile char *memory = anonymous(8192);
    write_each(memory, 8192, PAGE);
    time_t end = time(NULL) + seconds;
    steady();
    while (time(NULL) < end)
        read_each(memory, 8192, PAGE);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    const char *mode = argv[1];
    long n = atol(argv[2]);
    phase = modeswitch_phase_open();
    modeswitch_phase_enter(phase, MODESWITCH_PHASE_SETUP);
    if (!strcmp(mode, "touch"))
        touch(n);
    else if (!strcmp(mode, "shared"))
        shared(n);
    else if (!strcmp(mode, "zero"))
        zero(n);
    else if (!strcmp(mode, "cow"))
        cow(n);
    else if (!strcmp(mode, "warm") && argc > 3)
        return file(n, argv[3], 0);
    else if (!strcmp(mode, "cold") && argc > 3)
        file(n, argv[3], 1);
    else if (!strcmp(mode, "notify") && argc > 3)
        notify(n, argv[3]);
    else if (!strcmp(mode, "guard"))
        guard(n);
    else if (!strcmp(mode, "violate"))
        violate(n);
    else if (!strcmp(mode, "heap"))
        heap(n);
    else if (!strcmp(mode, "stack")) {
        steady();
        deeper(n);
    } else if (!strcmp(mode, "hugetlb"))
        hugetlb(n);
    else if (!strcmp(mode, "thp"))
        thp(n);
    else if (!strcmp(mode, "swap"))
        swap(n);
    else if (!strcmp(mode, "walk"))
        walk(n);
    else
        return 2;
    /* Of the file's modes, the end is where the reading ends. */
    if (strcmp(mode, "cold"))
        teardown();
    testify();
    return 0;
}
