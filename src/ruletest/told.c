/* One instance on the stage runs the test's configurations without their rules: the case evaluates these. Whatever it would send
 * is noted, with its time, its alerts and its text; then each notification that is expected takes one away. */
#include "ruletest/told.h"

#include "codec/duration.h"
#include "codec/quote.h"
#include "codec/escape.h"
#include "model/matcher.h"
#include "model/silence.h"
#include "ruletest/told_text.h"
#include "stage/stage.h"

enum { SEED = 1, SHOWN_TEXT_MAX = 400 };
#define TOLD_MONO NS_PER_D /* as the rules' clock */

/* A message that went out. */
struct told_message {
    dur_ns at;
    str receiver, integration; /* the second as "sms[1]" where there are several */
    bool is_firing, is_matched;
    struct labels group;       /* of the first group that it tells of */
    VEC(str) alerts;           /* names, each once, sorted */
    VEC(struct labels) labels; /* of each alert */
    str text;
    VEC(struct template_definition) made_with;
};

struct told {
    struct ruletest *t;
    struct stage stage;
    struct stage_instance it;
    VEC(struct told_message) messages;
    VEC(struct template_definition) entered; /* since the last message */
    size_t alerts, silences;                 /* of the case that came in */
};

dur_ns told_lasts(const struct ruletest_case *c)
{
    dur_ns last = c->run_for;

    for (size_t i = 0; i < c->notifications.n; i++) {
        dur_ns end = c->notifications.v[i].until;

        last = end > last ? end : last;
    }
    return c->notifications.n != 0 && last == 0 ? NS_PER_S : last;
}

/* -- what goes out -- */

/* "sms", or "sms[1]" when the receiver has several of the kind. */
static str told_name_of(struct ruletest *t, const struct receiver_conf *rc,
                        const struct integration_conf *ic)
{
    size_t n = 0;

    for (size_t i = 0; i < rc->n_integrations; i++)
        n += rc->integrations[i].type == ic->type;
    return n == 1 ? str_of(ic->type->name)
                  : arena_printf(t->a, "%s[%u]", ic->type->name, ic->index);
}

static bool told_is_named(str name, const struct conf_strings *names)
{
    ptrdiff_t at = str_find(name, '[');

    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->v[i], name) ||
            (at >= 0 && str_eq(names->v[i], str_sub(name, 0, (size_t)at))))
            return true;
    return names->n == 0;
}

static bool is_out_of_order(const struct told *w, str receiver, str name, dur_ns at)
{
    const struct ruletest_case *c = w->t->test;

    for (size_t i = 0; i < c->outages.n; i++) {
        const struct ruletest_outage *o = &c->outages.v[i];

        if (str_eq(o->receiver, receiver) && told_is_named(name, &o->integrations) && at >= o->at &&
            at - o->at < o->lasts)
            return true;
    }
    return false;
}

static void told_add_alert(struct told_message *m, struct arena *a, const struct notified_alert *al)
{
    str name = labels_get(al->labels, S("alertname"));
    size_t i = 0;

    vec_push(&m->labels, labels_copy(a, al->labels));
    while (i < m->alerts.n && str_cmp(m->alerts.v[i], name) < 0)
        i++;
    if (i < m->alerts.n && str_eq(m->alerts.v[i], name))
        return;
    vec_push(&m->alerts, S(""));
    memmove(m->alerts.v + i + 1, m->alerts.v + i, (m->alerts.n - 1 - i) * sizeof(str));
    m->alerts.v[i] = arena_str(a, name);
}

static void told_entered(void *arg, const struct template_definition *d)
{
    struct told *w = arg;

    vec_push(&w->entered, *d);
}

static bool told_shown(void *arg, const struct notify_shown *x)
{
    struct told *w = arg;
    struct arena *a = w->t->a;
    const struct outbox_row *first = x->rows[0];
    struct told_message m = {.at = w->stage.now.mono - TOLD_MONO,
                             .receiver = arena_str(a, first->receiver)};
    const struct receiver_conf *rc = config_receiver(w->t->config, m.receiver);

    m.integration = told_name_of(w->t, rc, x->integration);
    if (is_out_of_order(w, m.receiver, m.integration, m.at))
        return false;
    for (size_t i = 0; i < x->n_rows; i++) {
        struct notification n;

        if (!outbox_tells(x->rows[i], a, &n))
            continue;
        m.is_firing |= n.n_firing != 0;
        if (i == 0)
            m.group = labels_copy(a, n.group_labels);
        for (size_t k = 0; k < n.n_alerts; k++)
            told_add_alert(&m, a, &n.alerts[k]);
    }
    m.text = told_text(a, x);
    VEC_EACH (const struct template_definition *, d, &w->entered)
        vec_push(&m.made_with, *d);
    w->entered.n = 0;
    vec_push(&w->messages, m);
    return true;
}

