/* The table of the top level leaves receivers to a function, because their kinds are another table: here both are put together. */
#include "config/config_priv.h"

static const struct conf_type *describe_whole(struct arena *a)
{
    struct conf_type *whole = arena_new(a, struct conf_type);
    struct conf_key *keys;
    size_t n = 0;

    while (config_top_type.keys[n].name != NULL)
        n++;
    keys = arena_array(a, n + 1, sizeof(*keys));
    memcpy(keys, config_top_type.keys, n * sizeof(*keys));
    for (struct conf_key *k = keys; k->name != NULL; k++)
        if (strcmp(k->name, "receivers") == 0) {
            k->kind = CONF_LIST;
            k->sub = receiver_type_table(a);
        }
    *whole = config_top_type;
    whole->keys = keys;
    return whole;
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

bool config_describe_key(struct buf *out, str key, str *near)
{
    struct arena a;
    bool found;

    arena_init(&a, 0);
    found = conf_describe_key(out, describe_whole(&a), key, near);
    arena_release(&a);
    return found;
}
