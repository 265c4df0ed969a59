/* record_file.h - files of records (base/record.h), that only grow.
 *
 * Shapes   reading ends at the first record that is cut or damaged: a torn tail is what a power cut leaves.
 * Errors   errno says why; ERR_IO.
 * Cost     walking: one pread for each 128 KiB, or for a record that is longer, and as much memory.
 */
#ifndef OS_RECORD_FILE_H
#define OS_RECORD_FILE_H

#include "base/err.h"
#include "base/record.h"

bool record_write(int fd, str s) must_check; /* all of it, or errno says why not */
bool record_read(int fd, uint64_t at, char *out, size_t n) must_check;
/* Calls record for each sound record between the offsets, until it returns false; returns where the last one ends. */
uint64_t record_walk(int fd, uint64_t from, uint64_t end, bool (*record)(void *arg, str bytes),
                     void *arg);
bool sync_dir(str dir, struct err *e) must_check; /* so that what was created there is there */

#endif
