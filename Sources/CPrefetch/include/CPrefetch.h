// A hint to the processor that memory will be read and written soon. Any address is allowed; none is ever read by it.
#ifndef NARTHEX_CPREFETCH_H
#define NARTHEX_CPREFETCH_H

static inline void narthex_prefetch(const void *address) {
    __builtin_prefetch(address, 1, 3);
}

#endif
