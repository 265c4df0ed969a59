/* Worked example, `for: 5m`, interval 1m: at 10:00 the expression returns {gpu="0"}: pending, active_at 10:00. It returns
 * it at every slot; at 10:05 the span is 5m: firing, fired_at 10:05, sent. At 10:20 it is missing: inactive, resolved_at
 * 10:20, sent at every resend until 10:35, then forgotten. Had one slot before 10:05 come without it, it would have been
 * forgotten at once and begun anew: there is no credit for part of the time. */
#include "ruler/rule_state.h"

#include <math.h>
#include "codec/float.h"
#include "codec/pack.h"
#include "model/labels.h"

enum { RULE_ALERT_VERSION = 1 };

static struct rule_alert *rule_state_get(const struct rule *r, uint64_t fp)
{
    void **slot = u64_map_get(&r->alerts, fp);

    return slot != NULL ? *slot : NULL;
}

void rule_alert_free(struct rule_alert *a)
{
    if (a == NULL)
        return;
    label_set_unref(a->labels);
    label_set_unref(a->annotations);
    mem_free(a);
}

void rule_clear_changes(struct rule *r)
{
    VEC_EACH (struct rule_change *, c, &r->changes)
        label_set_unref(c->labels);
    vec_clear(&r->changes);
}

static void rule_state_note(struct rule *r, const struct rule_alert *a, bool forgotten)
{
    vec_push(&r->changes,
             (struct rule_change){label_set_ref(a->labels), a->state, forgotten, a->value});
}

/* Numbers vary from answer to answer: samples counted, times, places. */
static uint64_t hash_words(uint64_t h, str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            h = fnv1a_byte(h, (unsigned char)s.p[i]);
    return fnv1a_byte(h, 0xff);
}

static uint64_t hash_notes(const struct rule_notes *n)
{
    uint64_t h = 0;

    if (!rule_notes_any(n))
        return 0;
    for (size_t i = 0; i < n->n_warnings; i++)
        h = hash_words(h, n->warnings[i]);
    h = fnv1a_byte(h, 0xfe);
    for (size_t i = 0; i < n->n_infos; i++)
        h = hash_words(h, n->infos[i]);
    return hash_words(h, n->held);
}

const struct rule_notes *rule_notes_of(const struct rule *r)
{
    return r->said != NULL ? &r->said->notes : &rule_no_notes;
}

static void rule_forget_notes(struct rule *r)
{
    if (r->said != NULL)
        arena_release(&r->said->arena);
    mem_free(r->said);
    r->said = NULL;
}

void rule_take_notes(struct rule *r, const struct rule_notes *n, ts_ns slot)
{
    ts_ns since = rule_notes_of(r)->held.n != 0 ? rule_notes_of(r)->held_since : slot;
    uint64_t before = r->said != NULL ? r->said->hash : 0, hash = hash_notes(n);

    r->notes_news = hash != before;
    rule_forget_notes(r);
    if (!rule_notes_any(n))
        return;
    r->said = mem_new(struct rule_answer_said);
    arena_init_small(&r->said->arena, 0);
    r->said->notes = rule_notes_copy(&r->said->arena, n);
    r->said->notes.held_since = since;
    r->said->hash = hash;
}

void rule_note_error(struct rule *r, const char *text)
{
    enum { ERROR_MAX = 511 };

    mem_free(r->last_error);
    r->last_error = text != NULL ? mem_zdup(str_sub(str_of(text), 0, ERROR_MAX)) : NULL;
}

void rule_release_alerts(struct rule *r)
{
    rule_note_error(r, NULL);
    rule_clear_changes(r);
    rule_forget_notes(r);
    vec_release(&r->changes);
    MAP_EACH (struct u64_map_entry, it, &r->alerts)
        rule_alert_free(it->value);
    u64_map_release(&r->alerts);
    vec_release(&r->gone);
}

enum rule_alert_state rule_worst_state(const struct rule *r)
{
    enum rule_alert_state worst = RULE_ALERT_INACTIVE;

