/* readable.c - a notification as people want to read it (readable.h).
 *
 * A view is the data, in one markup. It is two types of objects, the message and one alert of it, whose fields are texts that are
 * ready to stand in a message. What a field gives is made when a template asks for it. */
#include "notify/readable.h"

#include <math.h>
#include <stdlib.h>
#include "codec/escape.h"
#include "model/labels.h"
#include "model/outbox.h"
#include "notify/markup.h"
#include "notify/words.h"
#include "template/time.h"

enum {
    READABLE_ALERTS = 10,
    TEXT_RUNES = 500,  /* of a description */
    LINE_RUNES = 200,  /* of a summary, or a title */
    VALUE_RUNES = 100, /* of a label */
    LABELS_SHOWN = 12,
    URL_LABELS_MAX = 1000, /* bytes */
    ALERT_BYTES = 300,     /* of an alert besides its texts: times, words and links */
    TIGHT_ROOM = 3000,
};

struct readable {
    const struct template_data *d;
    const struct notification *n; /* as it was decided; NULL: the data are from elsewhere */
    const struct notified_alert **sorted;
    size_t n_alerts, n_shown;
    struct labels group_labels, shared;
    const struct markup *m;
    struct words_counts counts;
};

struct readable_alert {
    const struct readable *r;
    const struct notified_alert *a;
};

static const struct tmpl_type readable_type, readable_alert_type;

static bool readable_is_digest(const struct readable *r)
{
    return r->n != NULL && r->n->n_groups != 0;
}

static bool readable_is_tight(const struct readable *r)
{
    return r->m->room != 0 && r->m->room < TIGHT_ROOM;
}

/* -- texts -- */

static struct tmpl_value readable_take(struct tmpl_env *env, const struct markup *m, struct buf *b)
{
    struct tmpl_value v = tv_copy_buf(env->a, b);

    if (m->is_html)
        v.type = &tmpl_safe_html;
    return v;
}

static struct tmpl_value readable_line(struct tmpl_env *env, const struct markup *m, str s,
                                       size_t max)
{
    struct buf plain = BUF_INIT, b = BUF_INIT;

    markup_plain(&plain, s, max);
    markup_text(&b, m, buf_str(&plain));
    buf_release(&plain);
    return readable_take(env, m, &b);
}

static str readable_annotation(const struct readable *r, const struct notified_alert *a,
                               const char *name, const char *name_zh)
{
    str s = r->d->is_chinese ? labels_get(a->annotations, str_of(name_zh)) : STR_NONE;

    return s.n != 0 ? s : labels_get(a->annotations, str_of(name));
}

static str readable_first(struct labels ls, const char *const *names)
{
    for (; *names != NULL; names++)
        if (labels_get(ls, str_of(*names)).n != 0)
            return labels_get(ls, str_of(*names));
    return STR_NONE;
}

static str readable_summary(const struct readable *r, const struct notified_alert *a)
{
    static const char *const others[] = {"title", "message", NULL};
    static const char *const labels[] = {"alertname", "instance", "job", NULL};
    str s = readable_annotation(r, a, "summary", "summary_zh");

    if (s.n == 0)
        s = readable_first(a->annotations, others);
    if (s.n == 0)
        s = readable_first(a->labels, labels);
    return s.n != 0 ? s : words_get("alert", r->d->is_chinese);
}

static str description_of(const struct readable *r, const struct notified_alert *a)
{
    str s = readable_annotation(r, a, "description", "description_zh");

    if (s.n == 0)
        s = labels_get(a->annotations, S("message"));
    return str_eq(s, readable_summary(r, a)) ? STR_NONE : s;
}

static str severity_of(const struct notified_alert *a)
{
    static const char *const names[] = {"severity", "priority", NULL};

    return readable_first(a->labels, names);
}