/* What no service would get to see: its own fault, or the configuration's. */
static void told_decided(void *arg, const struct decision *d)
{
    struct told *w = arg;

    if (d->kind != DECISION_FAILED)
        return;
    buf_adds(&w->t->failure, "  notification to ");
    buf_addf(&w->t->failure, "%.*s/%.*s failed, time ", STR(d->receiver), STR(d->integration));
    duration_print(&w->t->failure, (w->stage.now.mono - TOLD_MONO) / NS_PER_MS * NS_PER_MS);
    buf_addf(&w->t->failure, ": %.*s\n", STR(d->why));
}

/* Heartbeats, and other Alertmanagers, are content. */
static struct scripted_answer told_serve(void *arg, struct stage_instance *i,
                                         const struct scripted_request *rq)
{
    (void)arg, (void)i, (void)rq;
    return (struct scripted_answer){.status = 200};
}

/* -- what comes in -- */

struct told_arrival {
    struct told *w;
    const struct alert_input *v;
    size_t n;
    struct silence *silence;
};

static void told_arrive(void *arg)
{
    struct told_arrival *x = arg;
    struct event_result r = {0};
    struct event ev = {.kind = EVENT_ALERTS, .alerts = {.v = x->v, .n = x->n}};

    if (x->silence != NULL)
        ev = (struct event){.kind = EVENT_SILENCE_PUT, .silence = x->silence};
    shell_event(x->w->it.shell, &ev, &r);
    if (!r.ok && x->silence != NULL)
        buf_addf(&x->w->t->failure, "  input_silences: %s\n", r.err.msg);
    else if (!r.ok)
        buf_addf(&x->w->t->failure, "  an alert was refused: %.*s\n", STR(buf_str(&r.text)));
    buf_release(&r.text);
}

void told_alerts(struct told *w, const struct alert_input *v, size_t n)
{
    struct told_arrival x = {.w = w, .v = v, .n = n};

    if (n != 0)
        stage_turn(&w->it, told_arrive, &x);
}

static ts_ns wall_at(const struct told *w, dur_ns at)
{
    return ts_add(w->t->test->start, at);
}

static void told_put_alert(struct told *w, const struct ruletest_posted *p)
{
    struct alert_input in = {.labels = ruletest_labels(w->t->a, &p->labels),
                             .annotations = ruletest_labels(w->t->a, &p->annotations),
                             .starts_at = wall_at(w, p->at),
                             .ends_at = wall_at(w, p->at + p->lasts)};

    told_alerts(w, &in, 1);
}

static void put_silence(struct told *w, const struct ruletest_silence *s)
{
    struct silence *in = silence_new();
    struct told_arrival x = {.w = w, .silence = in};
    struct err e = ERR_INIT;
    str warning;

    in->sets = arena_new(&in->arena, struct matchers);
    in->n_sets = 1;
    if (!matchers_parse(arena_str(&in->arena, s->matchers), MATCHER_FALLBACK, &in->arena, in->sets,
                        &warning, &e)) {
        buf_addf(&w->t->failure, "  input_silences: %s\n", e.msg);
        silence_free(in);
        return;
    }
    in->starts_at = wall_at(w, s->at);
    in->ends_at = wall_at(w, s->at + s->lasts);
    in->created_by = in->comment = S("test");
    stage_turn(&w->it, told_arrive, &x);
}

static void go_to(struct told *w, dur_ns at)
{
    ts_ns end = TOLD_MONO + at, next;

    for (next = stage_next(&w->stage); next <= end; next = stage_next(&w->stage)) {
        stage_move(&w->stage, next);
        stage_turn(&w->it, NULL, NULL);
    }
    stage_move(&w->stage, end);
}

