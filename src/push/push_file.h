/* push_file.h - groups on disk, so that what was pushed once a night outlives a restart.
 *
 * Each group has a file of its own, named by a hash of its path, that is replaced as a whole when the group has changed and
 * removed when it ends. It is not synced: a kill loses nothing, a power cut maybe the last push.
 *
 * Shapes   a record (record.h) a file: version, path, times, then family, labels and value of each series.
 * Errors   a file that is damaged, or not one of ours, is told in the log and left where it is.
 */
#ifndef PUSH_PUSH_FILE_H
#define PUSH_PUSH_FILE_H

#include "push/push_set.h"

struct push_saved {
    str path;             /* of push_path_print() */
    ts_ns pushed, failed; /* wall; TS_NONE: never */
};

void push_file_encode(struct buf *out, const struct push_saved *g, const struct push_set *set);
/* The path is a slice of the input, the key the arena's; the set is whole, or NULL with why in e. */
struct push_set *push_file_decode(str bytes, struct push_saved *g, struct labels *key,
                                  struct arena *a, struct err *e) must_check;

bool push_file_write(str dir, const struct push_saved *g, const struct push_set *set,
                     struct err *e) must_check;
void push_file_remove(str dir, str path);

/* Every group of the folder, that need not be there; found owns the set. */
/* Returns how many cannot be read; they stay. */
size_t push_file_each(str dir,
                      void (*found)(void *arg, const struct push_saved *g, struct labels key,
                                    struct push_set *set),
                      void *arg);

#endif
