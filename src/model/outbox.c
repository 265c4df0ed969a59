/* Rows of the outbox and what they tell, packed for the disk and read again: what an older version wrote gets the defaults of
 * what came later. */
#include "model/outbox.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "codec/pack.h"
#include "model/alert.h"

enum {
    ERROR_MAX = 250,
    /* 2: may_have_arrived; 3: had; 4: failure, error; 5: since, asks; 6: receipts */
    OUTBOX_VERSION = 6,
    RECEIPT_WHY_MAX = 120,
    /* 2: changes at the end; 3: then templates of the route's labels; 4: then act and actors; 5: then from whom it is passed
     * on; 6: then values */
    NOTIFICATION_VERSION = 6,
    NOTIFICATION_USUAL = 1000 /* bytes: most that tell of one alert need no more */
};

static void notification_pack_head(struct buf *out, const struct notification *n)
{
    pack_u64(out, NOTIFICATION_VERSION);
    pack_str(out, n->receiver);
    pack_str(out, n->group_key);
    labels_pack(out, n->group_labels);
    labels_pack(out, n->route_labels);
    pack_u64(out, n->reason);
    pack_i64(out, n->decided_at);
    pack_fixed64(out, n->flush_id);
}

static void notification_pack_alerts(struct buf *out, const struct notification *n)
{
    pack_u64(out, n->n_alerts);
    for (size_t i = 0; i < n->n_alerts; i++) {
        const struct notified_alert *a = &n->alerts[i];

        labels_pack(out, a->labels);
        labels_pack(out, a->annotations);
        pack_i64(out, a->starts_at);
        pack_i64(out, a->ends_at);
        pack_str(out, a->generator_url);
        pack_fixed64(out, a->fingerprint);
        pack_u64(out, a->is_resolved);
    }
    for (size_t i = 0; i < n->n_alerts; i++)
        pack_u64(out, n->alerts[i].change);
}

static void notification_pack_tail(struct buf *out, const struct notification *n)
{
    labels_pack(out, n->route_templates);
    pack_u64(out, n->act);
    pack_u64(out, n->n_actors);
    for (size_t i = 0; i < n->n_actors; i++)
        pack_str(out, n->actors[i]);
    pack_u64(out, n->is_relayed);
    pack_str(out, n->from_receiver);
    pack_str(out, n->from_url);
}

static void value_pack(struct buf *out, bool has_value, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    pack_u64(out, has_value);
    if (has_value)
        pack_fixed64(out, bits);
}

static void notification_pack_values(struct buf *out, const struct notification *n)
{
    for (size_t i = 0; i < n->n_alerts; i++)
        value_pack(out, n->alerts[i].has_value, n->alerts[i].value);
}

void notification_pack(struct buf *out, const struct notification *n)
{
    notification_pack_head(out, n);
    notification_pack_alerts(out, n);
    notification_pack_tail(out, n);
    notification_pack_values(out, n);
}

static str outbox_copy(char **p, str s)
{
    str copy = {*p, s.n};

    if (s.n != 0)
        memcpy(*p, s.p, s.n);
    *p += s.n;
    return copy;
}

static str outbox_packed(const struct notification *n)
{
    struct buf b = BUF_INIT;
    str s;

    notification_pack(&b, n);
    s = mem_str_dup(buf_str(&b));
    buf_release(&b);
    return s;
}

/* Copies the three, the key first, into one piece of memory. */
static void outbox_row_name(struct outbox_row *r, str key, str receiver, str integration)
{
    char *p = mem_alloc(key.n + receiver.n + integration.n);

    r->key = outbox_copy(&p, key);
    r->receiver = outbox_copy(&p, receiver);
    r->integration = outbox_copy(&p, integration);
}

/* Without what it tells, but with room for what it names. */
static struct outbox_row *outbox_row_of(str key, const struct notification *n, str integration,
                                        unsigned index, struct hash_list firing,
                                        struct hash_list resolved, dur_ns repeat_interval,
                                        size_t n_named, struct now now)
{
    struct outbox_row *r = mem_zalloc(sizeof(*r) + n_named * sizeof(r->named[0]));

    r->n_named = n_named;
    outbox_row_name(r, key, n->receiver, integration);
    r->index = index;
    r->firing = hash_list_dup(firing);
    r->resolved = hash_list_dup(resolved);
    r->repeat_interval = repeat_interval;
    r->decided_at = now.wall;
    r->decided_mono = r->since = now.mono;
    r->flush_id = n->flush_id;
    r->not_before = now.mono;
    r->urgency = notification_urgency(n);
    r->is_relayed = n->is_relayed;
    return r;
}

