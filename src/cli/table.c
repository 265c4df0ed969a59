#include "cli/table.h"

#include "base/utf8.h"

void table_init(struct table *t, size_t columns)
{
    *t = (struct table){.columns = columns};
    arena_init(&t->arena, 0);
}

void table_add(struct table *t, str cell)
{
    struct buf b = BUF_INIT;

    buf_add_shown_line(&b, cell);
    vec_push(&t->cells, arena_str(&t->arena, buf_str(&b)));
    buf_release(&b);
}

/* Columns on a terminal: wide East Asian runes take two. */
static size_t width(str s)
{
    size_t n = 0;

    while (s.n != 0) {
        uint32_t r;

        s = str_sub(s, utf8_decode(s, &r), s.n);
        n += (r >= 0x1100 && r <= 0x115f) || (r >= 0x2e80 && r <= 0xa4cf) ||
                     (r >= 0xac00 && r <= 0xd7a3) || (r >= 0xf900 && r <= 0xfaff) ||
                     (r >= 0xfe30 && r <= 0xfe6f) || (r >= 0xff00 && r <= 0xff60) ||
                     (r >= 0x1f300 && r <= 0x1faff) || (r >= 0x20000 && r <= 0x3fffd)
                 ? 2
                 : 1;
    }
    return n;
}

void table_print(struct table *t, FILE *out)
{
    size_t *widest = mem_array(t->columns, sizeof(*widest));

    for (size_t i = 0; i < t->cells.n; i++) {
        size_t w = width(t->cells.v[i]);

        if (w > widest[i % t->columns])
            widest[i % t->columns] = w;
    }
    for (size_t i = 0; i < t->cells.n; i++) {
        size_t column = i % t->columns;
        bool last = column + 1 == t->columns;

        fprintf(out, "%.*s", STR(t->cells.v[i]));
        if (last)
            fputc('\n', out);
        else
            fprintf(out, "%*s", (int)(widest[column] - width(t->cells.v[i]) + 2), "");
    }
    mem_free(widest);
    vec_release(&t->cells);
    arena_release(&t->arena);
}
