#include "notify/compose.h"

#include <stdlib.h>
#include "tocsin/str.h"
#include "model/labels.h"

/* -- digests -- */

/* The labels that all groups have alike. */
static struct labels labels_alike(struct arena *a, const struct notification *v, size_t n)
{
    struct label *l = arena_array(a, v[0].group_labels.n, sizeof(*l));
    size_t k = 0;

    LABELS_EACH (x, v[0].group_labels) {
        bool alike = true;

        for (size_t i = 1; i < n && alike; i++)
            alike = labels_has(v[i].group_labels, x->name) &&
                    str_eq(labels_get(v[i].group_labels, x->name), x->value);
        if (alike)
            l[k++] = *x;
    }
    return (struct labels){l, k};
}

struct notification digest_compose(struct arena *a, const struct notification *v, size_t n)
{
    struct notified_group *groups = arena_array(a, n, sizeof(*groups));
    struct notification d = v[0];
    struct notified_alert *alerts;

    d.n_alerts = d.n_firing = 0;
    for (size_t i = 0; i < n; i++)
        d.n_alerts += v[i].n_alerts;
    d.alerts = alerts = arena_array(a, d.n_alerts, sizeof(*alerts));
    for (size_t i = 0, at = 0; i < n; at += v[i++].n_alerts) {
        groups[i] = (struct notified_group){v[i].group_key, v[i].group_labels, at, v[i].n_alerts};
        if (v[i].n_alerts != 0)
            memcpy(alerts + at, v[i].alerts, v[i].n_alerts * sizeof(*alerts));
        d.n_firing += v[i].n_firing;
        d.decided_at = v[i].decided_at < d.decided_at ? v[i].decided_at : d.decided_at;
    }
    d.act = ACT_DIGEST;
    d.groups = groups;
    d.n_groups = n;
    d.group_labels = labels_alike(a, v, n);
    return d;
}

/* -- parts -- */

struct notification part_of(const struct notification *whole, unsigned i, unsigned n)
{
    struct notification p = *whole;
    size_t from = (i - 1) * whole->n_alerts / n, to = i * whole->n_alerts / n;

    p.alerts = whole->alerts + from;
    p.n_alerts = to - from;
    p.part = i;
    p.n_parts = n;
    /* what fires counts of all of it: the last part of a group of which some has ended is no end of the group */
    return p;
}

/* Reads "part 2/3". */
static bool part_read(str line, uint64_t *i, uint64_t *n)
{
    str rest = str_sub(line, strlen("part "), line.n), first;

    if (!str_starts_with(line, S("part ")))
        return false;
    first = str_cut(&rest, '/');
    return str_to_u64(first, i) && str_to_u64(rest, n) && *n <= UINT32_MAX && *i <= *n;
}

unsigned part_count(str had)
{
    uint64_t i, n;

    for (str rest = had; rest.n != 0;)
        if (part_read(str_cut(&rest, '\n'), &i, &n))
            return (unsigned)n;
    return 0;
}

static bool part_is_told(str had, unsigned part, unsigned parts)
{
    uint64_t i, n;

    for (str rest = had; rest.n != 0;)
        if (part_read(str_cut(&rest, '\n'), &i, &n) && i == part && n == parts)
            return true;
    return false;
}

unsigned part_next(str had, unsigned n)
{
    unsigned i = 1;

    while (i <= n && part_is_told(had, i, n))
        i++;
    return i <= n ? i : 0;
}

str part_told(struct arena *a, str had, unsigned i, unsigned n)
{
    return arena_printf(a, "%.*spart %u/%u\n", STR(had), i, n);
}
