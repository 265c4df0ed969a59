/* The tables of the top level leave receivers to a function, because their kinds are another table. For describing them
 * the tables are put together here: one type for receivers, one an integration with the keys that all of them share.
 */
#include "config/config_priv.h"

static size_t count_keys(const struct conf_type *t)
{
    size_t n = 0;

    while (t->keys[n].name != NULL)
        n++;
    return n;
}

/* All keys of both, in the arena. */
static const struct conf_key *join_keys(struct arena *a, const struct conf_type *x,
                                        const struct conf_type *y)
{
    size_t n = count_keys(x), m = count_keys(y);
    struct conf_key *keys = arena_array(a, n + m + 1, sizeof(*keys));

    memcpy(keys, x->keys, n * sizeof(*keys));
    memcpy(keys + n, y->keys, m * sizeof(*keys));
    return keys;
}

static struct conf_type *new_type(struct arena *a, const char *name, const char *doc,
                                  const struct conf_key *keys)
{
    struct conf_type *t = arena_new(a, struct conf_type);

    *t = (struct conf_type){.name = name, .doc = doc, .keys = keys};
    return t;
}

static const struct conf_type *integration_type(struct arena *a, const struct receiver_type *kind)
{
    return new_type(a, kind->conf->name, kind->doc,
                    join_keys(a, receiver_common_type(kind), kind->conf));
}

/* The receivers' type, each kind a list of its own type. */
static const struct conf_type *receivers_type(struct arena *a)
{
    const struct conf_type *plain = receiver_type_table(a);
    struct conf_key *keys = arena_array(a, count_keys(plain) + 1, sizeof(*keys));

    memcpy(keys, plain->keys, count_keys(plain) * sizeof(*keys));
    for (struct conf_key *k = keys; k->name != NULL; k++) {
        for (size_t i = 0; receiver_types[i] != NULL; i++) {
            if (strcmp(receiver_types[i]->config_key, k->name) != 0)
                continue;
            k->kind = CONF_LIST;
            k->sub = integration_type(a, receiver_types[i]);
        }
    }
    return new_type(a, "receiver", "Who is told, and how.", keys);
}

static const struct conf_type *describe_whole(struct arena *a)
{
    struct conf_key *keys = arena_array(a, count_keys(&config_top_type) + 1, sizeof(*keys));

    memcpy(keys, config_top_type.keys, count_keys(&config_top_type) * sizeof(*keys));
    for (struct conf_key *k = keys; k->name != NULL; k++) {
        if (strcmp(k->name, "receivers") == 0) {
            k->kind = CONF_LIST;
            k->sub = receivers_type(a);
        } else if (strcmp(k->name, "sources") == 0) {
            k->kind = CONF_LIST;
            k->sub = new_type(a, source_conf_type.name, source_conf_type.doc,
                              join_keys(a, &source_conf_type, &http_conf_type));
        } else if (strcmp(k->name, "heartbeat") == 0) {
            k->kind = CONF_STRUCT_PTR;
            k->sub = &heartbeat_conf_type;
        }
    }
    return new_type(a, config_top_type.name, config_top_type.doc, keys);
}

void config_print_json_schema(struct buf *out)
{
    struct arena a;

    arena_init(&a, 0);
    conf_print_json_schema(out, describe_whole(&a));
    arena_release(&a);
}

void config_print_markdown(struct buf *out)
{
    struct arena a;

    arena_init(&a, 0);
    conf_print_markdown(out, describe_whole(&a));
    arena_release(&a);
}