/* In front of everything: "Critical", or that it is over. */
static str readable_state(const struct readable *r, const struct notified_alert *a)
{
    str severity = words_severity(severity_of(a), r->d->is_chinese);

    if (a->is_resolved)
        return words_get("resolved", r->d->is_chinese);
    return severity.n != 0 ? severity : words_get("firing", r->d->is_chinese);
}

static const char *icon_of(const struct notified_alert *a)
{
    return a->is_resolved ? "✅" : words_icon(severity_of(a), labels_are_urgent(a->labels));
}

/* "🔴 **Critical**"; "[Critical]" where there are no bold letters. */
static void add_mark(struct buf *b, const struct readable *r, const struct notified_alert *a)
{
    struct buf state = BUF_INIT;

    markup_plain(&state, readable_state(r, a), 20);
    if (r->m->has_icons)
        buf_addf(b, "%s ", icon_of(a));
    if (r->m->bold[0] == '\0')
        buf_addc(b, '[');
    markup_bold(b, r->m, buf_str(&state));
    if (r->m->bold[0] == '\0')
        buf_addc(b, ']');
    buf_release(&state);
}

/* -- links -- */

static bool readable_is_own(const struct readable *r)
{
    return r->n == NULL || !r->n->is_relayed;
}

/* Addresses of the pages of Alertmanager, which are ours too. */
static str page_of(struct tmpl_env *env, const struct readable *r, const char *page,
                   struct labels ls, str more)
{
    struct buf b = BUF_INIT, filter = BUF_INIT;
    size_t bytes = 0;

    LABELS_EACH (l, ls)
        bytes += l->name.n + l->value.n;
    if (bytes > URL_LABELS_MAX)
        return STR_NONE;
    labels_print(&filter, ls);
    buf_addf(&b, "%.*s/#/%s?filter=", STR(r->d->external_url), page);
    escape_percent(&b, buf_str(&filter));
    buf_add(&b, more);
    buf_release(&filter);
    return arena_take(env->a, &b);
}

/* All that it is told by, or nothing: a silence of fewer labels hides more. */
static str readable_silence(struct tmpl_env *env, const struct readable *r, struct labels ls)
{
    str url;

    if (ls.n == 0)
        return STR_NONE;
    url = page_of(env, r, "silences/new", ls, STR_NONE);
    return markup_is_url(url) ? url : STR_NONE;
}

static str group_url(struct tmpl_env *env, const struct readable *r)
{
    struct buf b = BUF_INIT;
    str url;

    buf_adds(&b, "&receiver=");
    escape_percent(&b, r->d->receiver);
    url = page_of(env, r, "alerts", r->group_labels, buf_str(&b));
    buf_release(&b);
    return markup_is_url(url) ? url
                              : arena_printf(env->a, "%.*s/#/alerts", STR(r->d->external_url));
}

static str alert_silence(struct tmpl_env *env, const struct readable_alert *x)
{
    str url = x->a->is_resolved ? STR_NONE : readable_silence(env, x->r, x->a->labels);

    return url.n != 0 ? arena_printf(env->a, "%.*s&from=alert", STR(url)) : STR_NONE;
}

static str alert_explain(struct tmpl_env *env, const struct readable_alert *x)
{
    if (!readable_is_own(x->r))
        return STR_NONE;
    return arena_printf(env->a, "%.*s/#/alerts?alert=%016llx", STR(x->r->d->external_url),
                        (unsigned long long)x->a->fingerprint);
}

static str web_page(str url)
{
    return markup_is_url(url) ? url : STR_NONE;
}

static str alert_source(const struct readable_alert *x)
{
    return web_page(x->a->generator_url);
}

static str runbook_text(const struct readable_alert *x)
{
    return readable_annotation(x->r, x->a, "runbook", "runbook_zh");
}

static str alert_runbook(const struct readable_alert *x)
{
    str url = web_page(labels_get(x->a->annotations, S("runbook_url")));

    return url.n != 0 ? url : web_page(runbook_text(x));
}

