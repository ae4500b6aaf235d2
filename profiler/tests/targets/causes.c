/*
 * A program that enters the kernel in the less usual ways, each a known number
 * of times in steady state.
 *
 *     causes MODE N [DEVICE]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "modeswitch_phase.h"

static modeswitch_phase_page *phase;
static volatile int stop;
static volatile int ready;

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif
#ifndef SYSCALL_DISPATCH_FILTER_ALLOW
#define SYSCALL_DISPATCH_FILTER_ALLOW 0
#define SYSCALL_DISPATCH_FILTER_BLOCK 1
#endif

static void steady(void) { modeswitch_phase_enter(phase, MODESWITCH_PHASE_STEADY); }
static void teardown(void) { modeswitch_phase_enter(phase, MODESWITCH_PHASE_TEARDOWN); }

/* A bare system call: the C library must not add anything. */
static long bare(long number)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
}

/* ---- processor exceptions, each with a handler that goes on behind it ---- */

#define TRAP_FLAG 0x100
#define ALIGNMENT_FLAG 0x40000
/* The status that says that this machine does not have it. */
#define NOT_HERE 77

static long skip;
static volatile long handled;

static void handler(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    (void)number, (void)info;
    user->uc_mcontext.gregs[REG_RIP] += skip;
    user->uc_mcontext.gregs[REG_EFL] &= ~(TRAP_FLAG | ALIGNMENT_FLAG);
    handled++;
}

static void ud(void) { __asm__ volatile("ud2"); }
static void gp(void) { __asm__ volatile("hlt"); }
static void bp(void) { __asm__ volatile("int3"); }
static void de(void)
{
    __asm__ volatile("xor %%ecx, %%ecx; xor %%edx, %%edx; mov $1, %%eax; idiv %%ecx"
                     : : : "eax", "ecx", "edx", "cc");
}
static void db(void)
{
    /* One instruction after the flag is set, it traps. */
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq %0, (%%rsp); popfq; nop;"
                     "lea 128(%%rsp), %%rsp" : : "i"(TRAP_FLAG) : "cc", "memory");
}

static void ac(void)
{
    /* The handler takes the flag away again. */
    __asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; orq %0, (%%rsp); popfq; movl 1(%%rsp), %%eax;"
                     "lea 128(%%rsp), %%rsp" : : "i"(ALIGNMENT_FLAG) : "eax", "cc", "memory");
}

static void exceptions(void (*once)(void), int number, long length, long n)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    skip = length;
    sigaction(number, &action, NULL);
    /* Once ahead, so that steady state does not meet cold pages. */
    once();
    if (handled == 0)
        _exit(NOT_HERE);
    steady();
    for (long i = 0; i < n; i++)
        once();
    teardown();
}

static void touch_nothing(void)
{
    __asm__ volatile("xor %%eax, %%eax; mov (%%rax), %%al" : : : "eax", "memory");
}

static void touch_kernel(void)
{
    __asm__ volatile("mov $0xffffffff81000000, %%rax; mov (%%rax), %%al" : : : "rax", "memory");
}

/* The signals of exceptions, n times each, with no exception behind them. */
static void pretend(long n)
{
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    siginfo_t info = { .si_signo = SIGFPE, .si_code = FPE_INTDIV };
    pid_t pid = getpid();
    skip = 0;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    raise(SIGSEGV);
    steady();
    for (long i = 0; i < n; i++) {
        raise(SIGSEGV);
        kill(pid, SIGILL);
        /* A program may send itself any code. */
        syscall(SYS_rt_sigqueueinfo, pid, SIGFPE, &info);
        skip = 2;
        touch_nothing();
        skip = 0;
    }
    teardown();
}

/*
 * A child that is stepped through three instructions again and again, one of
 * them a call: a step over a call ends without an exception.
 */
