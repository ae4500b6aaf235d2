/*
 * Writes the registers that it was started with to a file, its first argument:
 * without a C library, so that nothing has touched them.
 */
#include <fcntl.h>
#include <sys/syscall.h>

unsigned long registers[16];

static long call(long number, long first, long second, long third)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

__attribute__((noreturn, used)) static void begin(char **stack)
{
    long file = call(SYS_open, (long)stack[2], O_WRONLY | O_APPEND, 0);
    long bytes = call(SYS_write, file, (long)registers, sizeof registers);
    call(SYS_exit_group, bytes != sizeof registers, 0, 0);
    __builtin_unreachable();
}

__asm__(".globl _start\n"
        "_start:\n"
        "mov %rax, registers\n"
        "mov %rbx, registers+8\n"
        "mov %rcx, registers+16\n"
        "mov %rdx, registers+24\n"
        "mov %rsi, registers+32\n"
        "mov %rdi, registers+40\n"
        "mov %rbp, registers+48\n"
        "mov %r8, registers+56\n"
        "mov %r9, registers+64\n"
        "mov %r10, registers+72\n"
        "mov %r11, registers+80\n"
        "mov %r12, registers+88\n"
        "mov %r13, registers+96\n"
        "mov %r14, registers+104\n"
        "mov %r15, registers+112\n"
        "pushfq\n"
        "pop registers+120\n"
        "mov %rsp, %rdi\n"
        "and $-16, %rsp\n"
        "call begin\n");