static void add_link(struct buf *b, const struct readable *r, const char *word, str url)
{
    if (url.n == 0)
        return;
    if (b->n != 0)
        buf_add(b, str_of(r->m->between));
    markup_link(b, r->m, words_get(word, r->d->is_chinese), url);
}

/* -- labels -- */

static bool readable_shows(const struct readable *r, const struct label *l, bool shared)
{
    bool is_shared = labels_has(r->shared, l->name);

    return is_shared == shared && !str_is(l->name, "severity");
}

static struct tmpl_value readable_pairs(struct tmpl_env *env, const struct readable *r,
                                        struct labels ls, bool shared)
{
    struct label *v = arena_array(env->a, LABELS_SHOWN, sizeof(*v));
    size_t n = 0;

    LABELS_EACH (l, ls) {
        if (n == LABELS_SHOWN || !readable_shows(r, l, shared))
            continue;
        v[n++] = (struct label){readable_line(env, r->m, l->name, VALUE_RUNES).s,
                                readable_line(env, r->m, l->value, VALUE_RUNES).s};
    }
    return tv_labels(env->a, NULL, (struct labels){v, n});
}

/* "gpu: 3 · node: a" */
static struct tmpl_value readable_labels(struct tmpl_env *env, const struct readable *r,
                                         struct labels ls, bool shared)
{
    struct tmpl_value pairs = readable_pairs(env, r, ls, shared);
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < pairs.map.n; i++)
        buf_addf(&b, "%s%.*s: %.*s",
                 i == 0            ? ""
                 : r->m->has_icons ? " · "
                                   : ", ",
                 STR(pairs.map.v[i].key), STR(pairs.map.v[i].value.s));
    return readable_take(env, r->m, &b);
}

/* -- an alert -- */

#define ALERT_FIELD(name, expr)                                                                    \
    static void name(is_unused struct tmpl_env *env, const void *object, struct tmpl_value *out)   \
    {                                                                                              \
        const struct readable_alert *x = object;                                                   \
                                                                                                   \
        *out = expr;                                                                               \
    }

static struct tmpl_value alert_mark(struct tmpl_env *env, const struct readable_alert *x)
{
    struct buf b = BUF_INIT;

    add_mark(&b, x->r, x->a);
    return readable_take(env, x->r->m, &b);
}

/* "Critical: GPU 3 is gone" */
static str readable_whole_line(struct tmpl_env *env, const struct readable *r,
                               const struct notified_alert *a)
{
    struct buf b = BUF_INIT;

    markup_plain(&b, readable_state(r, a), 20);
    buf_add(&b, r->d->is_chinese ? S("：") : S(": "));
    markup_plain(&b, readable_summary(r, a), LINE_RUNES);
    return arena_take(env->a, &b);
}

static struct tmpl_value alert_line(struct tmpl_env *env, const struct readable_alert *x)
{
    return readable_line(env, x->r->m, readable_whole_line(env, x->r, x->a), SIZE_MAX);
}

static struct tmpl_value alert_link_line(struct tmpl_env *env, const struct readable_alert *x)
{
    bool is_tight = readable_is_tight(x->r);
    struct buf b = BUF_INIT;

    add_link(&b, x->r, "explain", alert_explain(env, x));
    add_link(&b, x->r, "runbook", alert_runbook(x));
    if (!is_tight || x->r->n_alerts == 1) {
        add_link(&b, x->r, "silence", alert_silence(env, x));
        add_link(&b, x->r, "source", alert_source(x));
    }
    if (x->r->n_alerts == 1)
        add_link(&b, x->r, "group", group_url(env, x->r));
    return readable_take(env, x->r->m, &b);
}

static void readable_add_time(struct buf *b, struct tmpl_env *env, ts_ns t)
{
    tmpl_time_format(b, tmpl_time_at(t, env->zone), S("2006-01-02 15:04:05 MST"));
}

