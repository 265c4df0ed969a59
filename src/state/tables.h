/* tables.h - what lasts as tables of typed columns, a row a column: whoever keeps them makes its shape from this.
 *
 * A table has its key, one packed body that is only carried and begins with its version (codec/pack.h), and what will be
 * asked for by value. Of that today's only store needs nothing: it has one writer, and nobody claims a row from anybody. So
 * those columns stand there as constants, which the store fills in by itself; the replicas' protocol (tests/model) says
 * which they are:
 *
 *     sum          checksum of key and body (row_sum.h)
 *     version      grows with each change of the row; a claim names the one it has seen
 *     destination  whom an outbox row tells: what is claimed
 *     owner, epoch, lease_until    who has claimed it, for which time, and until when by the store's clock
 *
 * rule_group and notification history come with what writes them, each as one more table.
 *
 * Shapes   column 0 is the key, the last one the body.
 * Source   design.md 2.4, 4; libraries.md 7.
 */
#ifndef STATE_TABLES_H
#define STATE_TABLES_H

#include "model/row.h"

enum { STATE_VERSION = 3 }; /* of all tables together */

enum state_type { STATE_BYTES, STATE_INTEGER };

struct state_column {
    const char *name, *was; /* was: in an older version; NULL: the same */
    enum state_type type;
    bool is_constant; /* empty, or 0 */
    bool is_sum;
};

enum state_kind {
    STATE_SMALL, /* rows of some 100 bytes */
    STATE_LARGE, /* rows of many kB: looking for a key must not read them */
    STATE_LOG,   /* under SQLite a log of records, in a file of its own */
};

struct state_table_def {
    const char *name, *was;
    enum state_kind kind;
    const struct state_column *columns;
    size_t n_columns;
};

extern const struct state_table_def state_tables[STATE_TABLES];

/* How a database spells what differs between them. */
struct state_dialect {
    const char *types[2], *constants[2]; /* by state_type */
    const char *ends[2];                 /* behind the columns, by state_kind */
};

extern const struct state_dialect state_sqlite;

/* Statements append to out. Of their arguments $1 is the key, $2 the body, $3 the sum; of a put of several rows those of
 * the next row follow. A row that comes twice is as the last one says. */
void state_create_sql(struct buf *out, enum state_table t, const struct state_dialect *d);
void state_put_sql(struct buf *out, enum state_table t, int rows);
void state_delete_sql(struct buf *out, enum state_table t);
void state_read_sql(struct buf *out,
                    enum state_table t); /* key and body, in key order, from $1 on */

bool state_is_hash(
    const char *name); /* 16 hexadecimal digits: the file of a pushed group, of old */

#endif
