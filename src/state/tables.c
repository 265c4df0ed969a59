#include "state/tables.h"

#define KEY                                                                                        \
    {                                                                                              \
        .name = "key", .type = STATE_BYTES                                                         \
    }
#define BODY                                                                                       \
    {                                                                                              \
        .name = "body", .was = "value", .type = STATE_BYTES                                        \
    }
#define SUM                                                                                        \
    {                                                                                              \
        .name = "sum", .type = STATE_INTEGER, .is_sum = true                                       \
    }
#define CONST(n)                                                                                   \
    {                                                                                              \
        .name = n, .type = STATE_INTEGER, .is_constant = true                                      \
    }
#define CLAIM                                                                                      \
    {.name = "owner", .type = STATE_BYTES, .is_constant = true}, CONST("epoch"),                   \
        CONST("lease_until"), CONST("version")

static const struct state_column plain[] = {KEY, SUM, BODY};
static const struct state_column versioned[] = {KEY, SUM, CONST("version"), BODY};
static const struct state_column claimed[] = {KEY, SUM, CLAIM, BODY};
static const struct state_column outbox[] = {KEY, SUM, CONST("destination"), CLAIM, BODY};

#define COLUMNS(c) .columns = (c), .n_columns = ARRAY_LEN(c)

const struct state_table_def state_tables[STATE_TABLES] = {
    [STATE_SILENCE] = {.name = "silence", COLUMNS(versioned)},
    [STATE_TOLD] = {.name = "told", .was = "nflog", COLUMNS(claimed)},
    [STATE_OUTBOX] = {.name = "outbox", .kind = STATE_LARGE, COLUMNS(outbox)},
    [STATE_RULE] = {.name = "rule", COLUMNS(plain)},
    [STATE_DECISION] = {.name = "decision", .kind = STATE_LARGE, COLUMNS(plain)},
    [STATE_META] = {.name = "meta", COLUMNS(plain)},
    [STATE_PUSH] = {.name = "push", .kind = STATE_LARGE, COLUMNS(versioned)},
    [STATE_ALERT] = {.name = "alert", .kind = STATE_LOG, COLUMNS(plain)},
};

const struct state_dialect state_sqlite = {
    .types = {[STATE_BYTES] = "BLOB", [STATE_INTEGER] = "INTEGER"},
    .constants = {[STATE_BYTES] = "x''", [STATE_INTEGER] = "0"},
    .ends = {[STATE_SMALL] = " WITHOUT ROWID", [STATE_LARGE] = ""},
};

void state_create_sql(struct buf *out, enum state_table t, const struct state_dialect *d)
{
    const struct state_table_def *def = &state_tables[t];

    buf_addf(out, "CREATE TABLE %s (", def->name);
    for (size_t i = 0; i < def->n_columns; i++) {
        const struct state_column *c = &def->columns[i];

        buf_addf(out, "%s%s %s NOT NULL", i != 0 ? ", " : "", c->name, d->types[c->type]);
        if (c->is_constant)
            buf_addf(out, " DEFAULT %s", d->constants[c->type]);
        if (i == 0)
            buf_adds(out, " PRIMARY KEY");
    }
    buf_addf(out, ")%s;", d->ends[def->kind]);
}

void state_put_sql(struct buf *out, enum state_table t, int rows)
{
    buf_addf(out, "INSERT INTO %s(key, body, sum) VALUES", state_tables[t].name);
    for (int i = 0; i < rows; i++)
        buf_addf(out, "%s($%d, $%d, $%d)", i != 0 ? ", " : "", 3 * i + 1, 3 * i + 2, 3 * i + 3);
    buf_adds(out, " ON CONFLICT(key) DO UPDATE SET body = excluded.body, sum = excluded.sum");
}

void state_delete_sql(struct buf *out, enum state_table t)
{
    buf_addf(out, "DELETE FROM %s WHERE key = $1", state_tables[t].name);
}

void state_read_sql(struct buf *out, enum state_table t)
{
    buf_addf(out, "SELECT key, body FROM %s WHERE key >= $1 ORDER BY key", state_tables[t].name);
}
