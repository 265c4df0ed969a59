/* What is made up: notifications, told from each other by what templates stumble over. */
#include "lint/lint_messages.h"

#include "base/arena.h"
#include "base/vec.h"
#include "model/labels.h"
#include "notify/messages.h"
#include "schema/schema.h"

enum { MANY = 15, MANY_FIRING = 12 };
#define MADE_AT (1767578400ll * NS_PER_S) /* 2026-01-05T02:00:00Z */

static const struct label english[] = {{S_INIT("alertname"), S_INIT("HighLatency")},
                                       {S_INIT("cluster"), S_INIT("prod")},
                                       {S_INIT("instance"), S_INIT("10.0.0.1:9100")},
                                       {S_INIT("job"), S_INIT("api")},
                                       {S_INIT("severity"), S_INIT("critical")}};
static const struct label english_notes[] = {
    {S_INIT("description"), S_INIT("p99 is 2.3 s on 10.0.0.1:9100")},
    {S_INIT("runbook_url"), S_INIT("http://runbooks/high-latency")},
    {S_INIT("summary"), S_INIT("requests are slow")}};
static const struct label chinese[] = {{S_INIT("alertname"), S_INIT("显存不足")},
                                       {S_INIT("instance"), S_INIT("gpu-01")},
                                       {S_INIT("job"), S_INIT("推理服务")},
                                       {S_INIT("severity"), S_INIT("严重")}};
static const struct label chinese_notes[] = {{S_INIT("description"), S_INIT("显存使用率 97%")},
                                             {S_INIT("summary"), S_INIT("显存即将耗尽")}};
static const struct label bare[] = {{S_INIT("alertname"), S_INIT("Bare")}};

#define OF(v) ((struct labels){(struct label *)(v), ARRAY_LEN(v)})

struct made_up_message {
    const char *what; /* "... fails when it tells of" */
    struct notification n;
    struct notified_alert v[MANY];
};

static void make_alert(struct notified_alert *al, struct labels labels, struct labels notes,
                       bool is_resolved)
{
    *al = (struct notified_alert){.labels = labels,
                                  .annotations = notes,
                                  .starts_at = MADE_AT - NS_PER_H,
                                  .ends_at = is_resolved ? MADE_AT : TS_NONE,
                                  .generator_url = S("http://prometheus/graph?g0.expr=up"),
                                  .fingerprint = labels_fingerprint(labels),
                                  .is_resolved = is_resolved};
}

static void make_up(struct made_up_message *m, const char *what, struct labels labels,
                    struct labels notes, size_t n, size_t n_firing)
{
    *m = (struct made_up_message){.what = what};
    for (size_t i = 0; i < n; i++)
        make_alert(&m->v[i], labels, notes, i >= n_firing);
    m->n = (struct notification){
        .receiver = S("receiver"),
        .group_key = S("{}:{alertname=\"HighLatency\"}"),
        .group_labels = {labels.v, 1},
        .reason = n_firing != 0 ? REASON_FIRST : REASON_ALL_RESOLVED,
        .decided_at = MADE_AT,
        .alerts = m->v,
        .n_alerts = n,
        .n_firing = n_firing,
    };
    notification_set_act(&m->n);
}

/* -- whose template it is -- */

static bool stands_behind(const struct diag_place *a, const struct diag_place *b)
{
    return str_eq(a->file, b->file) &&
           (a->line > b->line || (a->line == b->line && a->col >= b->col));
}

/* The entry that it stands in, or that it follows; NULL: no receiver's. */
static const struct integration_conf *lint_messages_entry(const struct config *c,
                                                          const struct diag_place *at)
{
    const struct integration_conf *found = NULL;

    for (size_t i = 0; i < c->n_receivers; i++)
        for (size_t k = 0; k < c->receivers[i].n_integrations; k++) {
            const struct integration_conf *ic = &c->receivers[i].integrations[k];

            if (stands_behind(at, &ic->place) &&
                (found == NULL || stands_behind(&ic->place, &found->place)))
                found = ic;
        }
    return found;
}

/* -- filling in -- */