struct outbox_row *outbox_row_new(str key, const struct notification *n, str integration,
                                  unsigned index, struct hash_list firing,
                                  struct hash_list resolved, dur_ns repeat_interval, struct now now)
{
    struct outbox_row *r =
        outbox_row_of(key, n, integration, index, firing, resolved, repeat_interval, 0, now);

    r->data = outbox_packed(n);
    r->bytes = r->data.n;
    return r;
}

/* The notification with its alerts and without, which is the same without some bytes. */
static void outbox_pack_both(struct outbox_row *r, const struct notification *n)
{
    struct notification none = {0};
    struct buf b = BUF_INIT;
    size_t head, all, tail, end;
    char *p;

    buf_reserve(&b, NOTIFICATION_USUAL);
    notification_pack_head(&b, n);
    head = b.n;
    notification_pack_alerts(&b, n);
    all = b.n;
    notification_pack_tail(&b, n);
    tail = b.n - all;
    notification_pack_values(&b, n);
    end = b.n;
    notification_pack_alerts(&b, &none);
    r->data = (str){p = mem_alloc(head + b.n - end + tail), head + b.n - end + tail};
    (void)outbox_copy(&p, (str){b.p, head});
    (void)outbox_copy(&p, (str){b.p + end, b.n - end});
    (void)outbox_copy(&p, (str){b.p + all, tail});
    r->whole = (str){b.p, end}; /* its memory, for as long as that is needed */
}

struct outbox_row *outbox_row_naming(str key, const struct notification *n,
                                     const struct alert *const *of, str integration, unsigned index,
                                     struct hash_list firing, struct hash_list resolved,
                                     dur_ns repeat_interval, struct now now)
{
    struct outbox_row *r = outbox_row_of(key, n, integration, index, firing, resolved,
                                         repeat_interval, n->n_alerts, now);

    outbox_pack_both(r, n);
    r->bytes = r->whole.n;
    for (size_t i = 0; i < n->n_alerts; i++) {
        r->names = alert_interner(of[i]);
        r->named[i] = (struct outbox_alert){.labels = label_set_ref(of[i]->labels),
                                            .annotations = label_set_ref(of[i]->annotations),
                                            .generator_url = shared_text_ref(of[i]->generator_url),
                                            .fingerprint = alert_fingerprint(of[i]),
                                            .starts_at = n->alerts[i].starts_at,
                                            .ends_at = n->alerts[i].ends_at,
                                            .change = n->alerts[i].change,
                                            .is_resolved = n->alerts[i].is_resolved,
                                            .has_value = n->alerts[i].has_value,
                                            .value = n->alerts[i].value};
    }
    return r;
}

void outbox_row_written(struct outbox_row *r)
{
    mem_str_free(r->whole);
    r->whole = STR_NONE;
}

static void outbox_forget_named(struct outbox_row *r)
{
    for (size_t i = 0; i < r->n_named; i++) {
        label_set_unref(r->named[i].labels);
        label_set_unref(r->named[i].annotations);
        shared_text_unref(r->names, r->named[i].generator_url);
    }
}

bool outbox_tells(const struct outbox_row *r, struct arena *a, struct notification *out)
{
    struct notified_alert *v;

    if (!notification_unpack(r->data, a, out))
        return false;
    if (r->names == NULL)
        return true;
    v = arena_array(a, r->n_named, sizeof(*v));
    for (size_t i = 0; i < r->n_named; i++) {
        const struct outbox_alert *x = &r->named[i];

        v[i] = (struct notified_alert){.labels = label_set_view(a, x->labels),
                                       .annotations = label_set_view(a, x->annotations),
                                       .starts_at = x->starts_at,
                                       .ends_at = x->ends_at,
                                       .generator_url = shared_text_str(x->generator_url),
                                       .fingerprint = x->fingerprint,
                                       .is_resolved = x->is_resolved,
                                       .change = x->change,
                                       .has_value = x->has_value,
                                       .value = x->value};
        out->n_firing += !x->is_resolved;
    }
    out->alerts = v;
    out->n_alerts = r->n_named;
    notification_set_act(out);
    return true;
}