/* "Since 2026-01-01 08:00:00 CST (for 5m)", "Ended 2026-01-01 08:05:00 CST (lasted 5m)" */
static struct tmpl_value alert_when(struct tmpl_env *env, const struct readable_alert *x)
{
    bool zh = x->r->d->is_chinese, is_over = x->a->is_resolved;
    ts_ns until = is_over ? x->a->ends_at : env->now;
    struct buf b = BUF_INIT;

    buf_addf(&b, zh ? "%.*s：" : "%.*s ", STR(words_get(is_over ? "until" : "since", zh)));
    readable_add_time(&b, env, is_over ? x->a->ends_at : x->a->starts_at);
    if (x->a->starts_at != TS_NONE && until != TS_NONE && until > x->a->starts_at) {
        buf_addf(&b, zh ? "（%.*s " : " (%.*s ", STR(words_get(is_over ? "lasted" : "for", zh)));
        words_duration(&b, until - x->a->starts_at, zh);
        buf_add(&b, zh ? S("）") : S(")"));
    }
    return readable_take(env, x->r->m, &b);
}

/* Of what has been told before only what is new is said. */
static str alert_change_word(const struct readable_alert *x)
{
    const struct words_counts *c = &x->r->counts;

    if (c->is_first || x->r->n == NULL || x->r->n_alerts == 1)
        return STR_NONE;
    return x->a->change == CHANGE_ADDED ? words_get("new", x->r->d->is_chinese)
           : x->a->change == CHANGE_RESOLVED && c->firing != 0
               ? words_get("ended", x->r->d->is_chinese)
               : STR_NONE;
}

/* As people read it: four digits and no more, whole from a thousand on. */
static str number_text(struct arena *a, double v)
{
    bool is_plain = v == 0 || (fabs(v) >= 1e-4 && fabs(v) < 1e15);

    return arena_printf(a, is_plain && fabs(v) >= 1000 ? "%.0f" : "%.4g", v);
}

/* What an annotation says, else what the rule's expression gave. Of what is over that which it was then
 * (notifications.value_at_resolve). */
static str alert_value(struct tmpl_env *env, const struct readable_alert *x)
{
    static const char *const names[] = {"value", "current_value", NULL};
    str said = x->a->is_resolved ? labels_get(x->a->annotations, S("value_at_resolve"))
                                 : readable_first(x->a->annotations, names);

    return said.n == 0 && x->a->has_value && !x->a->is_resolved ? number_text(env->a, x->a->value)
                                                                : said;
}

/* In a small message a description is for an alert that is alone; what is over needs none. */
static str alert_description(const struct readable_alert *x)
{
    return x->a->is_resolved || (readable_is_tight(x->r) && x->r->n_alerts > 1)
               ? STR_NONE
               : description_of(x->r, x->a);
}

static str alert_action(const struct readable_alert *x)
{
    return x->a->is_resolved ? STR_NONE : readable_annotation(x->r, x->a, "action", "action_zh");
}

static str alert_runbook_text(const struct readable_alert *x)
{
    return x->a->is_resolved || alert_runbook(x).n != 0 ? STR_NONE : runbook_text(x);
}

