#include "model/alert.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/pack.h"

enum { ALERT_VERSION = 1 };

struct alert_content alert_content_ref(const struct alert *a)
{
    return (struct alert_content){label_set_ref(a->labels), label_set_ref(a->annotations),
                                  shared_text_ref(a->generator_url), a->fingerprint};
}

void alert_content_unref(struct alert_content *c)
{
    if (c->labels == NULL)
        return;
    shared_text_unref(c->labels->names->owner, c->generator_url);
    label_set_unref(c->annotations);
    label_set_unref(c->labels);
}

struct labels alert_input_labels(const struct alert_input *in, struct arena *a)
{
    return in->known.labels != NULL ? label_set_view(a, in->known.labels) : in->labels;
}

static void alert_take_content(struct alert *a, struct interner *names,
                               const struct alert_input *in)
{
    const struct alert_content *known = &in->known;

    if (known->labels != NULL) {
        a->labels = label_set_ref(known->labels);
        a->annotations = label_set_ref(known->annotations);
        a->generator_url = shared_text_ref(known->generator_url);
        a->fingerprint = known->fingerprint;
        return;
    }
    a->labels = label_set_intern(names, in->labels);
    a->annotations = label_set_intern(names, in->annotations);
    a->generator_url = shared_text_intern(names, in->generator_url);
    a->fingerprint = labels_fingerprint(in->labels);
}

struct alert *alert_new(struct interner *names, const struct alert_input *in,
                        dur_ns resolve_timeout, struct now now)
{
    struct alert *a = mem_new(struct alert);

    alert_take_content(a, names, in);
    a->updated_at = now.wall;
    a->starts_at = in->starts_at;
    a->ends_at = in->ends_at;
    a->value = in->has_value ? in->value : NAN;
    a->refs = 1;
    if (a->starts_at == TS_NONE)
        a->starts_at = a->ends_at != TS_NONE ? a->ends_at : now.wall;
    if (a->ends_at == TS_NONE) {
        a->is_timeout = true;
        a->ends_at = ts_add(now.wall, resolve_timeout);
    }
    a->expires_mono = ts_add(now.mono, a->ends_at > now.wall ? ts_sub(a->ends_at, now.wall) : 0);
    return a;
}

struct alert *alert_ref(struct alert *a)
{
    a->refs++;
    return a;
}

void alert_unref(struct alert *a)
{
    if (a == NULL || --a->refs != 0)
        return;
    shared_text_unref(alert_interner(a), a->generator_url);
    label_set_unref(a->annotations);
    label_set_unref(a->labels);
    mem_free(a);
}

static bool strictly_between(ts_ns t, ts_ns lo, ts_ns hi)
{
    return t > lo && t < hi;
}

/* What the younger alert takes over: everything but the times, which the caller decides. */
static bool take_content(struct alert *old, const struct alert *in)
{
    bool changed = old->annotations != in->annotations || old->generator_url != in->generator_url;

    if (old->annotations != in->annotations) {
        label_set_unref(old->annotations);
        old->annotations = label_set_ref(in->annotations);
    }
    if (old->generator_url != in->generator_url) {
        shared_text_unref(alert_interner(old), old->generator_url);
        old->generator_url = shared_text_ref(in->generator_url);
    }
    old->updated_at = in->updated_at;
    old->value = in->value;
    return changed;
}

bool alert_store_over(struct alert *old, const struct alert *in, struct now now)
{
    bool was_resolved = alert_is_resolved(old, now), is_resolved = alert_is_resolved(in, now);
    bool overlap = strictly_between(in->ends_at, old->starts_at, old->ends_at) ||
                   strictly_between(in->starts_at, old->starts_at, old->ends_at);
    ts_ns starts_at = in->starts_at, ends_at = in->ends_at, expires = in->expires_mono;
    bool is_timeout = in->is_timeout, changed;

    if (overlap) {
        bool keep_old_end = is_resolved ? was_resolved && old->ends_at > in->ends_at
                                        : old->expires_mono > in->expires_mono && !old->is_timeout;

        if (old->starts_at < starts_at)
            starts_at = old->starts_at;
        if (keep_old_end) {
            expires = old->expires_mono;
            /* by the clock of now: somebody may have set it since */
            ends_at = is_resolved ? old->ends_at : ts_add(now.wall, expires - now.mono);
        }
    }
    changed = take_content(old, in);
    changed |= old->starts_at != starts_at || was_resolved != is_resolved;
    old->starts_at = starts_at;
    old->ends_at = ends_at;
    old->expires_mono = expires;
    old->is_timeout = is_timeout;
    old->end_is_logged = false;
    return changed;
}