void outbox_row_free(struct outbox_row *r)
{
    if (r == NULL)
        return;
    mem_str_free(r->key); /* and with it receiver and integration */
    mem_str_free(r->data);
    mem_str_free(r->whole);
    outbox_forget_named(r);
    mem_str_free(r->had);
    mem_str_free(r->receipts);
    mem_str_free(r->error);
    mem_free(r->firing.v);
    mem_free(r->resolved.v);
    mem_free(r);
}

static void set_error(struct outbox_row *r, str error)
{
    mem_str_free(r->error);
    r->error = mem_str_dup(error);
}

void outbox_row_failed(struct outbox_row *r, enum delivery_failure why, str error)
{
    r->attempt++;
    r->failure = why;
    set_error(r, utf8_cut(error, ERROR_MAX));
}

void outbox_row_follow(struct outbox_row *r, const struct outbox_row *old)
{
    r->attempt = old->attempt;
    r->not_before = old->not_before;
    r->since = old->since;
    r->gathers |= old->gathers;
    r->failure = old->failure;
    set_error(r, old->error);
}

/* -- what services say later -- */

void outbox_row_inherit(struct outbox_row *r, const struct outbox_row *old)
{
    r->had = mem_str_dup(old->had);
    r->receipts = mem_str_dup(old->receipts);
    r->asks = old->asks;
    r->was_heard = old->was_heard;
}

/* Whether a line of had ends with it. */
static bool outbox_waits_for(str had, str id)
{
    while (had.n != 0) {
        str line = str_cut(&had, '\n');

        if (line.n > id.n && str_ends_with(line, id) && line.p[line.n - id.n - 1] == ' ')
            return true;
    }
    return false;
}

void outbox_row_had(struct outbox_row *r, str had)
{
    struct buf left = BUF_INIT;
    str rest = r->receipts;

    while (rest.n != 0) {
        str line = str_cut(&rest, '\n'), why = line;

        if (outbox_waits_for(had, str_cut(&why, ' ')))
            buf_addf(&left, "%.*s\n", STR(line));
    }
    mem_str_free(r->had);
    mem_str_free(r->receipts);
    r->had = mem_str_dup(had);
    r->receipts = mem_str_dup(buf_str(&left));
    buf_release(&left);
}

static bool outbox_has_receipt(const struct outbox_row *r, str id)
{
    for (str rest = r->receipts; rest.n != 0;) {
        str line = str_cut(&rest, '\n');

        if (str_eq(str_cut(&line, ' '), id))
            return true;
    }
    return false;
}

bool outbox_row_hears(struct outbox_row *r, const struct receipt *x)
{
    str why = utf8_cut(x->why.n != 0 ? x->why : S("not told"), RECEIPT_WHY_MAX);
    struct buf all = BUF_INIT;

    if (x->id.n == 0 || !outbox_waits_for(r->had, x->id) || outbox_has_receipt(r, x->id))
        return false;
    buf_add(&all, r->receipts);
    buf_add(&all, x->id);
    if (!x->is_told)
        buf_addc(&all, ' ');
    for (size_t i = 0; !x->is_told && i < why.n; i++)
        buf_addc(&all, (unsigned char)why.p[i] < ' ' ? ' ' : why.p[i]);
    buf_addc(&all, '\n');
    mem_str_free(r->receipts);
    r->receipts = mem_str_dup(buf_str(&all));
    buf_release(&all);
    return true;
}

size_t outbox_receipts(const struct outbox_row *r, struct arena *a, const struct receipt **out)
{
    size_t n = 0;
    struct receipt *v;

    for (size_t i = 0; i < r->receipts.n; i++)
        n += r->receipts.p[i] == '\n';
    *out = v = arena_array(a, n, sizeof(*v));
    n = 0;
    for (str rest = r->receipts; rest.n != 0; n++) {
        str why = str_cut(&rest, '\n'), id = str_cut(&why, ' ');

        v[n] = (struct receipt){arena_str(a, id), why.n == 0, arena_str(a, why)};
    }
    return n;
}

str outbox_told_as(const struct outbox_row *r)
{
    struct unpack u = unpack_of(r->data);
    str group_key;

    (void)unpack_u64(&u); /* version */
    (void)unpack_str(&u); /* receiver */
    group_key = unpack_str(&u);
    if (u.failed || (str_starts_with(r->key, group_key) && group_key.n < r->key.n &&
                     r->key.p[group_key.n] == ':'))
        return STR_NONE;
    return group_key;
}