/* When the next of the test's own comes in, by then at the latest. */
static dur_ns next_input(const struct told *w, dur_ns by)
{
    const struct ruletest_case *c = w->t->test;

    if (w->alerts < c->posted.n && c->posted.v[w->alerts].at < by)
        by = c->posted.v[w->alerts].at;
    if (w->silences < c->silences.n && c->silences.v[w->silences].at < by)
        by = c->silences.v[w->silences].at;
    return by;
}

/* The lists are in the order of their times: ruletest_file.c. */
static void take_inputs(struct told *w, dur_ns at)
{
    const struct ruletest_case *c = w->t->test;

    for (; w->silences < c->silences.n && c->silences.v[w->silences].at <= at; w->silences++)
        put_silence(w, &c->silences.v[w->silences]);
    for (; w->alerts < c->posted.n && c->posted.v[w->alerts].at <= at; w->alerts++)
        told_put_alert(w, &c->posted.v[w->alerts]);
}

void told_until(struct told *w, dur_ns at)
{
    dur_ns next;

    do {
        next = next_input(w, at);
        go_to(w, next);
        take_inputs(w, next);
    } while (next < at);
}

/* -- what is expected -- */

static void begin_line(struct told *w, const char *sign, dur_ns at)
{
    buf_addf(&w->t->failure, "    %s ", sign);
    duration_print(&w->t->failure, at / NS_PER_MS * NS_PER_MS);
}

static void add_message(struct told *w, const struct told_message *m)
{
    struct buf *out = &w->t->failure;

    begin_line(w, "+", m->at);
    buf_addf(out, " %.*s/%.*s %s:", STR(m->receiver), STR(m->integration),
             m->is_firing ? "firing" : "resolved");
    VEC_EACH (const str *, name, &m->alerts)
        buf_addf(out, "%s%.*s", name != m->alerts.v ? ", " : " ", STR(*name));
    buf_adds(out, ", group ");
    labels_print(out, m->group);
    buf_addc(out, '\n');
}

static void add_expected(struct told *w, const struct ruletest_told *x, str integration)
{
    struct buf *out = &w->t->failure;

    begin_line(w, "-", x->at);
    if (x->until > x->at) {
        buf_adds(out, " to ");
        duration_print(out, x->until);
    }
    buf_addf(out, " %.*s/%.*s %.*s:", STR(x->receiver), STR(integration), STR(x->status));
    for (size_t i = 0; i < x->alerts.n; i++)
        buf_addf(out, "%s%.*s", i != 0 ? ", " : " ", STR(x->alerts.v[i]));
    if (x->group_labels.n != 0) {
        buf_adds(out, ", group ");
        labels_print(out, ruletest_labels(w->t->a, &x->group_labels));
    }
    buf_addc(out, '\n');
}

static bool has_alerts(const struct told_message *m, const struct conf_strings *want)
{
    for (size_t i = 0; i < m->alerts.n; i++)
        if (want->n != 0 && !told_is_named(m->alerts.v[i], want))
            return false;
    for (size_t i = 0; i < want->n; i++) {
        bool found = false;

        for (size_t k = 0; k < m->alerts.n; k++)
            found |= str_eq(m->alerts.v[k], want->v[i]);
        if (!found)
            return false;
    }
    return true;
}

static bool has_group(const struct told_message *m, const struct conf_map *want)
{
    for (size_t i = 0; i < want->n; i++)
        if (!str_eq(labels_get(m->group, want->v[i].name), want->v[i].value))
            return false;
    return true;
}

/* What of the text is missing; empty: nothing. */
static str told_lacks(const struct told_message *m, const struct ruletest_told *x)
{
    for (size_t i = 0; i < x->text.n; i++)
        if (str_find_str(m->text, x->text.v[i]) < 0)
            return x->text.v[i];
    return STR_NONE;
}

/* All but the text. Times are meant to the second. */
static bool is_expected(const struct told_message *m, const struct ruletest_told *x,
                        str integration)
{
    return !m->is_matched && str_eq(m->receiver, x->receiver) &&
           str_eq(m->integration, integration) && m->at >= x->at && m->at < x->until + NS_PER_S &&
           m->is_firing == str_is(x->status, "firing") && has_alerts(m, &x->alerts) &&
           has_group(m, &x->group_labels);
}

