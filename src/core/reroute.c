#include "core/reroute.h"

#include "core/receiver_health.h"

static bool same_receivers(const struct route_list *a, const struct route_list *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->v[i]->receiver, b->v[i]->receiver))
            return false;
    return true;
}

static void put_receivers(struct buf *out, const struct route_list *routes)
{
    for (size_t i = 0; i < routes->n; i++)
        buf_addf(out, "%s%.*s", i != 0 ? ", " : "", STR(routes->v[i]->receiver));
    if (routes->n == 0)
        buf_adds(out, "nobody");
}

size_t engine_reroutes(const struct engine *e, const struct core_conf *next, struct now now,
                       struct buf *out)
{
    struct route_list before = {0}, after = {0};
    struct route_tree tree;
    struct arena scratch;
    size_t n = 0;

    arena_init(&scratch, 0);
    route_tree_init(&tree, next->route);
    ALERT_TABLE_EACH (a, &e->alerts) {
        struct labels ls;

        if (alert_is_resolved(a, now))
            continue;
        arena_reset(&scratch);
        ls = label_set_view(&scratch, a->labels);
        vec_clear(&before);
        vec_clear(&after);
        receiver_routes(e->conf, &e->tree, ls, &before);
        receiver_routes(next, &tree, ls, &after);
        if (same_receivers(&before, &after) || n++ >= REROUTE_LINES)
            continue;
        labels_print(out, ls);
        buf_adds(out, ": ");
        put_receivers(out, &before);
        buf_adds(out, " -> ");
        put_receivers(out, &after);
        buf_addc(out, '\n');
    }
    if (n > REROUTE_LINES)
        buf_addf(out, "and %zu more alerts change receiver\n", n - REROUTE_LINES);
    arena_release(&scratch);
    vec_release(&before);
    vec_release(&after);
    route_tree_release(&tree);
    return n;
}
