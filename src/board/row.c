/* One group of a page: what its alerts share, who was told when, and the worst and newest of them with what differs. */
#include "board/window.h"

#include "codec/float.h"
#include "codec/json.h"

struct row_alert {
    struct alert *alert;
    enum board_state state;
    unsigned rank;
};

struct row_making {
    const struct board_row_of *r;
    struct json_writer w;
    struct audience au;
    struct arena arena;
    struct arena room;                 /* for the labels of one alert */
    struct labels labels, annotations; /* that all listed ones share */
    size_t counts[BOARD_STATES], listed;
    struct row_alert *top; /* the first of them, in order */
    size_t n_top;
    enum board_state state; /* these three: of the worst */
    str severity;
    unsigned rank;
    ts_ns newest;
};

enum board_state board_state_of(const struct audience *au, struct alert *a, struct verdict *scratch)
{
    if (audience_tells_alert(au, a, &a->cleared, scratch))
        return BOARD_FIRING;
    return scratch->held_by == HELD_BY_INHIBITION ? BOARD_INHIBITED : BOARD_SILENCED;
}

static bool row_lists_severity(const struct board_ask *q, str severity)
{
    for (size_t i = 0; i < q->n_severities; i++)
        if (str_eq(q->severities[i], severity))
            return true;
    return q->n_severities == 0;
}

/* What of `shared` is in ls, too. */
static struct labels row_intersect(struct arena *a, struct labels shared, struct labels ls)
{
    struct label *v;
    size_t n = 0, same = 0;

    LABELS_EACH (l, shared)
        same += str_eq(labels_get(ls, l->name), l->value) && l->value.n != 0;
    if (same == shared.n)
        return shared;
    v = arena_array(a, same, sizeof(*v));
    LABELS_EACH (l, shared)
        if (str_eq(labels_get(ls, l->name), l->value) && l->value.n != 0)
            v[n++] = *l;
    return (struct labels){v, n};
}

static struct labels row_differing(struct arena *a, const struct label_set *set,
                                   struct labels shared)
{
    struct label *v = arena_array(a, set->names->n, sizeof(*v));
    size_t n = 0;

    LABEL_SET_EACH (l, set)
        if (!labels_has(shared, l.name))
            v[n++] = l;
    return (struct labels){v, n};
}

static int row_order(const struct row_alert *x, const struct row_alert *y)
{
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->alert->starts_at != y->alert->starts_at)
        return x->alert->starts_at > y->alert->starts_at ? -1 : 1;
    return label_set_cmp(x->alert->labels, y->alert->labels);
}

/* Keeps the first few of all. */
static void row_keep(struct row_making *m, struct row_alert a)
{
    size_t most = m->r->ask->alerts, i;

    if (m->n_top == most && (most == 0 || row_order(&a, &m->top[most - 1]) >= 0))
        return;
    i = m->n_top < most ? m->n_top++ : most - 1;
    for (; i > 0 && row_order(&a, &m->top[i - 1]) < 0; i--)
        m->top[i] = m->top[i - 1];
    m->top[i] = a;
}

static void row_take(struct row_making *m, struct alert *a, struct verdict *scratch)
{
    const struct board_ask *q = m->r->ask;
    struct labels ls, annotations;
    struct row_alert one = {.alert = a};
    str severity;

    arena_reset(&m->room);
    ls = label_set_view(&m->room, a->labels);
    annotations = label_set_view(&m->room, a->annotations);
    severity = board_severity(ls);
    one.rank = board_rank(q, severity);
    if (alert_is_resolved(a, m->r->now) || !board_ask_takes(q, ls, annotations))
        return;
    one.state = board_state_of(&m->au, a, scratch);
    if (!q->states[one.state] || !row_lists_severity(q, severity))
        return;
    m->counts[one.state]++;
    if (m->listed++ == 0) {
        m->labels = label_set_view(&m->arena, a->labels);
        m->annotations = label_set_view(&m->arena, a->annotations);
    } else {
        m->labels = row_intersect(&m->arena, m->labels, ls);
        m->annotations = row_intersect(&m->arena, m->annotations, annotations);
    }
    if (m->listed == 1 || one.state < m->state || (one.state == m->state && one.rank < m->rank)) {
        m->state = one.state;
        m->rank = one.rank;
        m->severity = severity;
    }
    if (a->starts_at > m->newest)
        m->newest = a->starts_at;
    row_keep(m, one);
}