#define ALERT_LINE(name, expr, max) ALERT_FIELD(name, readable_line(env, x->r->m, expr, max))
ALERT_FIELD(ra_mark, alert_mark(env, x))
ALERT_FIELD(ra_is_resolved, tv_bool(x->a->is_resolved))
ALERT_FIELD(ra_is_urgent, tv_bool(labels_are_urgent(x->a->labels)))
ALERT_FIELD(ra_severity, tv_str(severity_of(x->a)))
ALERT_FIELD(ra_when, alert_when(env, x))
ALERT_FIELD(ra_labels, readable_labels(env, x->r, x->a->labels, false))
ALERT_FIELD(ra_pairs, readable_pairs(env, x->r, x->a->labels, false))
ALERT_FIELD(ra_links, alert_link_line(env, x))
ALERT_FIELD(ra_change, tv_str(alert_change_word(x)))
ALERT_FIELD(ra_explain_url, tv_str(alert_explain(env, x)))
ALERT_FIELD(ra_silence_url, tv_str(alert_silence(env, x)))
ALERT_FIELD(ra_source_url, tv_str(alert_source(x)))
ALERT_FIELD(ra_runbook_url, tv_str(alert_runbook(x)))
ALERT_LINE(ra_state, readable_state(x->r, x->a), 20)
ALERT_FIELD(ra_line, alert_line(env, x))
ALERT_LINE(ra_summary, readable_summary(x->r, x->a), LINE_RUNES)
ALERT_LINE(ra_description, alert_description(x), TEXT_RUNES)
ALERT_LINE(ra_value, alert_value(env, x), VALUE_RUNES)
ALERT_LINE(ra_action, alert_action(x), TEXT_RUNES)
ALERT_LINE(ra_runbook, alert_runbook_text(x), TEXT_RUNES)

static const struct tmpl_field readable_alert_fields[] = {
    {"Mark", NULL, ra_mark},
    {"State", NULL, ra_state},
    {"IsResolved", NULL, ra_is_resolved},
    {"IsUrgent", NULL, ra_is_urgent},
    {"Severity", NULL, ra_severity},
    {"Line", NULL, ra_line},
    {"Summary", NULL, ra_summary},
    {"Change", NULL, ra_change},
    {"When", NULL, ra_when},
    {"Value", NULL, ra_value},
    {"Description", NULL, ra_description},
    {"Action", NULL, ra_action},
    {"Runbook", NULL, ra_runbook},
    {"Labels", NULL, ra_labels},
    {"Pairs", NULL, ra_pairs},
    {"Links", NULL, ra_links},
    {"ExplainURL", NULL, ra_explain_url},
    {"SilenceURL", NULL, ra_silence_url},
    {"SourceURL", NULL, ra_source_url},
    {"RunbookURL", NULL, ra_runbook_url},
    {NULL, NULL, NULL},
};

/* -- the message -- */

static size_t alert_rank(const struct notified_alert *a)
{
    return (a->is_resolved ? 2u : 0u) + (labels_are_urgent(a->labels) ? 0u : 1u);
}

static int readable_by_rank(const void *x, const void *y)
{
    const struct notified_alert *a = *(const struct notified_alert *const *)x,
                                *b = *(const struct notified_alert *const *)y;
    size_t ra = alert_rank(a), rb = alert_rank(b);

    if (ra != rb)
        return ra < rb ? -1 : 1;
    return a < b ? -1 : a > b; /* as they were: by job and instance */
}

/* What an alert takes of the room, about. */
static size_t alert_bytes(struct tmpl_env *env, const struct readable_alert *x)
{
    return readable_line(env, x->r->m, readable_summary(x->r, x->a), LINE_RUNES).s.n +
           readable_line(env, x->r->m, alert_description(x), TEXT_RUNES).s.n +
           readable_labels(env, x->r, x->a->labels, false).s.n + alert_runbook(x).n + ALERT_BYTES;
}

static size_t readable_count_shown(struct tmpl_env *env, const struct readable *r)
{
    size_t n = 0, used = 0, most = r->n_alerts < READABLE_ALERTS ? r->n_alerts : READABLE_ALERTS;

    for (; n < most; n++) {
        const struct readable_alert x = {r, r->sorted[n]};

        used += alert_bytes(env, &x);
        if (n != 0 && r->m->room != 0 && used > r->m->room)
            break;
    }
    return n;
}

