// The C library's allocator, which Swift's module of that library leaves out.
#ifndef NARTHEX_CALLOCATOR_H
#define NARTHEX_CALLOCATOR_H

#if defined(__GLIBC__) || defined(__linux__)
#include <malloc.h>
#endif

/// Lets all threads together use at most `count` arenas, where the allocator has such.
static inline void narthex_limit_arenas(int count) {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, count);
#else
    (void)count;
#endif
}

#endif