/* -1, 0, 1 by one label; having it sorts before lacking it. */
static int cmp_by(str x, str y)
{
    if ((x.n == 0) != (y.n == 0))
        return x.n != 0 ? -1 : 1;
    return str_cmp(x, y);
}

/* Of each alert what decides first is looked up once. */
struct alert_order {
    struct alert *alert;
    str job, instance;
};

static int alert_order_cmp(const void *a, const void *b)
{
    const struct alert_order *x = a, *y = b;
    int c = cmp_by(x->job, y->job);

    if (c == 0)
        c = cmp_by(x->instance, y->instance);
    return c != 0 ? c : label_set_cmp(x->alert->labels, y->alert->labels);
}

void alerts_sort(struct alert **v, size_t n)
{
    struct alert_order *order;

    if (n < 2)
        return;
    order = mem_array(n, sizeof(*order));
    for (size_t i = 0; i < n; i++) {
        alerts_look_ahead(v + i, n - i);
        order[i] = (struct alert_order){v[i], label_set_get(v[i]->labels, S("job")),
                                        label_set_get(v[i]->labels, S("instance"))};
    }
    qsort(order, n, sizeof(*order), alert_order_cmp);
    for (size_t i = 0; i < n; i++)
        v[i] = order[i].alert;
    mem_free(order);
}

void alerts_look_ahead(struct alert *const *v, size_t left)
{
    enum { VALUES = 3, SETS = 6, ALERTS = 9 };

    if (left > VALUES) {
        label_set_prefetch_values(v[VALUES]->labels);
        label_set_prefetch_values(v[VALUES]->annotations);
    }
    if (left > SETS) {
        label_set_prefetch(v[SETS]->labels);
        label_set_prefetch(v[SETS]->annotations);
    }
    if (left > ALERTS) {
        __builtin_prefetch(v[ALERTS]);
        __builtin_prefetch((const char *)v[ALERTS] + MEM_LINE);
    }
}

void labels_pack(struct buf *out, struct labels ls)
{
    pack_u64(out, ls.n);
    LABELS_EACH (l, ls) {
        pack_str(out, l->name);
        pack_str(out, l->value);
    }
}

void label_set_pack(struct buf *out, const struct label_set *set)
{
    pack_u64(out, set->names->n);
    LABEL_SET_EACH (l, set) {
        pack_str(out, l.name);
        pack_str(out, l.value);
    }
}

struct labels labels_unpack(struct unpack *u, struct arena *a)
{
    size_t n = unpack_count(u, 2);
    struct label *v = arena_array(a, n, sizeof(*v));

    for (size_t i = 0; i < n; i++) {
        v[i].name = unpack_str(u);
        v[i].value = unpack_str(u);
    }
    return (struct labels){v, u->failed ? 0 : n};
}

void alert_pack(struct buf *out, const struct alert *a)
{
    pack_u64(out, ALERT_VERSION);
    label_set_pack(out, a->labels);
    label_set_pack(out, a->annotations);
    pack_str(out, alert_generator_url(a));
    pack_i64(out, a->starts_at);
    pack_i64(out, a->ends_at);
    /* what had ended when it was written does not come back */
    pack_i64(out, a->end_is_logged && a->updated_at < a->ends_at ? a->ends_at : a->updated_at);
    pack_u64(out, a->is_timeout);
}

struct alert *alert_unpack(struct unpack *u, struct arena *scratch, struct interner *names,
                           dur_ns resolve_timeout, struct now now)
{
    struct alert_input in = {.starts_at = TS_NONE};
    struct alert *a;
    ts_ns updated_at;
    dur_ns left;
    bool is_timeout;

    if (unpack_u64(u) == 0)
        return NULL;
    in.labels = labels_unpack(u, scratch);
    in.annotations = labels_unpack(u, scratch);
    in.generator_url = unpack_str(u);
    in.starts_at = unpack_i64(u);
    in.ends_at = unpack_i64(u);
    updated_at = unpack_i64(u);
    is_timeout = unpack_u64(u) != 0;
    if (u->failed || in.labels.n == 0)
        return NULL;
    a = alert_new(names, &in, resolve_timeout, now);
    a->updated_at = updated_at;
    a->is_timeout = is_timeout;
    if (in.ends_at <= updated_at) { /* it was resolved when it was written */
        a->expires_mono = now.mono;
        return a;
    }
    left = ts_sub(in.ends_at, updated_at);
    left = left > resolve_timeout ? left : resolve_timeout;
    a->expires_mono = ts_add(now.mono, left);
    if (ts_add(now.wall, left) > a->ends_at) {
        /* both, or what is written of it next would give it longer with each life */
        a->ends_at = ts_add(now.wall, left);
        a->updated_at = now.wall;
    }
    return a;
}