static void row_put_when(struct json_writer *w, const char *key, ts_ns t)
{
    json_key(w, str_of(key));
    if (t == TS_NONE || t == TS_MAX)
        json_put_null(w);
    else
        json_put_rfc3339_ms(w, t);
}

static void row_put_holders(struct row_making *m, const struct verdict *v)
{
    struct json_writer *w = &m->w;

    if (v->silenced_by.n != 0) {
        json_key(w, S("silencedBy"));
        json_open(w, '[');
        for (size_t i = 0; i < v->silenced_by.n && i < 5; i++) {
            const struct silence *s = v->silenced_by.v[i];

            json_open(w, '{');
            json_put_text(w, "id", uuid_str(&s->id));
            json_put_text(w, "createdBy", s->created_by);
            json_put_text(w, "comment", s->comment);
            row_put_when(w, "endsAt", s->ends_at);
            json_close(w, '}');
        }
        json_close(w, ']');
    }
    if (v->inhibited_by.n == 0)
        return;
    json_key(w, S("inhibitedBy"));
    json_open(w, '[');
    for (size_t i = 0; i < v->inhibited_by.n && i < 5; i++) {
        uint64_t fp = v->inhibited_by.v[i].fingerprint;
        const struct alert *source = engine_alert(m->r->e, fp);

        json_open(w, '{');
        json_key(w, S("fingerprint"));
        json_put_hex64(w, fp);
        json_put_text(w, "alertname",
                      source != NULL ? label_set_get(source->labels, S("alertname")) : STR_NONE);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void row_put_alert(struct row_making *m, const struct row_alert *ra)
{
    struct json_writer *w = &m->w;
    struct alert *a = ra->alert;
    struct alert_status st = {0};
    void **value = u64_map_get(m->r->values, alert_fingerprint(a));

    json_open(w, '{');
    json_key(w, S("fingerprint"));
    json_put_hex64(w, alert_fingerprint(a));
    json_put_text(w, "state", str_of(board_state_text(ra->state)));
    json_key(w, S("rank"));
    json_put_u64(w, ra->rank);
    json_key(w, S("labels"));
    labels_put_json(w, row_differing(&m->arena, a->labels, m->labels));
    json_key(w, S("annotations"));
    labels_put_json(w, row_differing(&m->arena, a->annotations, m->annotations));
    row_put_when(w, "since", a->starts_at);
    if (value != NULL) {
        struct buf b = BUF_INIT;

        float_print_g(&b, ((const struct board_value *)*value)->value);
        json_put_text(w, "value", buf_str(&b));
        buf_release(&b);
    }
    if (alert_generator_url(a).n != 0)
        json_put_text(w, "generatorURL", alert_generator_url(a));
    if (ra->state != BOARD_FIRING) {
        audience_status(&m->au, a, &st);
        row_put_holders(m, &st.verdict);
        alert_status_release(&st);
    }
    json_close(w, '}');
}

/* Both clocks are read one after the other: to a tenth of a second an instant stays what it is. */
static ts_ns row_wall(ts_ns mono, struct now now)
{
    ts_ns at = ts_add(now.wall, mono - now.mono);

    return at == TS_MAX ? at : (at + 50 * NS_PER_MS) / (100 * NS_PER_MS) * (100 * NS_PER_MS);
}

/* Who was told of the group, and when last. */
static void row_put_told(struct row_making *m, const struct group *g)
{
    const struct core_receiver *rc = engine_receiver(m->r->e, g->route->receiver);
    struct json_writer *w = &m->w;
    struct buf key = BUF_INIT;

    json_key(w, S("told"));
    json_open(w, '[');
    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++) {
        const struct core_integration *in = &rc->integrations[i];
        struct nflog_entry **entry;
        struct outbox_slot **slot;

        buf_clear(&key);
        nflog_key(&key, g->key, rc->name, in->kind, in->index);
        entry = nflog_map_get(&m->r->e->nflog, buf_str(&key));
        slot = outbox_map_get(&m->r->e->outbox, buf_str(&key));
        json_open(w, '{');
        json_put_text(w, "integration", in->kind);
        json_key(w, S("index"));
        json_put_u64(w, in->index);
        row_put_when(w, "at", entry != NULL ? (*entry)->timestamp : TS_NONE);
        if (slot != NULL) {
            json_key(w, S("attempts"));
            json_put_u64(w, (*slot)->row->attempt);
        }
        json_close(w, '}');
    }
    json_close(w, ']');
    buf_release(&key);
}

static void row_put_group(struct row_making *m, const struct group *g)
{
    struct json_writer *w = &m->w;
    struct buf by = BUF_INIT;
    struct audience au;
    str rest;

    json_put_text(w, "receiver", g != NULL ? g->route->receiver : STR_NONE);
    json_put_text(w, "groupKey", g != NULL ? g->key : STR_NONE);
    json_key(w, S("labels"));
    labels_put_json(w, g != NULL ? label_set_view(&m->arena, g->labels) : LABELS_NONE);
    row_put_when(w, "nextFlush",
                 g != NULL && heap_holds(&g->timer) ? row_wall(g->timer.key, m->r->now) : TS_NONE);
    if (g != NULL)
        au = audience_at(m->r->e, g->route, m->r->now);
    if (g != NULL && au.time != HELD_BY_NOTHING) {
        audience_names(&au, au.time, &by);
        rest = buf_str(&by);
        json_key(w, S("mutedBy"));
        json_open(w, '[');
        while (rest.n != 0)
            json_put_str(w, str_cut(&rest, ','));
        json_close(w, ']');
        buf_release(&by);
    }
    if (g != NULL)
        row_put_told(m, g);
}

static void row_put_counts(struct row_making *m)
{
    struct json_writer *w = &m->w;

    json_put_text(w, "severity", m->severity);
    json_key(w, S("rank"));
    json_put_u64(w, m->rank);
    json_put_text(w, "state", str_of(board_state_text(m->state)));
    json_key(w, S("counts"));
    json_open(w, '{');
    for (int i = 0; i < BOARD_STATES; i++) {
        json_key(w, str_of(board_state_text((enum board_state)i)));
        json_put_u64(w, m->counts[i]);
    }
    json_close(w, '}');
    row_put_when(w, "newest", m->newest);
}

size_t board_put_row(const struct board_row_of *r, uint64_t key, const struct group *group,
                     struct alert *const *v, size_t n, struct buf *out)
{
    struct row_making m = {.r = r, .newest = TS_NONE};
    struct verdict scratch = {0};
    struct buf strip = BUF_INIT;

    arena_init(&m.arena, 0);
    arena_init(&m.room, 0);
    /* what an interval keeps back fires all the same: mutedBy says so of the group */
    m.au = audience_at(r->e, NULL, r->now);
    m.top = arena_array(&m.arena, r->ask->alerts + 1, sizeof(*m.top));
    for (size_t i = 0; i < n; i++)
        row_take(&m, v[i], &scratch);
    json_writer_init(&m.w, out, true);
    if (m.listed != 0) {
        json_open(&m.w, '{');
        json_key(&m.w, S("key"));
        json_put_hex64(&m.w, key);
        row_put_group(&m, group);
        row_put_counts(&m);
        if (strip_put(r->strips, key, r->now.wall, &strip))
            json_put_text(&m.w, "strip", buf_str(&strip));
        json_key(&m.w, S("shared"));
        labels_put_json(&m.w, m.labels);
        json_key(&m.w, S("sharedAnnotations"));
        labels_put_json(&m.w, m.annotations);
        json_key(&m.w, S("alerts"));
        json_open(&m.w, '[');
        for (size_t i = 0; i < m.n_top; i++)
            row_put_alert(&m, &m.top[i]);
        json_close(&m.w, ']');
        json_close(&m.w, '}');
    }
    buf_release(&strip);
    verdict_release(&scratch);
    arena_release(&m.arena);
    arena_release(&m.room);
    return m.listed;
}
