/*
 * modeswitch_phase.h - mark the phases of a program, without a system call.
 *
 * Under `modeswitch run` a program inherits a page of memory, as a file
 * descriptor whose number is in $MODESWITCH_PHASE_FD. Storing a phase number at
 * its start is all that marking takes: the next entry into the kernel is counted
 * in that phase. Without a profiler every function here does nothing.
 *
 *     #include "modeswitch_phase.h"
 *
 *     modeswitch_phase_page *phase = modeswitch_phase_open();
 *     modeswitch_phase_enter(phase, MODESWITCH_PHASE_SETUP);
 *     ... prepare ...
 *     modeswitch_phase_enter(phase, MODESWITCH_PHASE_STEADY);
 *     ... the part that matters ...
 *     modeswitch_phase_enter(phase, MODESWITCH_PHASE_TEARDOWN);
 *     modeswitch_phase_close(phase);
 *
 * Phases of your own: any number from MODESWITCH_PHASE_FIRST_CUSTOM on, named
 * with modeswitch_phase_name().
 *
 * C99 or C++98 and later, GCC or Clang, Linux. With a strict -std=c99, define
 * _DEFAULT_SOURCE (or _GNU_SOURCE) before the first include, for mmap, fstat and
 * clock_gettime.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef MODESWITCH_PHASE_H
#define MODESWITCH_PHASE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#ifndef CLOCK_MONOTONIC
#error "define _DEFAULT_SOURCE or _GNU_SOURCE before the first include"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Nothing has been marked yet. */
#define MODESWITCH_PHASE_UNMARKED 0u
/* Preparing: allocating, opening, warming up. */
#define MODESWITCH_PHASE_SETUP 1u
/* The part whose behaviour matters. */
#define MODESWITCH_PHASE_STEADY 2u
/* Cleaning up. */
#define MODESWITCH_PHASE_TEARDOWN 3u
/* The first number that a program may name itself. */
#define MODESWITCH_PHASE_FIRST_CUSTOM 4u
/* Phase numbers that can be told apart. Higher ones count as the last. */
#define MODESWITCH_PHASE_COUNT 16u
/* Bytes kept for a phase's name. */
#define MODESWITCH_PHASE_NAME_BYTES 32u
/* Bytes of the mapping. */
#define MODESWITCH_PHASE_PAGE_BYTES 4096u
/* What the page ends with, 8 bytes, so that nothing else is taken for it. */
#define MODESWITCH_PHASE_MAGIC "mdswtch1"
#define MODESWITCH_PHASE_MAGIC_OFFSET (MODESWITCH_PHASE_PAGE_BYTES - 8u)
/* The environment variable that holds the page's file descriptor. */
#define MODESWITCH_PHASE_FD_VARIABLE "MODESWITCH_PHASE_FD"

/* The start of the page. The rest of it is zero, up to the last 8 bytes. */
typedef struct modeswitch_phase_page {
    /* The phase now. A plain store here is all that marking needs. */
    uint32_t current;
    /* How often a marker that also keeps times has marked. */
    uint32_t marks;
    /* When the phase now began, CLOCK_MONOTONIC, nanoseconds. */
    uint64_t entered_ns;
    /* Nanoseconds spent in each phase, without the present stay. */
    uint64_t elapsed_ns[MODESWITCH_PHASE_COUNT];
    /* Names of the program's own phases, UTF-8, padded with zero bytes. */
    char names[MODESWITCH_PHASE_COUNT][MODESWITCH_PHASE_NAME_BYTES];
} modeswitch_phase_page;

/*
 * Maps the page. NULL when no profiler is watching, or the descriptor is something
 * else by now; every other function takes NULL and then does nothing.
 */