    MAP_EACH (const struct u64_map_entry, it, &r->alerts) {
        const struct rule_alert *a = it->value;

        if (a->state > worst)
            worst = a->state;
    }
    return worst;
}

/* -- labels of a result -- */

/* The pairs of a rule with their templates expanded over a sample. */
static struct labels map_labels(const struct rule *r, const struct rule_context *c,
                                const struct conf_map *m, const struct sample *sample)
{
    const struct rule_template_vars vars = {.alert = r->conf->name,
                                            .labels = sample->labels,
                                            .value = sample->value,
                                            .external_labels = c->external_labels,
                                            .external_url = c->external_url,
                                            .slot = c->slot};

    return rule_template_expand_all(c->templates, c->arena, m, &vars, c->queries);
}

/* Sample labels without the name, then the rule's own (an empty one deletes), then alertname. */
static struct labels alert_labels(const struct rule *r, struct rule_context *c,
                                  const struct sample *sample)
{
    static const str name[] = {S_INIT("__name__")};
    struct label alertname = {S("alertname"), r->conf->name};
    struct labels own = map_labels(r, c, &r->conf->all_labels, sample);
    struct labels ls = labels_without(c->arena, sample->labels, name, 1);

    ls = labels_merge(c->arena, ls, own);
    return labels_merge(c->arena, ls, (struct labels){&alertname, 1});
}

struct rule_result rule_result_of(const struct rule_context *c, struct samples samples)
{
    struct rule_result result = {arena_array(c->arena, samples.n, sizeof(*result.v)), samples.n};

    for (size_t i = 0; i < samples.n; i++)
        result.v[i] = (struct rule_instance){.sample = &samples.v[i]};
    return result;
}

bool rule_expand(const struct rule *r, struct rule_context *c, struct rule_result *result)
{
    bool all = true;

    for (size_t i = 0; i < result->n; i++) {
        struct rule_instance *it = &result->v[i];

        if (it->is_complete)
            continue;
        if (c->queries != NULL)
            c->queries->is_missing = false;
        it->labels = alert_labels(r, c, it->sample);
        it->annotations = map_labels(r, c, &r->conf->annotations, it->sample);
        it->is_complete = c->queries == NULL || !c->queries->is_missing;
        all = all && it->is_complete;
    }
    return all;
}

static struct rule_alert *rule_state_begin_alert(struct rule *r, struct rule_context *c,
                                                 uint64_t fingerprint, struct label_set *labels)
{
    struct rule_alert *a = mem_new(struct rule_alert);

    a->labels = labels;
    a->state = RULE_ALERT_PENDING;
    a->active_at = c->slot;
    a->active_mono = c->now.mono;
    a->fired_at = a->resolved_at = a->last_sent_at = a->valid_until = a->keep_firing_since =
        TS_NONE;
    a->changed = true;
    u64_map_put(&r->alerts, fingerprint, a);
    return a;
}

/* rules.md 2.6 for an alert that was active when we went down for longer than two intervals. */
static void move_active_at(const struct rule *r, struct rule_alert *a, const struct rule_context *c)
{
    dur_ns spent = c->down_at - a->active_at, remaining = r->conf->hold_for - spent;

    if (remaining > 0 && remaining < RULE_GRACE_PERIOD)
        a->active_at = c->slot + RULE_GRACE_PERIOD - r->conf->hold_for;
    else if (remaining > 0)
        a->active_at = a->active_at + (c->slot - c->down_at);
    a->active_mono = c->now.mono - (c->slot - a->active_at);
    a->state = RULE_ALERT_PENDING;
    a->restored = false;
    a->changed = true;
}

/* Merges the result into what is known. All labels are looked at before anything changes, so that a duplicate leaves the
 * state as it was. */
