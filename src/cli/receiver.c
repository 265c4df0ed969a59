/* tocsin receiver test NAME: sends a made-up alert through each integration of a receiver, as serve would, and says what
 * came back. It uses the configuration, not a running server: nothing is stored, nobody else is told. */
#include "cli/receiver.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "os/descriptors.h"
#include "os/log.h"
#include "cli/config_paths.h"
#include "cli/say.h"
#include "cli/web_url.h"
#include "config/config.h"
#include "lint/render.h"
#include "os/loop.h"
#include "notify/notify.h"

#define F struct receiver_flags
const struct flag receiver_test_flags[] = {
    FLAG(F, config_files, "config.file", FLAG_LIST, "alertmanager.yml", "FILE",
         "configuration; several files are merged"),
    FLAG(F, external_url, "web.external-url", FLAG_TEXT, "http://localhost:9093", "URL",
         "what links in messages point to"),
    FLAG(F, resolved, "resolved", FLAG_BOOL, NULL, NULL, "send the alert as resolved"),
    FLAGS_END,
};
#undef F

struct testing {
    struct config *conf;
    struct loop *loop;
    size_t left;
    int code;
};

static const struct integration_conf *receiver_find(void *arg, str receiver, str integration,
                                                    unsigned index, void **hold)
{
    struct testing *t = arg;
    const struct receiver_conf *rc = config_receiver(t->conf, receiver);

    *hold = NULL;
    for (size_t i = 0; rc != NULL && i < rc->n_integrations; i++)
        if (str_is(integration, rc->integrations[i].type->name) &&
            rc->integrations[i].index == index)
            return &rc->integrations[i];
    return NULL;
}

static void receiver_put_back(void *arg, void *hold)
{
    (void)arg;
    (void)hold;
}

static const struct messages *receiver_messages(void *arg, void *hold)
{
    (void)hold;
    return ((const struct testing *)arg)->conf->messages;
}

static void result(void *arg, const struct notify_result *r)
{
    const struct outbox_row *row = r->rows[0];
    struct testing *t = arg;

    if (r->verdict == DELIVERY_OK) {
        say(stdout, "%.*s[%u]: delivered", STR(row->integration), row->index);
    } else {
        say(stdout, "%.*s[%u]: %s: %.*s", STR(row->integration), row->index,
            r->verdict == DELIVERY_FAILED ? "refused for good" : "failed, would be tried again",
            STR(r->error));
        t->code = EXIT_FAILED;
    }
    if (r->status != 0)
        say(stdout, " (status %d, %lld ms)", r->status, (long long)(r->took / NS_PER_MS));
    putchar('\n');
    fflush(stdout);
    if (--t->left == 0)
        loop_stop(t->loop);
}

static void receiver_deliver(struct testing *t, const struct receiver_conf *rc, str external_url,
                             const struct receiver_flags *f)
{
    static const struct label labels[] = {{S_INIT("alertname"), S_INIT("TocsinTest")},
                                          {S_INIT("severity"), S_INIT("info")}};
    static const struct label annotations[] = {
        {S_INIT("summary"), S_INIT("a test by 'tocsin receiver test'")}};
    struct clock clock;
    struct descriptors descriptors;
    struct notify_shell shell = {.find = receiver_find,
                                 .put_back = receiver_put_back,
                                 .messages = receiver_messages,
                                 .result = result,
                                 .arg = t,
                                 .external_url = external_url,
                                 .colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL};
    VEC(struct outbox_row *) sent = VEC_INIT;
    struct transport *transport;
    struct notify *notify;

    clock_init(&clock);
    clock_update(&clock);
    t->loop = loop_new(&clock);
    descriptors_share(&descriptors);
    transport = transport_new_curl(loop_base(t->loop), &clock, descriptors.transfers);
    notify = notify_new(transport, &clock, NULL, &shell);
    t->left = rc->n_integrations;
    for (size_t i = 0; i < rc->n_integrations; i++) {
        const struct integration_conf *ic = &rc->integrations[i];
        struct notified_alert alert = {.labels = {labels, ARRAY_LEN(labels)},
                                       .annotations = {annotations, ARRAY_LEN(annotations)},
                                       .starts_at = clock.now.wall,
                                       .ends_at = f->resolved ? clock.now.wall : TS_NONE,
                                       .fingerprint = 0x7e57,
                                       .is_resolved = f->resolved};
        struct notification n = {.receiver = rc->name,
                                 .group_key = S("{}:{alertname=\"TocsinTest\"}"),
                                 .group_labels = {labels, 1},
                                 .act = ACT_TEST,
                                 .decided_at = clock.now.wall,
                                 .flush_id = i + 1,
                                 .alerts = &alert,
                                 .n_alerts = 1,
                                 .n_firing = !f->resolved};
        struct hash_list none = {NULL, 0};

        vec_push(&sent, outbox_row_new(S("test"), &n, str_of(ic->type->name), ic->index, none, none,
                                       0, clock.now));
        notify_send(notify, (const struct outbox_row *const *)vec_last(&sent), 1);
    }
    if (t->left != 0)
        loop_run(t->loop);
    notify_free(notify);
    VEC_EACH (struct outbox_row **, r, &sent)
        outbox_row_free(*r);
    vec_release(&sent);
    transport_free(transport);
    loop_free(t->loop);
    clock_release(&clock);
}

static void say_no_receiver(const struct config *c, str name)
{
    str *names = mem_array(c->n_receivers, sizeof(*names));
    const str *near;

    for (size_t i = 0; i < c->n_receivers; i++)
        names[i] = c->receivers[i].name;
    near = str_nearest(name, names, c->n_receivers);
    say(stderr, "tocsin: there is no receiver '%.*s'", STR(name));
    if (near != NULL)
        say(stderr, ", did you mean '%.*s'?", STR(*near));
    say(stderr, "\n");
    mem_free(names);
}

int receiver_test_run(const void *flags, char **args, int n_args)
{
    const struct receiver_flags *f = flags;
    struct config_options o = {.without_rules = true};
    str *paths = config_paths(f->config_files, &o.n_paths);
    struct testing t = {.code = EXIT_OK};
    const struct receiver_conf *rc;
    struct err e = ERR_INIT;
    struct arena a;
    struct diags d;
    str url, path;

    if (n_args != 1) {
        say(stderr, "tocsin: receiver test needs one name\n");
        mem_free(paths);
        return EXIT_USAGE;
    }
    log_setup(LOG_ERROR, LOG_LOGFMT, STDERR_FILENO);
    diags_init(&d);
    o.paths = paths;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    t.conf = config_load(&o, &d);
    if (t.conf == NULL)
        diags_print(stderr, &d);
    rc = t.conf != NULL ? config_receiver(t.conf, str_of(args[0])) : NULL;
    arena_init(&a, 0);
    if (rc != NULL && !web_url_parse(str_of(f->external_url), &a, &url, &path, &e)) {
        say(stderr, "tocsin: --web.external-url: %s\n", e.msg);
        t.code = EXIT_USAGE;
    } else if (rc != NULL) {
        receiver_deliver(&t, rc, url, f);
    } else {
        t.code = EXIT_FAILED;
        if (t.conf != NULL)
            say_no_receiver(t.conf, str_of(args[0]));
    }
    if (rc != NULL && rc->n_integrations == 0)
        say(stdout, "receiver '%s' has no integrations: nothing is sent\n", args[0]);
    arena_release(&a);
    config_unref(t.conf);
    diags_release(&d);
    mem_free(paths);
    curl_global_cleanup();
    return t.code;
}