static inline modeswitch_phase_page *modeswitch_phase_open(void)
{
    const char *text = getenv(MODESWITCH_PHASE_FD_VARIABLE);
    char *end;
    long fd;
    struct stat status;
    void *page;
    int flags = MAP_SHARED;

#ifdef MAP_POPULATE
    /* So that the first mark does not cost a page fault. */
    flags |= MAP_POPULATE;
#endif
    if (text == NULL || *text == '\0')
        return NULL;
    fd = strtol(text, &end, 10);
    if (*end != '\0' || fd < 0 || fd > 0x7fffffffL)
        return NULL;
    /* Memory of the kernel has no type; a file must be as long as what is read. */
    if (fstat((int)fd, &status) != 0 ||
        ((status.st_mode & S_IFMT) != 0 &&
         (!S_ISREG(status.st_mode) || status.st_size != MODESWITCH_PHASE_PAGE_BYTES)))
        return NULL;
    page = mmap(NULL, MODESWITCH_PHASE_PAGE_BYTES, PROT_READ | PROT_WRITE,
                flags, (int)fd, 0);
    if (page == MAP_FAILED)
        return NULL;
    if (memcmp((const char *)page + MODESWITCH_PHASE_MAGIC_OFFSET, MODESWITCH_PHASE_MAGIC, 8) != 0) {
        munmap(page, MODESWITCH_PHASE_PAGE_BYTES);
        return NULL;
    }
    return (modeswitch_phase_page *)page;
}

/* Enters a phase. One reading of the clock (vDSO) and a few stores. */
static inline void modeswitch_phase_enter(modeswitch_phase_page *page, uint32_t phase)
{
    struct timespec time;
    uint64_t now, entered;
    uint32_t leaving;

    if (page == NULL)
        return;
    clock_gettime(CLOCK_MONOTONIC, &time);
    now = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    leaving = __atomic_load_n(&page->current, __ATOMIC_RELAXED);
    if (leaving >= MODESWITCH_PHASE_COUNT)
        leaving = MODESWITCH_PHASE_COUNT - 1u;
    /*
     * Of threads that mark at the same time, the one that moves the beginning on
     * counts the stay that ends with it. The very first stay begins here.
     */
    entered = __atomic_load_n(&page->entered_ns, __ATOMIC_RELAXED);
    while (now > entered) {
        if (__atomic_compare_exchange_n(&page->entered_ns, &entered, now, 1,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            if (entered != 0)
                __atomic_fetch_add(&page->elapsed_ns[leaving], now - entered,
                                   __ATOMIC_RELAXED);
            break;
        }
    }
    __atomic_fetch_add(&page->marks, 1u, __ATOMIC_RELAXED);
    /* Last, so that who sees the phase also sees since when. */
    __atomic_store_n(&page->current, phase, __ATOMIC_RELEASE);
}

/*
 * Names a phase of your own. At most MODESWITCH_PHASE_NAME_BYTES bytes are kept,
 * whole UTF-8 characters only. Fixed phases and numbers from
 * MODESWITCH_PHASE_COUNT on have no names to give.
 */
static inline void modeswitch_phase_name(modeswitch_phase_page *page, uint32_t phase,
                                         const char *name)
{
    uint32_t length = 0;
    uint32_t index;

    if (page == NULL || name == NULL || phase < MODESWITCH_PHASE_FIRST_CUSTOM ||
        phase >= MODESWITCH_PHASE_COUNT)
        return;
    while (length < MODESWITCH_PHASE_NAME_BYTES && name[length] != '\0')
        length++;
    if (length == MODESWITCH_PHASE_NAME_BYTES) {
        /* Step back from the middle of a character that did not fit. */
        while (length > 0 && ((unsigned char)name[length] & 0xc0u) == 0x80u)
            length--;
    }
    for (index = 0; index < MODESWITCH_PHASE_NAME_BYTES; index++)
        page->names[phase][index] = index < length ? name[index] : '\0';
}

/* Unmaps the page. The phase that was entered last stays in force. */
static inline void modeswitch_phase_close(modeswitch_phase_page *page)
{
    if (page != NULL)
        munmap((void *)page, MODESWITCH_PHASE_PAGE_BYTES);
}

#ifdef __cplusplus
}
#endif

#endif /* MODESWITCH_PHASE_H */