static void readable_count(struct readable *r)
{
    struct words_counts *c = &r->counts;

    for (size_t i = 0; i < r->n_alerts; i++) {
        c->firing += !r->sorted[i]->is_resolved;
        c->resolved += r->sorted[i]->is_resolved;
        c->added += r->sorted[i]->change == CHANGE_ADDED;
    }
    c->is_first = r->n == NULL || r->n->reason == REASON_FIRST || c->added == c->firing;
    c->is_repeat = r->n != NULL && r->n->reason == REASON_REPEAT;
}

static struct readable *readable_new(struct tmpl_env *env, const struct template_data *d,
                                     const struct markup *m)
{
    struct readable *r = arena_new(env->a, struct readable);
    const struct notification *n = d->n != NULL && d->n->as_it_was != NULL ? d->n->as_it_was : d->n;
    const struct notified_alert *alerts = n != NULL ? n->alerts : d->alerts;

    *r = (struct readable){.d = d,
                           .n = n,
                           .n_alerts = d->n_alerts,
                           .m = m,
                           .group_labels = n != NULL ? n->group_labels : d->group_labels,
                           .sorted = arena_array(env->a, d->n_alerts, sizeof(*r->sorted))};
    for (size_t i = 0; i < r->n_alerts; i++)
        r->sorted[i] = &alerts[i];
    if (r->n_alerts > 1)
        qsort(r->sorted, r->n_alerts, sizeof(*r->sorted), readable_by_rank);
    if (r->n_alerts > 1) /* of one alert all are its own */
        r->shared = d->common_labels;
    readable_count(r);
    r->n_shown = readable_count_shown(env, r);
    return r;
}

#define MESSAGE_FIELD(name, expr)                                                                  \
    static void name(is_unused struct tmpl_env *env, const void *object, struct tmpl_value *out)   \
    {                                                                                              \
        const struct readable *r = object;                                                         \
                                                                                                   \
        *out = expr;                                                                               \
    }

/* "Critical: GPU 3 is gone (+2)": of those that fire, or of all when none does. */
static str title_of(struct tmpl_env *env, const struct readable *r)
{
    size_t of = r->counts.firing != 0 ? r->counts.firing : r->counts.resolved;
    str line;

    if (r->n_alerts == 0)
        return r->d->receiver;
    line = readable_whole_line(env, r, r->sorted[0]);
    return of > 1 ? arena_printf(env->a, "%.*s (+%zu)", STR(line), of - 1) : line;
}

static struct tmpl_value message_counts(struct tmpl_env *env, const struct readable *r)
{
    struct buf b = BUF_INIT;

    words_counts(&b, r->counts, r->d->is_chinese);
    return readable_take(env, r->m, &b);
}

static struct tmpl_value message_more(struct tmpl_env *env, const struct readable *r)
{
    size_t n = r->n_alerts - r->n_shown;

    if (n == 0)
        return tv_str(S(""));
    return tv_str(arena_printf(env->a, r->d->is_chinese ? "还有 %zu 条" : "and %zu more", n));
}

static struct tmpl_value message_actors(struct tmpl_env *env, const struct readable *r)
{
    bool is_ack = r->n != NULL && r->n->act == ACT_ACKED, zh = r->d->is_chinese;
    struct buf b = BUF_INIT;

    if (r->n == NULL || r->n->n_actors == 0)
        return tv_str(S(""));
    buf_addf(&b, zh ? "%.*s" : "%.*s ", STR(words_get(is_ack ? "acked" : "update", zh)));
    for (size_t i = 0; i < r->n->n_actors; i++)
        buf_addf(&b, "%s%.*s", i != 0 ? ", " : "",
                 STR(readable_line(env, r->m, r->n->actors[i], VALUE_RUNES).s));
    return readable_take(env, r->m, &b);
}

static struct tmpl_value message_alerts(struct tmpl_env *env, const struct readable *r)
{
    struct readable_alert *x = arena_array(env->a, r->n_shown, sizeof(*x));
    struct tmpl_value *v = arena_array(env->a, r->n_shown, sizeof(*v));