static bool rule_state_merge(struct rule *r, struct rule_context *c, struct rule_result result,
                             struct err *e)
{
    struct u64_map keys = {0};
    struct label_set **sets = arena_array(c->arena, result.n, sizeof(*sets));
    uint64_t *fingerprints = arena_array(c->arena, result.n, sizeof(*fingerprints));
    size_t n = 0;
    bool ok = true;

    for (; n < result.n && ok; n++) {
        sets[n] = label_set_intern(c->names, result.v[n].labels);
        fingerprints[n] = labels_fingerprint(result.v[n].labels);
        u64_map_add(&keys, fingerprints[n], NULL, &ok);
    }
    u64_map_release(&keys);
    if (!ok) {
        for (size_t i = 0; i < n; i++)
            label_set_unref(sets[i]);
        return err_set(
            e, ERR_INVALID,
            "vector contains metrics with the same labelset after applying alert labels");
    }
    for (size_t i = 0; i < result.n; i++) {
        struct rule_alert *a = rule_state_get(r, fingerprints[i]);

        if (a != NULL && a->restored)
            move_active_at(r, a, c);
        if (a != NULL &&
            a->state == RULE_ALERT_INACTIVE) { /* a leftover kept for resending gives way */
            rule_alert_free(a);
            a = NULL;
        }
        if (a == NULL)
            a = rule_state_begin_alert(r, c, fingerprints[i], label_set_ref(sets[i]));
        a->seen = true;
        a->value = result.v[i].sample->value;
        label_set_unref(a->annotations);
        a->annotations = label_set_intern(c->names, result.v[i].annotations);
        label_set_unref(sets[i]);
    }
    return true;
}

static void rule_state_forget(struct rule *r, struct u64_map_entry *it)
{
    const struct rule_alert *a = it->value;

    if (a->state == RULE_ALERT_PENDING)
        rule_state_note(r, a, true);
    vec_push(&r->gone, it->key);
    rule_alert_free(it->value);
    u64_map_del_entry(&r->alerts, it);
}

/* It may be in the part that is missing: nothing becomes of it, neither its end nor, while it is pending, its beginning. */
static bool is_held(const struct rule_alert *a, const struct rule_context *c)
{
    return c->is_partial && !a->seen && a->state != RULE_ALERT_INACTIVE;
}

/* An alert that this result does not have. Returns whether it stays firing all the same. */
static bool rule_state_is_kept(const struct rule *r, struct rule_alert *a,
                               const struct rule_context *c)
{
    if (a->state != RULE_ALERT_FIRING || r->conf->keep_firing_for <= 0)
        return false;
    if (a->keep_firing_since == TS_NONE) {
        a->keep_firing_since = c->slot;
        a->changed = true;
    }
    return c->slot - a->keep_firing_since < r->conf->keep_firing_for;
}

static dur_ns rule_state_held(const struct rule_alert *a, const struct rule_context *c)
{
    dur_ns wall = c->slot - a->active_at, mono = c->now.mono - a->active_mono;

    /* The slot may lie up to an interval behind the clock it is compared with. */
    return wall < mono + c->interval ? wall : mono;
}

static dur_ns held_at_most(const struct rule_alert *a, const struct rule_context *c)
{
    dur_ns wall = c->slot - a->active_at, mono = c->now.mono - a->active_mono;

    return wall > mono ? wall : mono;
}

static void become(struct rule *r, struct rule_alert *a, enum rule_alert_state state)
{
    a->state = state;
    a->news = state != RULE_ALERT_PENDING;
    a->changed = true;
    rule_state_note(r, a, false);
}

/* It is not in the result any more. */
static void rule_state_end(struct rule *r, struct rule_alert *a, struct rule_context *c)
{
    if (a->has_end) {
        struct label text = {S("value_at_resolve"), STR_NONE};
        struct buf b = BUF_INIT;
        struct label_set *old = a->annotations;

        float_print_g(&b, a->end);
        text.value = buf_str(&b);
        a->value = a->end;
        a->annotations =
            label_set_intern(c->names, labels_merge(c->arena, label_set_view(c->arena, old),
                                                    (struct labels){&text, 1}));
        label_set_unref(old);
        buf_release(&b);
    }
    become(r, a, RULE_ALERT_INACTIVE);
    a->resolved_at = c->slot;
}