str outbox_group_key(const struct outbox_row *r)
{
    size_t n = r->key.n, tail = r->integration.n + r->receiver.n + 2;

    while (n != 0 && r->key.p[n - 1] != '/')
        n--;
    return n > tail ? str_sub(r->key, 0, n - 1 - tail) : STR_NONE;
}

static void outbox_pack_notification(struct buf *out, const struct outbox_row *r)
{
    struct buf whole = BUF_INIT;
    struct notification n;
    struct arena a;

    if (r->names == NULL || r->whole.p != NULL) {
        pack_str(out, r->names == NULL ? r->data : r->whole);
        return;
    }
    arena_init(&a, 0);
    if (outbox_tells(r, &a, &n))
        notification_pack(&whole, &n);
    pack_str(out, buf_str(&whole));
    buf_release(&whole);
    arena_release(&a);
}

void outbox_pack(struct buf *out, const struct outbox_row *r, struct now now)
{
    pack_u64(out, OUTBOX_VERSION);
    pack_str(out, r->receiver);
    pack_str(out, r->integration);
    pack_u64(out, r->index);
    hash_list_pack(out, r->firing);
    hash_list_pack(out, r->resolved);
    pack_i64(out, r->repeat_interval);
    pack_i64(out, r->decided_at);
    pack_fixed64(out, r->flush_id);
    pack_u64(out, r->attempt);
    pack_i64(out, ts_add(now.wall, r->not_before - now.mono));
    outbox_pack_notification(out, r);
    pack_u64(out, r->may_have_arrived);
    pack_str(out, r->had);
    pack_u64(out, r->failure);
    pack_str(out, r->error);
    pack_i64(out, ts_add(now.wall, r->since - now.mono));
    pack_u64(out, r->asks);
    pack_str(out, r->receipts);
}

bool labels_are_urgent(struct labels ls)
{
    static const str labels[] = {S_INIT("severity"), S_INIT("priority")};
    static const str urgent[] = {S_INIT("critical"), S_INIT("page"), S_INIT("emergency"),
                                 S_INIT("fatal"),    S_INIT("p0"),   S_INIT("p1")};

    for (size_t k = 0; k < ARRAY_LEN(labels); k++) {
        str value = labels_get(ls, labels[k]);

        for (size_t u = 0; value.n != 0 && u < ARRAY_LEN(urgent); u++)
            if (str_eq_nocase(value, urgent[u]))
                return true;
    }
    return false;
}

unsigned char notification_urgency(const struct notification *n)
{
    for (size_t i = 0; i < n->n_alerts; i++)
        if (!n->alerts[i].is_resolved && labels_are_urgent(n->alerts[i].labels))
            return 0;
    return 1;
}

/* What the row says of its notification beside it. */
static void set_from_data(struct outbox_row *r)
{
    struct notification n;
    struct arena a;

    arena_init(&a, 0);
    r->urgency = 1;
    r->bytes = r->data.n;
    if (notification_unpack(r->data, &a, &n)) {
        r->urgency = notification_urgency(&n);
        r->is_relayed = n.is_relayed;
    }
    arena_release(&a);
}

struct outbox_row *outbox_unpack(str key, str bytes, struct now now)
{
    struct unpack u = unpack_of(bytes);
    struct outbox_row *r = mem_new(struct outbox_row);
    uint64_t version = unpack_u64(&u), failure;
    ts_ns not_before, since;
    str receiver, integration;

