/*
 * A program to be prefaulted from outside: it enters the kernel a known number
 * of times, and adds one line on what it has seen to a file, its last argument.
 *
 *     inject MODE [ARGUMENTS] FILE
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* musl's compiler does not find the kernel's headers. */
#if __has_include(<linux/filter.h>)
#include <linux/filter.h>
#include <linux/seccomp.h>
#define HAS_FILTERS
#endif

#define PAGES 2000
#define CALLS 500

static char text[8192];
static char line[256];
static char **arguments;
extern char **environ;

/* KiB of locked memory. */
static long locked(void)
{
    int file = open("/proc/self/status", O_RDONLY);
    long bytes = read(file, text, sizeof text - 1);
    close(file);
    if (bytes < 0)
        return -1;
    text[bytes] = 0;
    char *found = strstr(text, "VmLck:");
    return found ? atol(found + 6) : -1;
}

static char *map(size_t bytes)
{
    char *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        exit(3);
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    return memory;
}

static unsigned long touch(size_t pages)
{
    volatile char *memory = map(pages * 4096);
    unsigned long sum = 0;
    for (size_t i = 0; i < pages; i++) {
        memory[i * 4096] = (char)(i + 1);
        sum = sum * 31 + (unsigned char)memory[i * 4096];
    }
    return sum;
}

static int say(const char *path, const char *what, unsigned long sum)
{
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
    const char *variable = getenv("INJECT");
    int length = snprintf(line, sizeof line, "%s sum=%lu INJECT=%s euid=%d locked=%ld\n", what,
                          sum, variable ? variable : "", (int)geteuid(), locked());
    return write(file, line, length) == length ? 0 : 4;
}

static int work(const char *path)
{
    unsigned long sum = touch(PAGES);
    for (int i = 0; i < CALLS; i++)
        syscall(SYS_getppid);
    return say(path, "work", sum);
}

static void ignore(int number) { (void)number; }

/* Gives the memory back before the end: its most was in between. */
static int passing(const char *path)
{
    char *memory = map(PAGES * 4096);
    memset(memory, 1, PAGES * 4096);
    int status = say(path, "passing", 1);
    munmap(memory, PAGES * 4096);
    return status;
}

static void *execute(void *unused)
{
    (void)unused;
    execv(arguments[0], arguments);
    exit(5);
}

static void *touching(void *sum)
{
    *(unsigned long *)sum = touch(PAGES / 4);
    return NULL;
}

/* Four threads at work at once. */
static int threads(const char *path)
{
    pthread_t threads[4];
    unsigned long sums[4], sum = 0;
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, touching, &sums[i]))
            return 6;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        sum += sums[i];
    }
    for (int i = 0; i < CALLS; i++)
        syscall(SYS_getppid);
    return say(path, "threads", sum);
}

/* As posix_spawn() does it: a process that borrows our memory until its exec. */
static int spawned(char **command)
{
    pid_t child;
    int status;
    if (posix_spawn(&child, command[0], NULL, NULL, command, environ))
        return 7;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return 8;
    return WEXITSTATUS(status);
}

#ifdef HAS_FILTERS
/* Executes a command under a filter of system calls that is hard on mlockall. */
static int filtered(unsigned int verdict, char **command)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mlockall, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, verdict),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return 9;
    execv(command[0], command);
    return 10;
}
#endif

int main(int count, char **argv)
{
    if (count < 3)
        return 2;
    const char *mode = argv[1], *path = argv[count - 1];
    if (!strcmp(mode, "work"))
        return work(path);
    if (!strcmp(mode, "passing"))
        return passing(path);
    if (!strcmp(mode, "threads"))
        return threads(path);
    if (!strcmp(mode, "spawn"))
        return spawned(argv + 2);
    if (!strcmp(mode, "signalled")) {
        signal(SIGUSR1, ignore);
        for (int i = 0; i < 10; i++)
            raise(SIGUSR1);
        execv(argv[2], argv + 2);
    }
    if (!strcmp(mode, "thread-exec")) {
        pthread_t thread;
        arguments = argv + 2;
        if (pthread_create(&thread, NULL, execute, NULL))
            return 6;
        pause();
    }
#ifdef HAS_FILTERS
    if (!strcmp(mode, "kill") || !strcmp(mode, "deny"))
        return filtered(!strcmp(mode, "kill") ? SECCOMP_RET_KILL_PROCESS
                                              : SECCOMP_RET_ERRNO | EPERM,
                        argv + 2);
#endif
    /* Much memory of which little is used; `later` only once the file has a line. */
    int is_later = !strcmp(mode, "later");
    if (is_later || !strcmp(mode, "sparse")) {
        struct stat found;
        int is_first = stat(path, &found) || found.st_size == 0;
        if (!is_later || !is_first)
            map((size_t)atol(argv[2]) << 20)[0] = 1;
        return say(path, mode, 0);
    }
    return 2;
}