static size_t rule_state_advance(struct rule *r, struct rule_context *c)
{
    size_t active = 0;

    MAP_EACH (struct u64_map_entry, it, &r->alerts) {
        struct rule_alert *a = it->value;

        if (is_held(a, c)) {
            active++;
            continue;
        }
        if (!a->seen && !rule_state_is_kept(r, a, c)) {
            if (a->state == RULE_ALERT_PENDING || a->restored ||
                (a->resolved_at != TS_NONE && c->slot - a->resolved_at > RULE_RESOLVED_RETENTION)) {
                rule_state_forget(r, it);
                continue;
            }
            if (a->state == RULE_ALERT_FIRING)
                rule_state_end(r, a, c);
            continue;
        }
        if (a->seen && a->keep_firing_since != TS_NONE) {
            a->keep_firing_since = TS_NONE;
            a->changed = true;
        }
        a->seen = false;
        active++;
        if (a->active_at == c->slot && a->state == RULE_ALERT_PENDING &&
            rule_state_held(a, c) < r->conf->hold_for)
            rule_state_note(r, a, false);
        if (a->state == RULE_ALERT_PENDING && rule_state_held(a, c) >= r->conf->hold_for) {
            become(r, a, RULE_ALERT_FIRING);
            a->fired_at = c->slot;
        } else if (a->state == RULE_ALERT_FIRING && held_at_most(a, c) < r->conf->hold_for) {
            become(r, a, RULE_ALERT_PENDING); /* the rule now asks for longer */
            a->fired_at = a->last_sent_at = a->keep_firing_since = TS_NONE;
        }
    }
    return active;
}

bool rule_step(struct rule *r, struct rule_context *c, struct rule_result result, struct err *e)
{
    size_t active;

    if (!rule_state_merge(r, c, result, e))
        return false;
    active = rule_state_advance(r, c);
    if (c->limit <= 0 || active <= (size_t)c->limit)
        return true;
    MAP_EACH (struct u64_map_entry, it, &r->alerts)
        rule_state_forget(r, it);
    return err_set(e, ERR_LIMIT, "exceeded limit of %lld with %zu alerts", (long long)c->limit,
                   active);
}

void rule_collect_due(struct rule *r, struct rule_context *c, struct alert_input_list *out)
{
    dur_ns longer = c->interval > RULE_RESEND_DELAY ? c->interval : RULE_RESEND_DELAY;

    MAP_EACH (struct u64_map_entry, it, &r->alerts) {
        struct rule_alert *a = it->value;
        bool resolved = a->resolved_at != TS_NONE;

        if (a->state == RULE_ALERT_PENDING || a->restored)
            continue;
        /* a slot before the last sending means that the clock went back: the receiver must not be left waiting */
        if (!a->news && a->last_sent_at <= c->slot &&
            ts_add(a->last_sent_at, RULE_RESEND_DELAY) >= c->slot)
            continue;
        a->news = false;
        a->last_sent_at = c->slot;
        a->valid_until = ts_add(c->slot, 4 * longer);
        a->changed = true;
        vec_push(out, (struct alert_input){.labels = label_set_view(c->arena, a->labels),
                                           .annotations = label_set_view(c->arena, a->annotations),
                                           .starts_at = a->fired_at,
                                           .ends_at = resolved ? a->resolved_at : a->valid_until,
                                           .has_value = !isnan(a->value),
                                           .value = a->value});
    }
}