static int stepped(long n)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        __asm__ volatile("int3; 1: mov %0, %%eax; syscall; jmp 1b" : : "i"(SYS_getppid)
                         : "rax", "rcx", "r11");
    }
    waitpid(child, &status, 0);
    steady();
    for (long i = 0; i < 3 * n; i++) {
        ptrace(PTRACE_SINGLESTEP, child, 0, 0);
        waitpid(child, &status, 0);
        if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
            return 66;
    }
    teardown();
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return 0;
}

/* ---- system calls that somebody else has a say in ---- */

static volatile char selector = SYSCALL_DISPATCH_FILTER_ALLOW;

static void dispatched(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    (void)number;
    user->uc_mcontext.gregs[REG_RAX] = -info->si_syscall;
    selector = SYSCALL_DISPATCH_FILTER_ALLOW;
}

static int dispatch(long n)
{
    struct sigaction action = { .sa_sigaction = dispatched, .sa_flags = SA_SIGINFO };
    sigaction(SIGSYS, &action, NULL);
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector))
        return NOT_HERE;
    steady();
    for (long i = 0; i < n; i++) {
        selector = SYSCALL_DISPATCH_FILTER_BLOCK;
        if (bare(SYS_getppid) != -SYS_getppid)
            return 66;
    }
    teardown();
    return 0;
}

static void handle_nested(int number)
{
    if (number == SIGUSR1)
        kill(getpid(), SIGUSR2);
    bare(-1);
}

/* Calls that end without a number: those of number -1, and handlers' returns. */
static void numberless(long n)
{
    pid_t pid = getpid();
    signal(SIGUSR1, handle_nested);
    signal(SIGUSR2, handle_nested);
    kill(pid, SIGUSR1);
    steady();
    for (long i = 0; i < n; i++) {
        bare(-1);
        kill(pid, SIGUSR1);
        bare(0x40000000 + SYS_getpid);
        bare(-5);
    }
    teardown();
}

/* Calls that a tracer skips, with a result of its own. */
static int skipped(long n)
{
    struct user_regs_struct regs;
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        for (long i = 0; i < n; i++)
            if (bare(SYS_getppid) != 42)
                _exit(66);
        _exit(0);
    }
    waitpid(child, &status, 0);
    steady();
    for (int entering = 1;; entering = !entering) {
        ptrace(PTRACE_SYSCALL, child, 0, 0);
        waitpid(child, &status, 0);
        if (WIFEXITED(status))
            break;
        ptrace(PTRACE_GETREGS, child, 0, &regs);
        if (entering && regs.orig_rax == SYS_getppid) {
            regs.orig_rax = -1;
            regs.rax = 42;
            ptrace(PTRACE_SETREGS, child, 0, &regs);
        }
    }
    teardown();
    return WEXITSTATUS(status);
}

static int seccomp_denied(long n)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 42),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
        return 65;
    steady();
    for (long i = 0; i < n; i++)
        if (bare(SYS_getppid) != -42)
            return 66;
    teardown();
    return 0;
}

static int traced(long n)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        for (long i = 0; i < n; i++)
            bare(SYS_getppid);
        _exit(0);
    }
    waitpid(child, &status, 0);
    steady();
    while (!WIFEXITED(status)) {
        ptrace(PTRACE_SYSCALL, child, 0, 0);
        waitpid(child, &status, 0);
    }
    teardown();
    return WEXITSTATUS(status);
}

