/* nvidia_table.h - what `nvidia-smi --query-gpu=... --format=csv` prints, as a table: a column a field, a row a card.
 *
 * A head says which column is what ("memory.used [MiB]"); without one the columns are the fields that were asked for, in order,
 * as many as there are. A table is whole or none: every row has as many cells as the head, and the text ends with a line. Of a
 * card that is there twice, as where somebody has let nvidia-smi loop, the last row counts.
 *
 * Shapes   some ten cards, some fifty fields; units are %, MiB, W, MHz.
 * Errors   ERR_INVALID: it is no such table, with its first words.
 * Owns     all in the arena, or slices of the text.
 * Source   nvidia-smi --help-query-gpu.
 */
#ifndef COLLECT_NVIDIA_TABLE_H
#define COLLECT_NVIDIA_TABLE_H

#include "base/arena.h"
#include "base/err.h"

enum { NVIDIA_COLUMNS_MAX = 256, NVIDIA_CARDS_MAX = 1024 };

struct nvidia_table {
    str *fields, *units; /* of a column; empty: none */
    str **cells;         /* of a row */
    size_t columns, rows;
    size_t id; /* the column that tells cards apart: uuid, else index; SIZE_MAX: none */
};

bool nvidia_table_parse(str text, const str *asked, size_t n_asked, struct arena *a,
                        struct nvidia_table *out, struct err *e) must_check;

/* The cell of a field; empty when there is none. */
str nvidia_table_cell(const struct nvidia_table *t, size_t row, const char *field);

/* A cell as a number: 0x4, "35", "35 %", Active, Not Active, P0, Yes. False: [N/A] and other texts. */
bool nvidia_number(str cell, double *v);

/* The field that nvidia-smi says it does not know, in what it printed; empty: it says nothing such. */
str nvidia_unknown_field(str text);

#endif
