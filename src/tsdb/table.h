/* table.h - the rows of one stream's series with the same reach, in blocks of each width.
 *
 * Owns     the table owns its blocks. A row keeps its number, block * BLOCK_ROWS + row in the block, as long as it is used.
 * Cost     a row is found at once, but in a table from which rows have gone: there O(blocks).
 */
#ifndef TSDB_TABLE_H
#define TSDB_TABLE_H

#include "base/vec.h"
#include "tsdb/block.h"

enum { TABLE_WIDTHS = 3 };    /* samples of 2, 4 and 8 bytes */
enum { TABLE_MORE_ROWS = 8 }; /* that a block grows by */

struct stream_table {
    int64_t reach_ms;
    uint32_t length;                   /* slots in a row */
    uint64_t first;                    /* sample in slot 0 */
    VEC(struct stream_block *) blocks; /* one without rows keeps its number */
    size_t n_empty;                    /* of these */
    struct {
        size_t n, room, growing; /* rows in use, rows in blocks, the block that grows */
    } of[TABLE_WIDTHS];          /* blocks of each width */
};

static inline unsigned table_width(unsigned bytes) /* its index among the widths */
{
    return bytes >> 2;
}

size_t table_block_bytes(const struct stream_table *t, const struct stream_block *b);

/* The number of a block that has a free row of so many bytes a sample; *account counts memory. */
size_t table_block_with_room(struct stream_table *t, unsigned bytes, size_t *account);
/* The row has been emptied: its block goes with the last one. */
void table_drop_row(struct stream_table *t, uint32_t row, size_t *account);

#endif