static void vforks(long n)
{
    steady();
    for (long i = 0; i < n; i++) {
        pid_t child = vfork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    teardown();
}

/* ---- victims: a thread that only spins, and what others do to its CPU ---- */

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/*
 * How often the victim has gone round its loop. That it has moved on says that
 * the victim is running now, in user mode, without a system call to ask. Each
 * disturbance waits for it, so that only an entry that the victim makes in
 * between can keep one from hitting: hits and its other entries together are at
 * least as many as the disturbances.
 */
static volatile unsigned long beat;

static void *victim(void *cpu)
{
    /* The name first: by it a witness knows the thread. */
    prctl(PR_SET_NAME, "victim");
    pin((int)(long)cpu);
    ready = 1;
    while (!stop) {
        beat++;
        /* Lets the other one have the machine where one thread emulates both. */
        __builtin_ia32_pause();
    }
    return NULL;
}

static void wait_for_victim(void)
{
    unsigned long seen = beat;
    /* Twice: the first may have been on its way when it was interrupted. */
    while (beat == seen)
        __builtin_ia32_pause();
    seen = beat;
    while (beat == seen)
        __builtin_ia32_pause();
}

/*
 * Takes away the right to write to n pages, one after the other. Each was
 * written before, so each takes one shootdown, on every kernel; giving rights
 * back takes none on some and one on others, and is not done.
 */
static void shoot(long n)
{
    size_t bytes = (size_t)n * 4096;
    char *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return;
    madvise(pages, bytes, MADV_NOHUGEPAGE);
    for (long i = 0; i < n; i++)
        pages[i * 4096] = 1;
    steady();
    for (long i = 0; i < n; i++) {
        wait_for_victim();
        mprotect(pages + i * 4096, 4096, PROT_READ);
    }
    teardown();
}

/*
 * Wakes a process that sleeps on the victim's CPU, n times. It has a priority
 * that an ordinary thread must give way to at once, else the scheduler might
 * wait for the next tick. While the victim runs, the sleeper sleeps.
 */
static int wake(long n, int cpu)
{
    struct sched_param priority = { .sched_priority = 1 };
    int there[2], back[2];
    char byte = 0;
    pid_t sleeper;
    if (pipe(there) || pipe(back))
        return 65;
    sleeper = fork();
    if (sleeper == 0) {
        pin(cpu);
        if (sched_setscheduler(0, SCHED_FIFO, &priority))
            _exit(68);
        close(there[1]);
        while (read(there[0], &byte, 1) == 1)
            if (write(back[1], &byte, 1) != 1)
                break;
        _exit(0);
    }
    close(there[0]);
    steady();
    for (long i = 0; i < n; i++) {
        wait_for_victim();
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            break;
    }
    teardown();
    close(there[1]);
    int status = 0;
    waitpid(sleeper, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 69;
}

/* Sends n NMIs to all other CPUs. The kernel says so on its console. */
static void nmis(long n)
{
    int trigger = open("/proc/sysrq-trigger", O_WRONLY);
    steady();
    for (long i = 0; i < n; i++) {
        wait_for_victim();
        if (write(trigger, "l", 1) != 1)
            _exit(68);
    }
    teardown();
}

#define READ_BYTES (256 << 10)

/* Reads n blocks of a device from the victim's CPU, where it interrupts. */
static void device_interrupts(long n, int cpu, const char *device)
{
    pid_t reader;
    int status = 0;
    steady();
    reader = fork();
    if (reader == 0) {
        int file = open(device, O_RDONLY | O_DIRECT);
        /* Large enough for the drive to take its time, which the victim gets. */
        void *block = aligned_alloc(4096, READ_BYTES);
        pin(cpu);
        prctl(PR_SET_NAME, "reader");
        for (long i = 0; i < n; i++)
            if (pread(file, block, READ_BYTES, i % 1024 * READ_BYTES) != READ_BYTES)
                _exit(69);
        _exit(0);
    }
    waitpid(reader, &status, 0);
    teardown();
    if (status)
        _exit(70);
}

static int disturb(const char *how, long n, const char *device)
{
    pthread_t thread;
    cpu_set_t allowed;
    int cpus[2], found = 0, status = 0;
    sched_getaffinity(0, sizeof allowed, &allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            cpus[found++] = cpu;
    if (found < 2)
        return 67;
    pin(cpus[0]);
    pthread_create(&thread, NULL, victim, (void *)(long)cpus[1]);
    while (!ready)
        usleep(1000);
    if (!strcmp(how, "shoot"))
        shoot(n);
    else if (!strcmp(how, "nmi"))
        nmis(n);
    else if (!strcmp(how, "device"))
        device_interrupts(n, cpus[1], device);
    else
        status = wake(n, cpus[1]);
    stop = 1;
    pthread_join(thread, NULL);
    return status;
}

/* ---- a guest ---- */

#define GUEST_EXITS 50

/*
 * Runs a guest n times to its next `hlt`. On the way there it exits GUEST_EXITS
 * times to the kernel, which enters it again without a return to user mode.
 */
static int guest(long n)
{
    static const unsigned char code[] = {
        0xbe, GUEST_EXITS, 0x00,      /* begin: mov $GUEST_EXITS, %si */
        0x31, 0xc0,                   /* again: xor %ax, %ax */
        0x0f, 0xa2,                   /* cpuid */
        0x4e,                         /* dec %si */
        0x75, 0xf9,                   /* jnz again */
        0xf4,                         /* hlt */
        0xeb, 0xf3,                   /* jmp begin */
    };
    int kvm = open("/dev/kvm", O_RDWR);
    int machine = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {
        .memory_size = 4096, .userspace_addr = (unsigned long)memory,
    };
    struct kvm_regs regs = { .rflags = 2 };
    struct kvm_sregs sregs;
    int cpu = machine < 0 ? -1 : ioctl(machine, KVM_CREATE_VCPU, 0);
    if (cpu < 0)
        return NOT_HERE;
    struct kvm_run *run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
                               PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
    memcpy(memory, code, sizeof code);
    if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) || ioctl(cpu, KVM_GET_SREGS, &sregs))
        return 65;
    sregs.cs.base = sregs.cs.selector = 0;
    if (ioctl(cpu, KVM_SET_SREGS, &sregs) || ioctl(cpu, KVM_SET_REGS, &regs))
        return 66;
    steady();
    for (long i = 0; i < n; i++)
        if (ioctl(cpu, KVM_RUN, 0) || run->exit_reason != KVM_EXIT_HLT)
            return 67;
    teardown();
    return 0;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long n = argc > 2 ? atol(argv[2]) : 0;

    phase = modeswitch_phase_open();
    modeswitch_phase_enter(phase, MODESWITCH_PHASE_SETUP);
    if (!strcmp(mode, "ud"))
        exceptions(ud, SIGILL, 2, n);
    else if (!strcmp(mode, "gp"))
        exceptions(gp, SIGSEGV, 1, n);
    else if (!strcmp(mode, "de"))
        exceptions(de, SIGFPE, 2, n);
    else if (!strcmp(mode, "bp"))
        exceptions(bp, SIGTRAP, 0, n);
    else if (!strcmp(mode, "db"))
        exceptions(db, SIGTRAP, 0, n);
    else if (!strcmp(mode, "ac"))
        exceptions(ac, SIGBUS, 0, n);
    else if (!strcmp(mode, "kernel"))
        exceptions(touch_kernel, SIGSEGV, 2, n);
    else if (!strcmp(mode, "pretend"))
        pretend(n);
    else if (!strcmp(mode, "step"))
        return stepped(n);
    else if (!strcmp(mode, "dispatch"))
        return dispatch(n);
    else if (!strcmp(mode, "numberless"))
        numberless(n);
    else if (!strcmp(mode, "skipped"))
        return skipped(n);
    else if (!strcmp(mode, "guest"))
        return guest(n);
    else if (!strcmp(mode, "seccomp"))
        return seccomp_denied(n);
    else if (!strcmp(mode, "ptrace"))
        return traced(n);
    else if (!strcmp(mode, "vfork"))
        vforks(n);
    else if (!strcmp(mode, "shoot") || !strcmp(mode, "wake") || !strcmp(mode, "nmi")
             || !strcmp(mode, "device"))
        return disturb(mode, n, argc > 3 ? argv[3] : "");
    else {
        fprintf(stderr, "causes: no mode '%s'\n", mode);
        return 64;
    }
    return 0;
}
