/* The texts of events. Each writer of members leaves away what protobuf's JSON leaves away; each happened_...() is one event:
 * `{"alertGrouped":{"alert":{...},"groupInfo":{...}}}`. */
#include "core/happenings.h"

#include <stdio.h>
#include <stdlib.h>
#include "codec/json.h"
#include "codec/timefmt.h"
#include "core/engine_priv.h"
#include "route/route_conf.h"

/* A text of an event that is being written; the id of its group, a SHA-256, is not for who decides: whoever writes the
 * event out puts it where the text is parted. */
struct telling {
    struct json_writer w;
    struct buf text;
    size_t parted; /* 0: it names no group */
    str group_key;
};

static bool is_recording(const struct engine *e)
{
    return e->conf->records_events;
}

static void telling_begin(struct telling *t, const char *member)
{
    *t = (struct telling){.text = BUF_INIT};
    json_writer_init(&t->w, &t->text, false);
    json_open(&t->w, '{');
    json_key(&t->w, str_of(member));
    json_open(&t->w, '{');
}

static void telling_end(struct telling *t, const char *type, struct effects *fx)
{
    struct recorded_event h = {.type = type, .group_key = arena_str(&fx->arena, t->group_key)};
    str all;

    json_close(&t->w, '}');
    json_close(&t->w, '}');
    all = arena_take(&fx->arena, &t->text);
    h.before = str_sub(all, 0, t->parted);
    h.after = str_sub(all, t->parted, all.n);
    vec_push(&fx->happenings, h);
}

/* -- members -- */

static void tell_text(struct json_writer *w, const char *key, str value)
{
    if (value.n != 0)
        json_put_text(w, key, value);
}

static void tell_number(struct json_writer *w, const char *key, uint64_t n)
{
    char text[24];

    if (n == 0)
        return;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
    json_put_text(w, key, str_of(text));
}

static void tell_true(struct json_writer *w, const char *key, bool v)
{
    if (!v)
        return;
    json_key(w, str_of(key));
    json_put_bool(w, true);
}

void happening_time(struct buf *out, ts_ns t)
{
    size_t from = out->n, dot;

    rfc3339_nano(out, t);
    for (dot = from; dot < out->n && out->p[dot] != '.'; dot++)
        ;
    if (dot == out->n)
        return;
    out->n--; /* Z */
    while ((out->n - dot - 1) % 3 != 0)
        buf_addc(out, '0');
    buf_addc(out, 'Z');
}

static void tell_time(struct json_writer *w, const char *key, ts_ns t)
{
    struct buf b = BUF_INIT;

    happening_time(&b, t);
    json_put_text(w, key, buf_str(&b));
    buf_release(&b);
}