    for (size_t i = 0; i < r->n_shown; i++) {
        x[i] = (struct readable_alert){r, r->sorted[i]};
        v[i] = tv_object(&readable_alert_type, &x[i]);
    }
    return tv_list(NULL, v, r->n_shown);
}

static str group_silence(struct tmpl_env *env, const struct readable *r)
{
    if (r->counts.firing == 0 || readable_is_digest(r)) /* what groups have in common is too much */
        return STR_NONE;
    return readable_silence(env, r, r->group_labels);
}

static struct tmpl_value message_links(struct tmpl_env *env, const struct readable *r)
{
    struct buf b = BUF_INIT;

    if (r->n_alerts == 1 && !readable_is_digest(r)) /* they stand with its own */
        return tv_str(S(""));
    add_link(&b, r, readable_is_digest(r) ? "all" : "group", group_url(env, r));
    add_link(&b, r, "silence_group", group_silence(env, r));
    return readable_take(env, r->m, &b);
}

/* What a group is called in a digest: its labels, alertname first. */
static struct tmpl_value message_name(struct tmpl_env *env, const struct readable *r)
{
    struct buf b = BUF_INIT;
    struct tmpl_value v;

    buf_add(&b, labels_get(r->group_labels, S("alertname")));
    LABELS_EACH (l, r->group_labels)
        if (!str_is(l->name, "alertname"))
            buf_addf(&b, "%s%.*s", b.n != 0 ? " " : "", STR(l->value));
    v = readable_line(env, r->m, buf_str(&b), LINE_RUNES);
    buf_release(&b);
    return v;
}

static struct tmpl_value message_heading(struct tmpl_env *env, const struct readable *r)
{
    struct buf b = BUF_INIT;

    if (r->m->has_icons && r->n_alerts != 0)
        buf_addf(&b, "%s ", icon_of(r->sorted[0]));
    markup_bold(&b, r->m, title_of(env, r));
    return readable_take(env, r->m, &b);
}

MESSAGE_FIELD(rm_title, readable_line(env, r->m, title_of(env, r), SIZE_MAX))
MESSAGE_FIELD(rm_heading, message_heading(env, r))
MESSAGE_FIELD(rm_counts, message_counts(env, r))
MESSAGE_FIELD(rm_alerts, message_alerts(env, r))
MESSAGE_FIELD(rm_more, message_more(env, r))
MESSAGE_FIELD(rm_actors, message_actors(env, r))
MESSAGE_FIELD(rm_labels, readable_labels(env, r, r->shared, true))
MESSAGE_FIELD(rm_pairs, readable_pairs(env, r, r->shared, true))
MESSAGE_FIELD(rm_links, message_links(env, r))
MESSAGE_FIELD(rm_name, message_name(env, r))
MESSAGE_FIELD(rm_is_alone, tv_bool(r->n_alerts == 1))
MESSAGE_FIELD(rm_is_chinese, tv_bool(r->d->is_chinese))
MESSAGE_FIELD(rm_group_url, tv_str(group_url(env, r)))
MESSAGE_FIELD(rm_silence_url, tv_str(group_silence(env, r)))
MESSAGE_FIELD(rm_data, template_data_value(r->d))

static const struct tmpl_field readable_fields[] = {
    {"Title", NULL, rm_title},        {"Heading", NULL, rm_heading},
    {"Counts", NULL, rm_counts},      {"Alerts", NULL, rm_alerts},
    {"More", NULL, rm_more},          {"Actors", NULL, rm_actors},
    {"Labels", NULL, rm_labels},      {"Pairs", NULL, rm_pairs},
    {"Links", NULL, rm_links},        {"Name", NULL, rm_name},
    {"IsAlone", NULL, rm_is_alone},   {"IsChinese", NULL, rm_is_chinese},
    {"GroupURL", NULL, rm_group_url}, {"SilenceURL", NULL, rm_silence_url},
    {"Data", NULL, rm_data},          {NULL, NULL, NULL},
};