/* What lies ahead moves by so much; 0: until none lies ahead any more. */
static bool set_back(struct rule_alert *a, ts_ns now, dur_ns by)
{
    ts_ns *const times[] = {&a->active_at, &a->fired_at, &a->resolved_at, &a->last_sent_at,
                            &a->keep_firing_since};
    ts_ns latest = now;
    bool moved = false;

    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        latest = *times[i] > latest ? *times[i] : latest;
    by = by != 0 ? by : now - latest;

    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        if (*times[i] > now) {
            *times[i] = ts_add(*times[i], by);
            moved = true;
        }
    return moved;
}

void rule_set_back(struct rule *r, ts_ns now, dur_ns by)
{
    MAP_EACH (struct u64_map_entry, it, &r->alerts) {
        struct rule_alert *a = it->value;

        a->changed |= set_back(a, now, by);
    }
}

/* -- on disk -- */

static void pack_state(struct buf *out, const struct rule_alert *a)
{
    uint64_t bits;

    memcpy(&bits, &a->value, sizeof(bits));
    pack_u64(out, a->state);
    pack_fixed64(out, bits);
    pack_i64(out, a->active_at);
    pack_i64(out, a->fired_at);
    pack_i64(out, a->resolved_at);
    pack_i64(out, a->last_sent_at);
    pack_i64(out, a->valid_until);
    pack_i64(out, a->keep_firing_since);
}

void rule_alert_pack(struct buf *out, const struct rule_alert *a)
{
    pack_u64(out, RULE_ALERT_VERSION);
    label_set_pack(out, a->labels);
    label_set_pack(out, a->annotations);
    pack_state(out, a);
}

void rule_alert_pack_as(struct buf *out, struct labels labels, struct labels annotations,
                        const struct rule_alert *a)
{
    pack_u64(out, RULE_ALERT_VERSION);
    labels_pack(out, labels);
    labels_pack(out, annotations);
    pack_state(out, a);
}

struct rule_alert *rule_alert_unpack(str bytes, struct interner *names, struct arena *scratch)
{
    struct unpack u = unpack_of(bytes);
    struct rule_alert *a = mem_new(struct rule_alert);
    uint64_t version = unpack_u64(&u), state, bits;
    struct labels labels = labels_unpack(&u, scratch), annotations = labels_unpack(&u, scratch);

    state = unpack_u64(&u);
    bits = unpack_fixed64(&u);
    memcpy(&a->value, &bits, sizeof(bits));
    a->active_at = unpack_i64(&u);
    a->fired_at = unpack_i64(&u);
    a->resolved_at = unpack_i64(&u);
    a->last_sent_at = unpack_i64(&u);
    a->valid_until = unpack_i64(&u);
    a->keep_firing_since = unpack_i64(&u);
    if (u.failed || version == 0 || state > RULE_ALERT_FIRING || labels.n == 0) {
        mem_free(a);
        return NULL;
    }
    a->state = (enum rule_alert_state)state;
    a->labels = label_set_intern(names, labels);
    a->annotations = label_set_intern(names, annotations);
    a->news = a->state != RULE_ALERT_PENDING &&
              (a->last_sent_at == TS_NONE || a->resolved_at > a->last_sent_at);
    return a;
}

void rule_restore(struct rule *r, struct rule_alert *a, ts_ns down_at, struct now now,
                  dur_ns interval)
{
    uint64_t fingerprint = label_set_fingerprint(a->labels);
    dur_ns down = now.wall - down_at;

    if (down < 0) /* set back while we were down */
        set_back(a, now.wall, down);
    set_back(a, now.wall, 0); /* or before, and the row is older than that */
    a->active_mono = ts_add(now.mono, a->active_at - now.wall);
    if (down > 2 * interval + RULE_ALIVE_INTERVAL) {
        /* only rules that hold long enough are worth it, and what was already resolved is told already */
        if (down > RULE_OUTAGE_TOLERANCE || r->conf->hold_for < RULE_GRACE_PERIOD ||
            a->state == RULE_ALERT_INACTIVE) {
            vec_push(&r->gone, fingerprint);
            rule_alert_free(a);
            return;
        }
        a->restored = true;
    }
    u64_map_put(&r->alerts, fingerprint, a);
}
