/*
 * A 32-bit program without a C library: calls through the vdso and by int 0x80,
 * and executes itself, and then a 64-bit program.
 *
 *     compat N PROGRAM
 */
#define AT_SYSINFO 32
#define EXIT 1
#define EXECVE 11
#define GETPID 20
#define GETUID32 199

static int gate(int number)
{
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number) : "memory");
    return result;
}

static int execute(char **arguments, char **environment)
{
    int result;
    __asm__ volatile("int $0x80" : "=a"(result)
                     : "a"(EXECVE), "b"(arguments[0]), "c"(arguments), "d"(environment) : "memory");
    return result;
}

static void leave(int status)
{
    __asm__ volatile("int $0x80" : : "a"(EXIT), "b"(status));
    __builtin_unreachable();
}

__attribute__((used)) static void begin(long *stack)
{
    int count = (int)stack[0];
    char **arguments = (char **)(stack + 1), **environment = arguments + count + 1;
    long *auxiliary = (long *)environment, vdso = 0, n = 0;
    while (*auxiliary++)
        ;
    for (; auxiliary[0]; auxiliary += 2)
        if (auxiliary[0] == AT_SYSINFO)
            vdso = auxiliary[1];
    if (!vdso)
        leave(77);
    if (count == 3) {
        for (const char *digit = arguments[1]; *digit; digit++)
            n = n * 10 + *digit - '0';
        for (long i = 0; i < n; i++) {
            int result;
            __asm__ volatile("call *%1" : "=a"(result) : "r"(vdso), "a"(GETUID32) : "memory");
        }
        for (long i = 0; i < 100; i++)
            gate(GETPID);
        /* The same program once more, with less to do. */
        arguments[1] = arguments[2];
        arguments[2] = 0;
        execute(arguments, environment);
    } else if (count == 2) {
        execute(arguments + 1, environment);
    }
    leave(65);
}

__asm__(".globl _start\n_start: mov %esp, %eax; push %eax; call begin");
