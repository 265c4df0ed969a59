/* table.h - rows of text in aligned columns, two blanks apart.
 *
 * Owns     the table copies its cells. Cost: all rows are held until table_print().
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdio.h>
#include "base/arena.h"
#include "base/vec.h"

struct table {
    struct arena arena;
    size_t columns;
    VEC(str) cells;
};

void table_init(struct table *t, size_t columns);
void table_add(struct table *t,
               str cell); /* row after row, cell after cell; shown as by cli/say.h, on one line */
void table_print(struct table *t, FILE *out); /* and releases it */

#endif