/* -- methods of both -- */

static const struct readable *readable_of(const struct tmpl_value *v)
{
    return v->type == &readable_alert_type ? ((const struct readable_alert *)v->object)->r
                                           : v->object;
}

#define READABLE_METHOD(name)                                                                      \
    static bool name(is_unused struct tmpl_env *env, const struct tmpl_value *args,                \
                     is_unused size_t n, struct tmpl_value *out, is_unused struct err *e)

READABLE_METHOD(readable_word)
{
    str word;

    if (!words_has(args[1].s, readable_of(&args[0])->d->is_chinese, &word))
        return err_set(e, ERR_INVALID, "there is no word \"%.*s\"", STR(args[1].s));
    *out = tv_str(word);
    return true;
}

READABLE_METHOD(readable_end)
{
    *out = tv_str(str_of(readable_of(&args[0])->m->line_end));
    return true;
}

/* " (new)", with the brackets of the language. */
READABLE_METHOD(readable_aside)
{
    const struct readable *r = readable_of(&args[0]);
    struct buf b = BUF_INIT;

    if (args[1].kind != TV_STRING)
        return err_set(e, ERR_INVALID, "text is expected between brackets");
    buf_addf(&b, r->d->is_chinese ? "（%.*s）" : " (%.*s)", STR(args[1].s));
    *out = readable_take(env, r->m, &b);
    return true;
}

READABLE_METHOD(readable_colon)
{
    *out = tv_str(readable_of(&args[0])->d->is_chinese ? S("：") : S(": "));
    return true;
}

/* "Value: 3", with the colon of the language. */
READABLE_METHOD(readable_named)
{
    const struct readable *r = readable_of(&args[0]);
    struct buf b = BUF_INIT;

    if (args[2].kind != TV_STRING)
        return err_set(e, ERR_INVALID, "text is expected behind \"%.*s\"", STR(args[1].s));
    if (!readable_word(env, args, n, out, e))
        return false;
    markup_bold(&b, r->m, out->s);
    buf_add(&b, r->d->is_chinese ? S("：") : S(": "));
    buf_add(&b, args[2].s);
    *out = readable_take(env, r->m, &b);
    return true;
}

READABLE_METHOD(readable_groups)
{
    const struct readable *r = readable_of(&args[0]);
    struct tmpl_value all = template_data_groups(env, r->d), *v;

    v = arena_array(env->a, all.list.n, sizeof(*v));
    for (size_t i = 0; i < all.list.n; i++)
        v[i] = tv_object(&readable_type, readable_new(env, all.list.v[i].object, r->m));
    *out = tv_list(NULL, v, all.list.n);
    return true;
}

static const struct tmpl_func readable_methods[] = {
    {"Word", "s", readable_word, "a word of the messages, in their language"},
    {"Colon", "", readable_colon, "the colon of the language"},
    {"Aside", "a", readable_aside, "a text of this message in brackets"},
    {"Named", "sa", readable_named, "a text of this message behind a word"},
    {"End", "", readable_end, "the end of a line"},
    {"Groups", "", readable_groups, "of a digest, each group"},
    {NULL, NULL, NULL, NULL},
};
static const struct tmpl_type readable_type = {
    .name = "readable message", .fields = readable_fields, .methods = readable_methods};
static const struct tmpl_type readable_alert_type = {
    .name = "readable alert", .fields = readable_alert_fields, .methods = readable_methods};

bool readable_in(struct tmpl_env *env, const struct template_data *d, str markup,
                 struct tmpl_value *out, struct err *e)
{
    const struct markup *m = markup_find(markup);

    if (m == NULL)
        return err_set(e, ERR_INVALID, "there is no markup \"%.*s\"", STR(markup));
    *out = tv_object(&readable_type, readable_new(env, d, m));
    return true;
}