static bool lint_messages_fill(const struct config *c, const struct conf_template *t,
                               const struct made_up_message *m, struct err *e)
{
    struct messages_context x = {
        .messages = c->messages, .n = &m->n, .external_url = S("http://tocsin"), .now = MADE_AT};
    struct arena a;
    str text;
    bool ok;

    arena_init(&a, 0);
    ok = messages_render(&x, t->text, t->is_html, &a, &text, e);
    arena_release(&a);
    return ok;
}

/* One word about a template is enough: the next made-up message often fails for the same reason. */
static void try_template(const struct config *c, bool has_all, const struct conf_template *t,
                         const struct made_up_message *m, size_t n, struct diags *d)
{
    const struct integration_conf *ic = lint_messages_entry(c, &t->place);

    for (size_t i = 0; i < n; i++) {
        struct err e = ERR_INIT;

        if ((m[i].n.n_firing == 0 && ic != NULL && !ic->send_resolved) ||
            lint_messages_fill(c, t, &m[i], &e))
            continue;
        if (!has_all && e.code == ERR_NOT_FOUND)
            return;
        diag_help(d,
                  diags_add(d, DIAG_WARNING, "C034", t->place, "the template fails for %s%s%s",
                            m[i].what, t->is_secret ? "" : ": ", t->is_secret ? "" : e.msg),
                  "Alertmanager sends nothing then; here the message goes out as a plain text that "
                  "says what failed");
        return;
    }
}

/* -- built-in texts: a file of `templates` may define a part of them anew -- */

struct lint_defaults {
    const struct config *c;
    bool has_all;
    const struct made_up_message *m;
    size_t n;
    VEC(const char *) seen;
    struct diags *d;
};

static bool default_is_seen(struct lint_defaults *l, const char *text)
{
    for (size_t i = 0; i < l->seen.n; i++)
        if (l->seen.v[i] == text)
            return true;
    vec_push(&l->seen, text);
    return false;
}

/* Those that the entry did not replace. */
static void try_defaults(struct lint_defaults *l, const struct integration_conf *ic)
{
    for (const struct conf_key *key = ic->type->conf->keys; key->name != NULL; key++) {
        str text = STR_NONE;

        if (key->kind != CONF_TEMPLATE || key->text == NULL)
            continue;
        memcpy(&text, (const char *)ic->conf + key->offset, sizeof(text));
        if (str_is(text, key->text) && !default_is_seen(l, key->text))
            try_template(l->c, l->has_all,
                         &(struct conf_template){.text = text,
                                                 .is_html = strcmp(key->name, "html") == 0,
                                                 .place = ic->place},
                         l->m, l->n, l->d);
    }
}

static void lint_messages_defaults(const struct config *c, bool has_all,
                                   const struct made_up_message *m, size_t n, struct diags *d)
{
    struct lint_defaults l = {.c = c, .has_all = has_all, .m = m, .n = n, .d = d};

    for (size_t i = 0; i < c->n_receivers; i++)
        for (size_t k = 0; k < c->receivers[i].n_integrations; k++)
            if (c->receivers[i].integrations[k].messages == NULL)
                try_defaults(&l, &c->receivers[i].integrations[k]);
    vec_release(&l.seen);
}

void lint_messages(const struct config *c, bool has_all, struct diags *d)
{
    struct made_up_message m[5];

    if (c->messages == NULL)
        return;
    make_up(&m[0], "a message of one alert", OF(english), OF(english_notes), 1, 1);
    make_up(&m[1], "a message that says it is over: none of its alerts fires", OF(english),
            OF(english_notes), 1, 0);
    make_up(&m[2], "a message of fifteen alerts", OF(english), OF(english_notes), MANY,
            MANY_FIRING);
    make_up(&m[3], "an alert without annotations and with no label but its name", OF(bare),
            LABELS_NONE, 1, 1);
    make_up(&m[4], "an alert in Chinese", OF(chinese), OF(chinese_notes), 1, 1);
    for (const struct conf_template *t = c->templates_given; t != NULL; t = t->next)
        try_template(c, has_all, t, m, ARRAY_LEN(m), d);
    lint_messages_defaults(c, has_all, m, ARRAY_LEN(m), d);
}
