#include "live/trial.h"

#include "base/mem.h"
#include "model/labels.h"

static const struct integration_conf *trial_find(void *arg, str receiver, str integration,
                                                 unsigned index, void **hold)
{
    const struct trial *t = arg;
    const struct receiver_conf *rc = config_receiver(t->conf, receiver);

    *hold = NULL;
    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++)
        if (str_is(integration, rc->integrations[i].type->name) &&
            rc->integrations[i].index == index)
            return &rc->integrations[i];
    return NULL;
}

static void trial_put_back(void *arg, void *hold)
{
    (void)arg, (void)hold;
}

static const struct messages *trial_messages(void *arg, void *hold)
{
    (void)hold;
    return ((const struct trial *)arg)->conf->messages;
}

static const struct delivery_pair *trial_kept(void *arg, str key, size_t *n)
{
    const struct trial *t = arg;

    *n = str_eq(key, t->kept_key) ? t->n_kept : 0;
    return t->kept;
}

static void trial_send(struct trial *t, const struct integration_conf *ic,
                       const struct notification *n)
{
    struct hash_list none = {NULL, 0};
    str key = arena_printf(&t->arena, "trial %zu", t->rows.n);

    vec_push(&t->rows, outbox_row_new(key, n, str_of(ic->type->name), ic->index, none, none, 0,
                                      t->clock->now));
    t->left++;
}

/* An incident or an issue, which stays open until somebody closes it: a message that can be edited may be of several groups. */
static bool trial_opens(const struct integration_conf *ic)
{
    return (ic->type->can & CAN_EDIT) != 0 && (ic->type->can & CAN_DIGEST) == 0;
}

/* What was opened is closed by the same group's end. */
static void trial_close(struct trial *t, const struct outbox_row *r, const struct notify_result *by)
{
    struct delivery_pair *kept = arena_array(&t->arena, by->n_kept, sizeof(*kept));
    struct notified_alert *v;
    struct notification n;
    void *hold;
    const struct integration_conf *ic = trial_find(t, r->receiver, r->integration, r->index, &hold);

    if (ic == NULL || !trial_opens(ic) || !outbox_tells(r, &t->arena, &n) || n.n_firing == 0)
        return;
    v = arena_copy(&t->arena, n.alerts, n.n_alerts, n.n_alerts, sizeof(*v));
    for (size_t i = 0; i < n.n_alerts; i++) {
        v[i].is_resolved = true;
        v[i].ends_at = t->clock->now.wall;
    }
    n.alerts = v;
    n.n_firing = 0;
    n.flush_id++;
    for (size_t i = 0; i < by->n_kept; i++)
        kept[i] = (struct delivery_pair){arena_str(&t->arena, by->kept[i].key),
                                         arena_str(&t->arena, by->kept[i].value)};
    t->kept = kept;
    t->n_kept = by->n_kept;
    trial_send(t, ic, &n);
    t->kept_key = (*vec_last(&t->rows))->key;
    notify_send(t->notify, (const struct outbox_row *const *)vec_last(&t->rows), 1);
}

static void trial_result(void *arg, const struct notify_result *r)
{
    struct trial *t = arg;
    struct notification n;
    struct trial_answer a = {.receiver = r->rows[0]->receiver,
                             .integration = r->rows[0]->integration,
                             .index = r->rows[0]->index,
                             .verdict = r->verdict,
                             .under_way = r->under_way,
                             .status = r->status,
                             .took = r->took,
                             .error = arena_str(&t->arena, r->error)};

    if (outbox_tells(r->rows[0], &t->arena, &n)) {
        a.group_key = n.group_key;
        a.is_resolved = n.n_firing == 0;
        a.closes = n.flush_id % 2 == 0;
    }
    vec_push(&t->answers, a);
    if (r->verdict == DELIVERY_OK)
        trial_close(t, r->rows[0], r);
    if (--t->left == 0) /* not from inside of the notifier, which the end frees */
        timer_arm(t->clock, &t->ended, t->clock->now.mono);
}

static void trial_ended(struct timer *timer, struct now now)
{
    struct trial *t = container_of(timer, struct trial, ended);

    (void)now;
    t->done(t->arg, t);
}

struct trial *trial_new(const struct trial_parts *p, struct config *conf)
{
    struct trial *t = mem_new(struct trial);
    struct notify_shell shell = {.find = trial_find,
                                 .put_back = trial_put_back,
                                 .messages = trial_messages,
                                 .kept = trial_kept,
                                 .result = trial_result,
                                 .arg = t,
                                 .external_url = p->external_url,
                                 .colour = p->colour,
                                 .shadow = p->shadow};

    arena_init(&t->arena, 0);
    t->conf = config_ref(conf);
    t->clock = p->clock;
    t->ended.fire = trial_ended;
    t->notify = notify_new(p->transport, p->clock, p->pool, &shell);
    return t;
}

