#include "collect/nvidia_table.h"

#include <math.h>
#include <stdio.h>
#include "base/vec.h"
#include "codec/float.h"

typedef VEC(str) cell_list;

static void split_cells(str line, cell_list *out)
{
    vec_clear(out);
    while (out->n <= NVIDIA_COLUMNS_MAX) {
        bool is_last = str_find(line, ',') < 0;

        vec_push(out, str_trim(str_cut(&line, ',')));
        if (is_last)
            return;
    }
}

/* "memory.used [MiB]": a field's name, small letters first, and its unit. */
static bool cut_head(str cell, str *field, str *unit)
{
    ptrdiff_t at = str_find(cell, ' ');

    *field = at < 0 ? cell : str_sub(cell, 0, (size_t)at);
    *unit = at < 0 ? STR_NONE : str_trim(str_sub(cell, (size_t)at, cell.n));
    if (field->n == 0 || field->p[0] < 'a' || field->p[0] > 'z')
        return false;
    for (size_t i = 0; i < field->n; i++) {
        char c = field->p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || char_is_digit(c) || c == '.' ||
              c == '_'))
            return false;
    }
    if (unit->n == 0)
        return at < 0;
    if (unit->n < 3 || unit->p[0] != '[' || unit->p[unit->n - 1] != ']')
        return false;
    *unit = str_sub(*unit, 1, unit->n - 1);
    return true;
}

static bool take_head(struct nvidia_table *t, const cell_list *cells, struct arena *a)
{
    t->columns = cells->n;
    t->fields = arena_array(a, cells->n, sizeof(str));
    t->units = arena_array(a, cells->n, sizeof(str));
    for (size_t i = 0; i < cells->n; i++)
        if (!cut_head(cells->v[i], &t->fields[i], &t->units[i]))
            return false;
    return true;
}

static bool take_asked(struct nvidia_table *t, size_t columns, const str *asked, size_t n,
                       struct arena *a)
{
    if (columns > n || (n > 1 && columns < 2))
        return false;
    t->columns = columns;
    t->fields = arena_array(a, columns, sizeof(str));
    t->units = arena_array(a, columns, sizeof(str));
    for (size_t i = 0; i < columns; i++)
        t->fields[i] = asked[i];
    return true;
}

static bool no_table(struct err *e, const char *why, str text)
{
    struct buf shown = BUF_INIT;

    buf_add_shown_line(&shown, str_sub(str_trim(text), 0, 100));
    err_set(e, ERR_INVALID, "it prints no table: %s: '%.*s'", why, STR(buf_str(&shown)));
    buf_release(&shown);
    return false;
}

str nvidia_table_cell(const struct nvidia_table *t, size_t row, const char *field)
{
    for (size_t i = 0; i < t->columns; i++)
        if (str_is(t->fields[i], field))
            return t->cells[row][i];
    return STR_NONE;
}

static size_t table_column(const struct nvidia_table *t, const char *field)
{
    for (size_t i = 0; i < t->columns; i++)
        if (str_is(t->fields[i], field))
            return i;
    return SIZE_MAX;
}

/* Cells that every card has: columns that have moved are noticed by them. */
static bool is_card(const struct nvidia_table *t, size_t row)
{
    size_t index = table_column(t, "index"), uuid = table_column(t, "uuid");
    uint64_t v;

    if (index != SIZE_MAX && !str_to_u64(t->cells[row][index], &v))
        return false;
    return uuid == SIZE_MAX || str_starts_with(t->cells[row][uuid], S("GPU-")) ||
           str_starts_with(t->cells[row][uuid], S("MIG-"));
}

static bool same_card(const struct nvidia_table *t, size_t i, size_t k)
{
    return t->id != SIZE_MAX && str_eq(t->cells[i][t->id], t->cells[k][t->id]);
}

static void table_add_row(struct nvidia_table *t, const cell_list *cells, struct arena *a)
{
    size_t at = 0;

    t->cells[t->rows] = arena_copy(a, cells->v, cells->n, cells->n, sizeof(str));
    while (at < t->rows && !same_card(t, at, t->rows))
        at++;
    t->cells[at] = t->cells[t->rows];
    if (at == t->rows)
        t->rows++;
}