    receiver = unpack_str(&u);
    integration = unpack_str(&u);
    outbox_row_name(r, key, receiver, integration);
    r->index = (unsigned)unpack_u64(&u);
    r->firing = hash_list_unpack(&u);
    r->resolved = hash_list_unpack(&u);
    r->repeat_interval = unpack_i64(&u);
    r->decided_at = unpack_i64(&u);
    r->decided_mono =
        ts_add(now.mono, r->decided_at < now.wall ? ts_sub(r->decided_at, now.wall) : 0);
    r->flush_id = unpack_fixed64(&u);
    r->attempt = (unsigned)unpack_u64(&u);
    not_before = unpack_i64(&u);
    r->not_before = ts_add(now.mono, not_before > now.wall ? not_before - now.wall : 0);
    r->data = mem_str_dup(unpack_str(&u));
    /* One that waits for its time is not under way. 0.1.0 did not say. */
    r->may_have_arrived = version < 2 || unpack_u64(&u) != 0 || not_before <= now.wall;
    if (version >= 3)
        r->had = mem_str_dup(unpack_str(&u));
    r->failure = FAILURE_DEADLINE; /* of an older row's attempts nothing else is known */
    if (version >= 4) {
        failure = unpack_u64(&u);
        r->failure = failure <= FAILURE_DEADLINE ? (enum delivery_failure)failure : FAILURE_OTHER;
        r->error = mem_str_dup(unpack_str(&u));
    }
    r->since = r->decided_mono;
    if (version >= 5) {
        since = unpack_i64(&u);
        r->asks = unpack_u64(&u) != 0;
        if (since < r->decided_at && !u.failed)
            r->since = ts_add(r->decided_mono, -ts_sub(r->decided_at, since));
    }
    if (version >= 6)
        r->receipts = mem_str_dup(unpack_str(&u));
    if (u.failed || version == 0) {
        outbox_row_free(r);
        return NULL;
    }
    set_from_data(r);
    return r;
}

static bool value_unpack(struct unpack *u, double *value)
{
    bool has_value = unpack_u64(u) != 0;
    uint64_t bits = has_value ? unpack_fixed64(u) : 0;

    memcpy(value, &bits, sizeof(bits));
    return has_value;
}

void notification_set_act(struct notification *n)
{
    if (n->act == ACT_FIRING || n->act == ACT_RESOLVED)
        n->act = n->n_firing != 0 ? ACT_FIRING : ACT_RESOLVED;
}

/* A row of before tells of alerts, and nobody did anything. */
static void unpack_act(struct unpack *u, uint64_t version, struct arena *a, struct notification *n)
{
    uint64_t act = version > 3 ? unpack_u64(u) : ACT_FIRING;
    str *actors;

    n->act = act <= ACT_DRILL ? (enum notify_act)act : ACT_FIRING;
    notification_set_act(n);
    if (version <= 3)
        return;
    n->n_actors = unpack_count(u, 1);
    n->actors = actors = arena_array(a, n->n_actors, sizeof(*actors));
    for (size_t i = 0; i < n->n_actors; i++)
        actors[i] = unpack_str(u);
}

bool notification_unpack(str bytes, struct arena *arena, struct notification *out)
{
    struct unpack u = unpack_of(bytes);
    uint64_t version = unpack_u64(&u), reason;
    struct notification n = {0};
    struct notified_alert *v;

    n.receiver = unpack_str(&u);
    n.group_key = unpack_str(&u);
    n.group_labels = labels_unpack(&u, arena);
    n.route_labels = labels_unpack(&u, arena);
    reason = unpack_u64(&u);
    n.reason = reason < REASON_UNKNOWN ? (enum notify_reason)reason : REASON_NONE;
    n.decided_at = unpack_i64(&u);
    n.flush_id = unpack_fixed64(&u);
    n.n_alerts = unpack_count(&u, 14);
    n.alerts = v = arena_array(arena, n.n_alerts, sizeof(*v));
    for (size_t i = 0; i < n.n_alerts; i++) {
        v[i].labels = labels_unpack(&u, arena);
        v[i].annotations = labels_unpack(&u, arena);
        v[i].starts_at = unpack_i64(&u);
        v[i].ends_at = unpack_i64(&u);
        v[i].generator_url = unpack_str(&u);
        v[i].fingerprint = unpack_fixed64(&u);
        v[i].is_resolved = unpack_u64(&u) != 0;
        n.n_firing += !v[i].is_resolved;
    }
    for (size_t i = 0; version > 1 && i < n.n_alerts; i++) {
        uint64_t change = unpack_u64(&u);

        v[i].change = change <= CHANGE_RESOLVED ? (enum alert_change)change : CHANGE_NONE;
    }
    if (version > 2)
        n.route_templates = labels_unpack(&u, arena);
    unpack_act(&u, version, arena, &n);
    if (version > 4) {
        n.is_relayed = unpack_u64(&u) != 0;
        n.from_receiver = unpack_str(&u);
        n.from_url = unpack_str(&u);
    }
    for (size_t i = 0; version > 5 && i < n.n_alerts; i++)
        v[i].has_value = value_unpack(&u, &v[i].value);
    if (u.failed || version == 0)
        return false;
    *out = n;
    return true;
}
