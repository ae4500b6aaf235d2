/*
 * A program whose page faults and system calls come from known lines: those
 * marked with an @ in a comment.
 *
 *     code MODE [ARGUMENT]
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 300
#define BYTES (PAGES * 4096L)
#define NOINLINE __attribute__((noinline))

NOINLINE static void touch_pages(volatile char *memory)
{
    for (long i = 0; i < BYTES; i += 4096)
        memory[i] = 1; /* @touch */
}

/* A bare system call, so that its instruction is here and not in a library. */
NOINLINE static void bare_calls(void)
{
    for (int i = 0; i < 500; i++) {
        long result;
        __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11", "memory"); /* @bare */
    }
}

NOINLINE static char *make_by_malloc(void)
{
    char *memory = malloc(BYTES); /* @malloc */
    memory[0] = 1;
    return memory;
}

NOINLINE static char *make_by_mmap(void)
{
    char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* @mmap */
    memory[0] = 1;
    return memory;
}

/* The heap's end: too small for a mapping of its own. */
NOINLINE static char *make_by_brk(void)
{
    char *memory = sbrk(BYTES); /* @brk */
    if (memory == (char *)-1)
        exit(0); /* musl has no heap of this kind */
    memory[0] = 1;
    return memory;
}

static void work(void)
{
    touch_pages(make_by_malloc());
    touch_pages(make_by_mmap());
    bare_calls();
    touch_pages(make_by_brk());
}

static void *in_thread(void *argument)
{
    bare_calls();
    return argument;
}

/* The register of the frame pointer holds something else here: where text is. */
NOINLINE static void text_calls(void)
{
    static const struct {
        const void *next;
        char text[8];
    } words[] = {{&words[1], "iltin"}, {NULL, "Built in"}};
    for (int i = 0; i < 500; i++) {
        const void *text = &words[i % 2];
        long result = SYS_getppid;
        __asm__ volatile("xchg %%rbp, %1; syscall; xchg %%rbp, %1"
                         : "+a"(result), "+d"(text)
                         :
                         : "rcx", "r11", "memory"); /* @text */
    }
}

/* New memory at the same address each time, with a counter in the frames above. */
NOINLINE static void again(long times)
{
    for (long i = 0; i < times; i++) {
        char *memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* @again */
        memory[0] = 1;
        munmap(memory, 65536);
    }
}

/* Code that no file holds: for (; rsi; rsi--, rdi += 4096) *rdi = 1; */
static void made_code(int named)
{
    static const unsigned char loop[] = {
        0xc6, 0x07, 0x01, 0x48, 0x81, 0xc7, 0x00, 0x10, 0x00, 0x00, 0x48, 0xff, 0xce, 0x75, 0xf1, 0xc3,
    };
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(code, loop, sizeof loop);
    if (named) {
        char path[64];
        snprintf(path, sizeof path, "/tmp/perf-%d.map", getpid());
        FILE *map = fopen(path, "w");
        fprintf(map, "%lx %zx a made function\n", (unsigned long)code, sizeof loop);
        fclose(map);
    }
    void (*run)(char *, long);
    memcpy(&run, &code, sizeof run);
    run(mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), PAGES);
}

/* Until it is killed: old memory that is given back, and new memory. */
static void patient(void)
{
    char *old = make_by_mmap();
    puts("ready");
    fflush(stdout);
    for (;;) {
        madvise(old, BYTES, MADV_DONTNEED);
        touch_pages(old);
        char *new = make_by_mmap();
        touch_pages(new);
        munmap(new, BYTES);
        usleep(10000);
    }
}

#ifndef NO_DLOPEN
static void from_library(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);
    void (*touch)(volatile char *, long);
    void *found = library ? dlsym(library, "library_touch") : NULL;
    if (!found)
        exit(2);
    memcpy(&touch, &found, sizeof touch);
    touch(make_by_mmap(), BYTES);
    dlclose(library);
}
#endif

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "work";
    if (!strcmp(mode, "work"))
        work();
    else if (!strcmp(mode, "patient"))
        patient();
    else if (!strcmp(mode, "thread")) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, in_thread, NULL) == 0)
            pthread_join(thread, NULL);
    } else if (!strcmp(mode, "text"))
        text_calls();
    else if (!strcmp(mode, "again") && argc > 2)
        again(atol(argv[2]));
    else if (!strcmp(mode, "lasting"))
        usleep(300000);
    else if (!strcmp(mode, "deleted") && unlink(argv[0]) == 0)
        work();
    else if (!strcmp(mode, "fork")) {
        char *memory = make_by_mmap();
        if (fork() == 0) {
            touch_pages(memory);
            _exit(0);
        }
        wait(NULL);
    } else if (!strcmp(mode, "made"))
        made_code(argc > 2);
#ifndef NO_DLOPEN
    else if (!strcmp(mode, "dlopen") && argc > 2)
        from_library(argv[2]);
#endif
    else
        return 2;
    return 0;
}
