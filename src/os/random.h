/* random.h - randomness of the system: seeds, keys, and ids that no other instance has. */
#ifndef OS_RANDOM_H
#define OS_RANDOM_H

#include "base/str.h"

void random_bytes(void *p, size_t n); /* getrandom(2); aborts when the kernel has none */
uint64_t random_u64(void);

#endif