void trial_free(struct trial *t)
{
    if (t == NULL)
        return;
    timer_cancel(t->clock, &t->ended);
    notify_free(t->notify);
    VEC_EACH (struct outbox_row **, r, &t->rows)
        outbox_row_free(*r);
    vec_release(&t->rows);
    vec_release(&t->answers);
    config_unref(t->conf);
    arena_release(&t->arena);
    mem_free(t);
}

void trial_add(struct trial *t, const struct integration_conf *ic, const struct notification *n)
{
    struct notification copy = *n;

    copy.flush_id = 2 * t->rows.n + 1; /* its end has the next one */
    trial_send(t, ic, &copy);
}

void trial_go(struct trial *t, void (*done)(void *arg, struct trial *t), void *arg)
{
    size_t n = t->rows.n;

    t->done = done;
    t->arg = arg;
    if (n == 0)
        timer_arm(t->clock, &t->ended, t->clock->now.mono);
    for (size_t i = 0; i < n; i++)
        notify_send(t->notify, (const struct outbox_row *const *)&t->rows.v[i], 1);
}

const char *trial_verdict(const struct trial_answer *a)
{
    return a->verdict == DELIVERY_OK       ? "delivered"
           : a->under_way                  ? "taken"
           : a->verdict == DELIVERY_FAILED ? "refused"
                                           : "failed";
}

bool trial_costs(const struct integration_conf *ic)
{
    return ic->type->costs != NULL && ic->type->costs(ic->conf);
}

/* -- the alert -- */

/* The one label alone. */
static struct labels trial_group_labels(struct arena *a, struct labels ls, str name)
{
    struct label *v = arena_array(a, 1, sizeof(*v));

    *v = (struct label){name, labels_get(ls, name)};
    return (struct labels){v, 1};
}

static str mark_of(const struct config *c, enum notify_act act)
{
    bool is_chinese = str_is(c->global.language, "zh");

    if (act == ACT_DRILL)
        return is_chinese ? S("[演练] ") : S("[DRILL] ");
    return is_chinese ? S("[测试] ") : S("[TEST] ");
}

/* Sorted, with those of the names marked; a name that is not there is added when it is what people read first. */
static struct labels marked(struct arena *a, struct labels ls, str mark, const char *const *names)
{
    struct label *v = arena_copy(a, ls.v, ls.n, ls.n + 1, sizeof(*v));
    size_t n = ls.n;
    str dup;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; names[k] != NULL; k++)
            if (str_is(v[i].name, names[k]) && !str_starts_with(v[i].value, mark))
                v[i].value = arena_printf(a, "%.*s%.*s", STR(mark), STR(v[i].value));
    if (!labels_has(ls, str_of(names[0])))
        v[n++] = (struct label){str_of(names[0]), str_trim(mark)};
    n = labels_sort_keep(v, n, &dup);
    return (struct labels){v, n != SIZE_MAX ? n : ls.n};
}

struct notified_alert trial_alert(struct arena *a, const struct config *c, enum notify_act act,
                                  struct labels ls, struct labels annotations, ts_ns at)
{
    static const char *const names[] = {"alertname", NULL};
    static const char *const texts[] = {"summary",    "description",    "message", "title",
                                        "summary_zh", "description_zh", NULL};
    str mark = mark_of(c, act);
    struct labels shown = marked(a, ls, mark, names);

    return (struct notified_alert){.labels = shown,
                                   .annotations = marked(a, annotations, mark, texts),
                                   .starts_at = at,
                                   .ends_at = TS_NONE,
                                   .fingerprint = labels_fingerprint(shown)};
}

struct notification trial_test_message(struct arena *a, const struct config *c, str receiver,
                                       struct labels ls, struct labels annotations,
                                       bool is_resolved, ts_ns at, struct notified_alert *alert)
{
    static const struct label usual[] = {{S_INIT("alertname"), S_INIT("TocsinTest")},
                                         {S_INIT("severity"), S_INIT("info")}};
    static const struct label said[] = {
        {S_INIT("summary"), S_INIT("a test by 'tocsin receiver test'")}};
    struct labels name;

    if (ls.n == 0 && annotations.n == 0)
        *alert = (struct notified_alert){.labels = {usual, ARRAY_LEN(usual)},
                                         .annotations = {said, ARRAY_LEN(said)},
                                         .starts_at = at,
                                         .fingerprint = 0x7e57};
    else
        *alert = trial_alert(a, c, ACT_TEST, ls, annotations, at);
    alert->is_resolved = is_resolved;
    alert->ends_at = is_resolved ? at : TS_NONE;
    name = trial_group_labels(a, alert->labels, S("alertname"));
    return (struct notification){.receiver = receiver,
                                 .group_key = S("{}:{alertname=\"TocsinTest\"}"),
                                 .group_labels = name,
                                 .act = ACT_TEST,
                                 .decided_at = at,
                                 .alerts = alert,
                                 .n_alerts = 1,
                                 .n_firing = !is_resolved};
}
