/* memory_limit.h - how much memory this process may have: the least of the machine's and its control groups'.
 *
 * Shapes   cgroup v2 and v1; a group has what each group above it has.
 * Errors   none: what cannot be read is no limit. 0: nothing is known.
 */
#ifndef OS_MEMORY_LIMIT_H
#define OS_MEMORY_LIMIT_H

#include "base/str.h"

size_t memory_limit(void);
size_t memory_limit_of_groups(const char *root); /* root: of the file system, "" but in tests */

#endif