static void tell_labels(struct json_writer *w, const char *key, struct labels ls)
{
    json_key(w, str_of(key));
    json_open(w, '{');
    if (ls.n != 0) {
        json_key(w, S("labels"));
        json_open(w, '[');
        LABELS_EACH (l, ls) {
            json_open(w, '{');
            tell_text(w, "key", l->name);
            tell_text(w, "value", l->value);
            json_close(w, '}');
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void tell_matcher(struct json_writer *w, const struct matcher *m)
{
    static const char *const types[] = {[MATCH_EQ] = "TYPE_EQUAL",
                                        [MATCH_NE] = "TYPE_NOT_EQUAL",
                                        [MATCH_RE] = "TYPE_REGEXP",
                                        [MATCH_NRE] = "TYPE_NOT_REGEXP"};
    struct buf b = BUF_INIT;

    json_open(w, '{');
    json_put_text(w, "type", str_of(types[m->op]));
    tell_text(w, "name", m->name);
    tell_text(w, "pattern", m->value);
    matcher_print(&b, m);
    json_put_text(w, "rendered", buf_str(&b));
    buf_release(&b);
    json_close(w, '}');
}

static void tell_matchers(struct json_writer *w, const char *key, const struct matchers *ms)
{
    if (ms->n == 0)
        return;
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < ms->n; i++)
        tell_matcher(w, &ms->v[i]);
    json_close(w, ']');
}

/* -- alerts and groups -- */

static void tell_alert(struct json_writer *w, const char *key, const struct notified_alert *a)
{
    json_key(w, str_of(key));
    json_open(w, '{');
    tell_number(w, "fingerprint", a->fingerprint);
    tell_text(w, "name", labels_get(a->labels, S("alertname")));
    tell_labels(w, "labels", a->labels);
    tell_labels(w, "annotations", a->annotations);
    tell_time(w, "startsAt", a->starts_at);
    tell_time(w, "endsAt", a->ends_at);
    tell_true(w, "resolved", a->is_resolved);
    json_close(w, '}');
}

/* The end of one that fires is when it would, unless it is refreshed. */
static struct notified_alert alert_now(const struct alert *a, struct now now, struct arena *arena)
{
    struct notified_alert n = engine_notified(a, now, arena);

    n.ends_at = a->ends_at;
    return n;
}

static void tell_grouped(struct json_writer *w, const char *key, const struct alert *a,
                         struct now now, struct arena *arena)
{
    struct notified_alert n = alert_now(a, now, arena);

    json_key(w, str_of(key));
    json_open(w, '{');
    tell_number(w, "hash", labels_dedup_hash(n.labels));
    tell_alert(w, "details", &n);
    json_close(w, '}');
}

/* g: of a notification, if it still is; it alone says more. */
static void tell_group_of(struct telling *t, str key, struct labels ls, str receiver,
                          const struct group *g)
{
    json_key(&t->w, S("groupInfo"));
    json_open(&t->w, '{');
    tell_text(&t->w, "groupKey", key);
    tell_labels(&t->w, "groupLabels", ls);
    json_key(&t->w, S("groupId"));
    json_put_raw(&t->w, S("\"\""));
    t->parted = t->text.n - 1;
    t->group_key = key;
    tell_text(&t->w, "receiverName", receiver);
    if (g != NULL) {
        tell_matchers(&t->w, "matchers", &g->route->matchers);
        tell_text(&t->w, "groupUuid", uuid_str(&g->uuid));
    }
    json_close(&t->w, '}');
}

static void tell_group(struct telling *t, const struct group *g, struct arena *arena)
{
    tell_group_of(t, g->key, label_set_view(arena, g->labels), g->route->receiver, NULL);
}

void happened_alert(struct engine *e, const struct alert *a, struct now now, struct effects *fx)
{
    struct notified_alert n;
    struct telling t;

    if (!is_recording(e))
        return;
    n = alert_now(a, now, &fx->arena);
    telling_begin(&t, "alertCreated");
    tell_alert(&t.w, "alert", &n);
    telling_end(&t, "alert_created", fx);
}

void happened_grouped(struct engine *e, const struct group *g, const struct alert *a,
                      struct now now, struct effects *fx)
{
    struct telling t;

    if (!is_recording(e))
        return;
    telling_begin(&t, "alertGrouped");
    tell_grouped(&t.w, "alert", a, now, &fx->arena);
    tell_group(&t, g, &fx->arena);
    telling_end(&t, "alert_grouped", fx);
}

void happened_told(struct engine *e, const struct group *g, struct now now, struct effects *fx)
{
    for (size_t i = 0; is_recording(e) && i < g->told.n; i++) {
        const struct alert *a = group_told(g, i);
        struct telling t;

        if (a == NULL)
            continue;
        telling_begin(&t, "alertResolved");
        tell_grouped(&t.w, "alert", a, now, &fx->arena);
        tell_group(&t, g, &fx->arena);
        telling_end(&t, "alert_resolved", fx);
    }
}

/* -- a notification -- */

static void tell_hashes(struct json_writer *w, const char *key, struct hash_list h)
{
    if (h.n == 0)
        return;
    json_key(w, str_of(key));
    json_open(w, '[');
    for (size_t i = 0; i < h.n; i++) {
        json_open(w, '{');
        tell_number(w, "hash", h.v[i]);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* Whom the last look at the group kept back. */
static struct hash_list muted_of(const struct group *g, struct arena *a)
{
    struct hash_list h = {NULL, 0};

    if (g == NULL)
        return h;
    h.v = arena_array(a, g->said.n, sizeof(*h.v));
    MAP_EACH (struct u64_map_entry, it, &g->said) {
        const struct alert *muted = alert_table_get(&g->alerts, it->key);

        if (muted != NULL)
            h.v[h.n++] = label_set_dedup_hash(muted->labels);
    }
    hash_list_sort(&h);
    return h;
}

static const char *reason_name(enum notify_reason r)
{
    switch (r) {
    case REASON_FIRST: return "NOTIFY_REASON_FIRST_NOTIFICATION";
    case REASON_NEW_ALERTS: return "NOTIFY_REASON_NEW_ALERTS_IN_GROUP";
    case REASON_SOME_RESOLVED: return "NOTIFY_REASON_NEW_RESOLVED_ALERTS";
    case REASON_ALL_RESOLVED: return "NOTIFY_REASON_ALL_ALERTS_RESOLVED";
    case REASON_REPEAT: return "NOTIFY_REASON_REPEAT_INTERVAL_ELAPSED";
    default: return NULL;
    }
}

static void tell_integration(struct json_writer *w, const struct outbox_row *r)
{
    json_key(w, S("integration"));
    json_open(w, '{');
    tell_text(w, "name", r->integration);
    tell_number(w, "index", r->index);
    json_close(w, '}');
}

static void tell_notified(struct json_writer *w, const struct notification *n)
{
    if (n->n_alerts == 0)
        return;
    json_key(w, S("alerts"));
    json_open(w, '[');
    for (size_t i = 0; i < n->n_alerts; i++) {
        json_open(w, '{');
        tell_number(w, "hash", labels_dedup_hash(n->alerts[i].labels));
        tell_alert(w, "details", &n->alerts[i]);
        json_close(w, '}');
    }
    json_close(w, ']');
}

void happened_delivered(struct engine *e, const struct outbox_row *r, struct now now,
                        struct effects *fx)
{
    void **slot = u64_map_get(&e->flushes, r->flush_id);
    const struct group *g = slot != NULL ? *slot : NULL;
    struct notification n;
    struct telling t;
    struct buf interval = BUF_INIT;

    (void)now;
    if (!is_recording(e) || !outbox_tells(r, &fx->arena, &n))
        return;
    telling_begin(&t, "notification");
    tell_notified(&t.w, &n);
    tell_hashes(&t.w, "firingAlerts", r->firing);
    tell_hashes(&t.w, "resolvedAlerts", r->resolved);
    tell_hashes(&t.w, "mutedAlerts", muted_of(g, &fx->arena));
    tell_group_of(&t, n.group_key, n.group_labels, n.receiver, g);
    buf_addf(&interval, "%lld", (long long)(r->repeat_interval / NS_PER_S));
    if (r->repeat_interval % NS_PER_S != 0)
        buf_addf(&interval, ".%03lld", (long long)(r->repeat_interval % NS_PER_S / NS_PER_MS));
    buf_addc(&interval, 's');
    json_put_text(&t.w, "repeatInterval", buf_str(&interval));
    buf_release(&interval);
    tell_text(&t.w, "reason", str_of(reason_name(n.reason)));
    tell_number(&t.w, "flushId", r->flush_id);
    tell_integration(&t.w, r);
    telling_end(&t, "notification", fx);
}

/* -- silences, and whom they and inhibitions keep back -- */

static void tell_silence(struct json_writer *w, const struct silence *s)
{
    json_key(w, S("silence"));
    json_open(w, '{');
    tell_text(w, "id", uuid_str(&s->id));
    if (s->n_sets != 0)
        tell_matchers(w, "matchers", &s->sets[0]);
    if (s->annotations.n != 0)
        tell_labels(w, "annotations", s->annotations);
    tell_time(w, "startsAt", s->starts_at);
    tell_time(w, "endsAt", s->ends_at);
    tell_time(w, "updatedAt", s->updated_at);
    tell_text(w, "createdBy", s->created_by);
    tell_text(w, "comment", s->comment);
    json_key(w, S("matcherSets"));
    json_open(w, '[');
    for (size_t i = 0; i < s->n_sets; i++) {
        json_open(w, '{');
        tell_matchers(w, "matchers", &s->sets[i]);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

void happened_silence(struct engine *e, const struct silence *s, bool is_new, struct effects *fx)
{
    struct telling t;

    if (!is_recording(e) || s == NULL)
        return;
    telling_begin(&t, is_new ? "silenceCreated" : "silenceUpdated");
    tell_silence(&t.w, s);
    telling_end(&t, is_new ? "silence_created" : "silence_updated", fx);
}

static void tell_muted(struct json_writer *w, const struct alert *a, struct arena *arena)
{
    json_key(w, S("mutedAlert"));
    json_open(w, '{');
    tell_labels(w, "labels", label_set_view(arena, a->labels));
    tell_number(w, "fingerprint", alert_fingerprint(a));
    json_close(w, '}');
}

static int equal_by_text(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static void tell_rule(struct json_writer *w, const struct inhibit_conf *r)
{
    json_open(w, '{');
    tell_matchers(w, "sourceMatchers", &r->source);
    tell_matchers(w, "targetMatchers", &r->target);
    if (r->n_equal != 0) {
        str *equal = mem_array(r->n_equal, sizeof(*equal));

        memcpy(equal, r->equal, r->n_equal * sizeof(*equal));
        qsort(equal, r->n_equal, sizeof(*equal), equal_by_text);
        json_key(w, S("equalLabels"));
        json_open(w, '[');
        for (size_t i = 0; i < r->n_equal; i++)
            json_put_str(w, equal[i]);
        json_close(w, ']');
        mem_free(equal);
    }
    json_close(w, '}');
}

static void happened_inhibited(struct engine *e, const struct alert *a,
                               const struct inhibition_list *by, struct effects *fx)
{
    struct telling t;
    char text[24];

    telling_begin(&t, "inhibitionMutedAlert");
    json_key(&t.w, S("inhibitRules"));
    json_open(&t.w, '[');
    for (size_t i = 0; i < by->n; i++)
        if (by->v[i].index < e->conf->n_inhibit_rules)
            tell_rule(&t.w, &e->conf->inhibit_rules[by->v[i].index]);
    json_close(&t.w, ']');
    tell_muted(&t.w, a, &fx->arena);
    json_key(&t.w, S("inhibitingFingerprints"));
    json_open(&t.w, '[');
    for (size_t i = 0; i < by->n; i++) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)by->v[i].fingerprint);
        json_put_str(&t.w, str_of(text));
    }
    json_close(&t.w, ']');
    telling_end(&t, "inhibition_muted_alert", fx);
}

void happened_held(struct engine *e, uint64_t fingerprint, const struct verdict *v,
                   struct effects *fx)
{
    const struct alert *a = is_recording(e) ? engine_alert(e, fingerprint) : NULL;

    if (a == NULL)
        return;
    if (v->held_by == HELD_BY_INHIBITION)
        happened_inhibited(e, a, &v->inhibited_by, fx);
    if (v->held_by != HELD_BY_SILENCE)
        return;
    VEC_EACH (const struct silence *const *, s, &v->silenced_by) {
        struct telling t;

        telling_begin(&t, "silenceMutedAlert");
        tell_silence(&t.w, *s);
        tell_muted(&t.w, a, &fx->arena);
        telling_end(&t, "silence_muted_alert", fx);
    }
}
