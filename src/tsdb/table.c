#include "tsdb/table.h"

size_t table_block_bytes(const struct stream_table *t, const struct stream_block *b)
{
    return block_size(t->length, b->rows, b->bytes) +
           (b->starts != NULL ? block_starts_size(t->length, b->rows) : 0);
}

/* The block of the width that grows, with more rows. */
static size_t grow_block(struct stream_table *t, unsigned bytes, size_t *account)
{
    unsigned w = table_width(bytes);
    size_t at = t->of[w].growing;
    struct stream_block **b;

    if (at >= t->blocks.n || t->blocks.v[at]->bytes != bytes || t->blocks.v[at]->rows == BLOCK_ROWS)
        for (at = t->n_empty != 0 ? 0 : t->blocks.n;
             at < t->blocks.n && t->blocks.v[at]->rows != 0;)
            at++;
    if (at == t->blocks.n)
        vec_push(&t->blocks, NULL);
    b = &t->blocks.v[at];
    t->n_empty -= *b != NULL && (*b)->rows == 0;
    *account -= *b != NULL ? table_block_bytes(t, *b) : 0;
    *b = block_grow(*b, t->length, TABLE_MORE_ROWS, bytes);
    *account += table_block_bytes(t, *b);
    t->of[w].room += TABLE_MORE_ROWS;
    t->of[w].growing = at;
    return at;
}

size_t table_block_with_room(struct stream_table *t, unsigned bytes, size_t *account)
{
    unsigned w = table_width(bytes);
    size_t at = t->of[w].growing;

    if (t->of[w].n == t->of[w].room)
        return grow_block(t, bytes, account);
    if (at < t->blocks.n && t->blocks.v[at]->bytes == bytes &&
        block_free_rows(t->blocks.v[at]) != 0)
        return at;
    for (at = t->blocks.n - 1;
         t->blocks.v[at]->bytes != bytes || block_free_rows(t->blocks.v[at]) == 0;)
        at--;
    return at;
}

void table_drop_row(struct stream_table *t, uint32_t row, size_t *account)
{
    struct stream_block **b = &t->blocks.v[row / BLOCK_ROWS];
    unsigned w = table_width((*b)->bytes);

    t->of[w].n--;
    if ((*b)->used != 0)
        return;
    t->of[w].room -= (*b)->rows;
    *account -= table_block_bytes(t, *b);
    *b = block_empty(*b); /* the others keep their numbers */
    *account += block_size(0, 0, 0);
    t->n_empty++;
    while (t->blocks.n != 0 && (*vec_last(&t->blocks))->rows == 0) {
        t->n_empty--;
        *account -= block_size(0, 0, 0);
        block_free(vec_pop(&t->blocks));
    }
}
