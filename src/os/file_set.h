/* file_set.h - the files of one reading, kept: what was read together can be read again as it was.
 *
 * Whoever reads goes through struct files. from: nothing is read from the disk, and what the set has not is not there.
 * into: what is read is kept, too. Neither, or NULL: the disk alone.
 *
 * Shapes   some thousand files, some MB; a path is as it was asked for.
 * Errors   as file_read(); ERR_NOT_FOUND for what a set has not; ERR_CORRUPT for bytes that are no set.
 * Owns     a set owns copies.
 */
#ifndef OS_FILE_SET_H
#define OS_FILE_SET_H

#include "base/arena.h"
#include "os/file.h"

struct file_set;

struct files {
    const struct file_set *from;
    struct file_set *into;
};

struct file_set *file_set_new(void);
void file_set_free(struct file_set *s); /* NULL is fine */
/* Of paths and texts, whatever the order they were read in; never 0. */
uint64_t file_set_sum(const struct file_set *s);
void file_set_pack(const struct file_set *s, struct buf *out); /* one record (base/record.h) */
struct file_set *file_set_unpack(str bytes, struct err *e);    /* NULL on failure */

bool files_read(const struct files *f, str path, enum file_kind kind, size_t max, struct buf *out,
                struct err *e) must_check;
/* The names that a pattern has, sorted, in the arena. */
void files_glob(const struct files *f, str pattern, struct arena *a, str **names, size_t *n);

#endif