/* The rules whose alerts these are, and each route that they took to this receiver. */
static void told_reach(struct told *w, const struct told_message *m)
{
    VEC_EACH (const struct labels *, ls, &m->labels) {
        ruletest_reach_alert(w->t, *ls);
        ruletest_reach_routes(w->t, *ls, m->receiver);
    }
    VEC_EACH (const struct template_definition *, d, &m->made_with)
        ruletest_reach_text(w->t, d->file, d->name);
}

static void say_what_lacks(struct told *w, const struct told_message *m, str missing)
{
    str shown = str_sub(m->text, 0, SHOWN_TEXT_MAX);

    buf_adds(&w->t->failure, "      the text lacks ");
    quote_go(&w->t->failure, missing);
    buf_adds(&w->t->failure, "\n      it is ");
    quote_go(&w->t->failure, shown);
    if (shown.n < m->text.n)
        buf_adds(&w->t->failure, "...");
    buf_addc(&w->t->failure, '\n');
}

/* By one integration. */
static bool find_message(struct told *w, const struct ruletest_told *x, str integration)
{
    struct told_message *near = NULL;

    VEC_EACH (struct told_message *, m, &w->messages) {
        if (!is_expected(m, x, integration))
            continue;
        if (told_lacks(m, x).n != 0) {
            near = near == NULL ? m : near;
            continue;
        }
        m->is_matched = true;
        told_reach(w, m);
        return true;
    }
    add_expected(w, x, integration);
    if (near != NULL) {
        near->is_matched = true;
        say_what_lacks(w, near, told_lacks(near, x));
    }
    return false;
}

static bool told_find_all(struct told *w, const struct ruletest_told *x)
{
    const struct receiver_conf *rc = config_receiver(w->t->config, x->receiver);
    bool ok = true;
    size_t n = 0;

    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++) {
        const struct integration_conf *ic = &rc->integrations[i];
        str name = told_name_of(w->t, rc, ic);

        if (!told_is_named(name, &x->integrations) ||
            (x->integrations.n == 0 && str_is(x->status, "resolved") && !ic->send_resolved))
            continue;
        n++;
        ok &= find_message(w, x, name);
    }
    if (n != 0)
        return ok;
    buf_addf(&w->t->failure, "    - %.*s: %s\n", STR(x->receiver),
             rc == NULL ? "there is no such receiver" : "it has no such integration");
    return false;
}

void told_compare(struct told *w)
{
    const struct ruletest_case *c = w->t->test;
    size_t before = w->t->failure.n;
    bool ok = true;

    buf_adds(&w->t->failure, "  notifications:\n");
    for (size_t i = 0; i < c->notifications.n; i++)
        ok &= told_find_all(w, &c->notifications.v[i]);
    VEC_EACH (const struct told_message *, m, &w->messages)
        if (!m->is_matched) {
            add_message(w, m);
            ok = false;
        }
    if (ok)
        w->t->failure.n = before;
}

/* -- its life -- */

struct told *told_begin(struct ruletest *t)
{
    const struct ruletest_case *c = t->test;
    struct told *w;

    if (told_lasts(c) == 0)
        return NULL;
    if (t->config == NULL || t->config->route == NULL) {
        buf_adds(&t->failure, "  notification_test: no file of config_files has routes\n");
        return NULL;
    }
    w = mem_new(struct told);
    w->t = t;
    stage_init(&w->stage, SEED, (struct now){c->start, TOLD_MONO});
    stage_add(&w->stage, &w->it,
              &(struct stage_life){.serve = told_serve,
                                   .decided = told_decided,
                                   .shown = told_shown,
                                   .arg = w,
                                   .host = S("test"),
                                   .external_url = url_trim_slash(c->external_url)});
    template_set_watch(t->config->messages->set, told_entered, w);
    stage_begin(&w->it, config_ref(t->config));
    return w;
}

void told_end(struct told *w)
{
    if (w == NULL)
        return;
    stage_end(&w->it);
    template_set_watch(w->t->config->messages->set, NULL, NULL);
    stage_release(&w->stage);
    VEC_EACH (struct told_message *, m, &w->messages) {
        vec_release(&m->alerts);
        vec_release(&m->labels);
        vec_release(&m->made_with);
    }
    vec_release(&w->messages);
    vec_release(&w->entered);
    mem_free(w);
}