static bool take_rows(struct nvidia_table *t, str rest, cell_list *cells, struct arena *a,
                      struct err *e)
{
    t->cells = arena_array(a, NVIDIA_CARDS_MAX + 1, sizeof(str *));
    t->id = table_column(t, "uuid");
    if (t->id == SIZE_MAX)
        t->id = table_column(t, "index");
    while (rest.n != 0) {
        str line = str_trim(str_cut(&rest, '\n'));

        if (line.n == 0)
            continue;
        split_cells(line, cells);
        if (cells->n != t->columns)
            return no_table(e, "a line has not as many cells as it should", line);
        if (t->rows == NVIDIA_CARDS_MAX)
            return err_set(e, ERR_INVALID, "it prints no table: more than %d cards",
                           NVIDIA_CARDS_MAX);
        table_add_row(t, cells, a);
        if (!is_card(t, t->rows - 1))
            return no_table(e, "a line is no card's", line);
    }
    return t->rows != 0 || err_set(e, ERR_INVALID, "it prints no card");
}

bool nvidia_table_parse(str text, const str *asked, size_t n_asked, struct arena *a,
                        struct nvidia_table *out, struct err *e)
{
    struct nvidia_table t = {0};
    cell_list cells = VEC_INIT;
    str rest = text;
    bool ok;

    if (str_trim(text).n == 0)
        return err_set(e, ERR_INVALID, "it prints nothing");
    if (text.p[text.n - 1] != '\n')
        return no_table(e, "it ends within a line", text);
    split_cells(str_trim(str_cut(&rest, '\n')), &cells);
    ok = take_head(&t, &cells, a);
    if (!ok) {
        rest = text;
        ok = take_asked(&t, cells.n, asked, n_asked, a) || no_table(e, "its first line", text);
    }
    ok = ok && take_rows(&t, rest, &cells, a, e);
    vec_release(&cells);
    if (ok)
        *out = t;
    return ok;
}

/* -- cells -- */

static bool word_value(str cell, double *v)
{
    static const struct {
        const char *word;
        double v;
    } words[] = {{"Active", 1},
                 {"Not Active", 0},
                 {"Enabled", 1},
                 {"Disabled", 0},
                 {"Yes", 1},
                 {"No", 0},
                 {"Default", 0},
                 {"Exclusive_Thread", 1},
                 {"Prohibited", 2},
                 {"Exclusive_Process", 3},
                 {"None", 0},
                 {"Reset", 1},
                 {"Reboot", 2},
                 {"Drain P2P", 3},
                 {"Drain and Reset", 4}};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_nocase(cell, str_of(words[i].word))) {
            *v = words[i].v;
            return true;
        }
    return false;
}

static bool nvidia_hex(str digits, double *v)
{
    *v = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (char_hex(digits.p[i]) < 0)
            return false;
        *v = *v * 16 + char_hex(digits.p[i]);
    }
    return digits.n != 0;
}

bool nvidia_number(str cell, double *v)
{
    str number = cell;
    uint64_t state;

    if (word_value(cell, v))
        return true;
    if (str_starts_with(cell, S("0x")))
        return nvidia_hex(str_sub(cell, 2, cell.n), v);
    if (str_starts_with(cell, S("P")) && str_to_u64(str_sub(cell, 1, cell.n), &state)) {
        *v = (double)state;
        return state < 100;
    }
    number = str_cut(&cell, ' ');
    if (number.n == 0 || !(char_is_digit(number.p[0]) || number.p[0] == '-'))
        return false;
    return float_parse(number, v, NULL) && fabs(*v) < 1e18; /* more is how a driver says nothing */
}

str nvidia_unknown_field(str text)
{
    ptrdiff_t at = str_find_str(text, S("\" is not a valid field to query"));
    ptrdiff_t from = str_find(text, '"');

    if (at < 0 || from < 0 || from >= at)
        return STR_NONE;
    return str_sub(text, (size_t)from + 1, (size_t)at);
}
