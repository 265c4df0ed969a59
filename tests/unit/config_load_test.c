#include "unit.h"

#include <stdlib.h>
#include <unistd.h>
#include "base/buf.h"
#include "codec/json.h"
#include "config/config_priv.h"
#include "route/old_keys.h"
#include "route/route_conf.h"

struct loaded {
    struct config *c;
    struct diags d;
};

static struct loaded load_two(const char *a, const char *b)
{
    struct config_text texts[] = {{S("a/one.yml"), str_of(a)}, {S("b/two.yml"), str_of(b)}};
    struct config_options o = {.mode = MATCHER_FALLBACK};
    struct loaded l;

    diags_init(&l.d);
    l.c = config_load_texts(texts, b != NULL ? 2 : 1, &o, &l.d);
    assert_int_equal(l.c == NULL, l.d.errors != 0);
    return l;
}

static struct loaded load(const char *text)
{
    return load_two(text, NULL);
}

static void show(const struct diags *d)
{
    for (size_t i = 0; i < d->n; i++)
        print_error("%.*s:%d:%d %s %.*s (%.*s)\n", STR(d->v[i].place.file), d->v[i].place.line,
                    d->v[i].place.col, d->v[i].id, STR(d->v[i].message), STR(d->v[i].help));
}

static void drop(struct loaded *l)
{
    config_unref(l->c);
    diags_release(&l->d);
}

static void expect_ok(const char *text)
{
    struct loaded l = load(text);

    if (l.c == NULL)
        show(&l.d);
    assert_non_null(l.c);
    drop(&l);
}

/* Some error has the id, the line, and the word in its message or help. */
static void expect_bad(const char *text, const char *id, int line, const char *word)
{
    struct loaded l = load(text);
    bool hit = false;

    for (size_t i = 0; i < l.d.n; i++) {
        const struct diag *g = &l.d.v[i];

        hit |= g->severity == DIAG_ERROR && strcmp(g->id, id) == 0 && g->place.line == line &&
               (str_find_str(g->message, str_of(word)) >= 0 ||
                str_find_str(g->help, str_of(word)) >= 0);
    }
    if (!hit) {
        print_error("wanted %s at line %d with \"%s\" in:\n%s\n", id, line, word, text);
        show(&l.d);
    }
    assert_true(hit);
    drop(&l);
}

#define SINK "receivers: [{name: r, webhook_configs: [{url: 'http://sink/x'}]}]\n"

static void defaults_and_inheritance(void **state)
{
    struct loaded l = load("route:\n"
                           "  receiver: r\n"
                           "  group_by: [a, b]\n"
                           "  group_wait: 0s\n"
                           "  routes:\n"
                           "  - matchers: ['x=\"1\"', y=~a|b]\n"
                           "    group_by: []\n"
                           "    routes: [{match: {z: q}, continue: yes, repeat_interval: 1d}]\n"
                           "  - group_by: ['...']\n" SINK);
    const struct route_conf *root, *kid, *leaf;
    const struct integration_conf *ic;

    (void)state;
    if (l.c == NULL)
        show(&l.d);
    assert_non_null(l.c);
    root = l.c->route;
    kid = &root->routes[0];
    leaf = &kid->routes[0];
    assert_true(root->group_wait == 0 && root->group_interval == 5 * NS_PER_M);
    assert_int_equal(root->group_by.n, 2);
    assert_int_equal(kid->group_by.n, 0);
    assert_int_equal(kid->matchers.n, 2);
    assert_str(leaf->receiver, "r");
    assert_true(leaf->goes_on && leaf->repeat_interval == NS_PER_D);
    assert_int_equal(leaf->matchers.n, 1);
    assert_true(root->routes[1].group_by_all);
    assert_true(l.c->resolve_timeout == 5 * NS_PER_M);
    ic = &config_receiver(l.c, S("r"))->integrations[0];
    assert_true(ic->send_resolved && ic->index == 0 && ic->http == l.c->global.http_config);
    assert_true(ic->http->follow_redirects && ic->http->enable_http2);
    assert_true(l.c->receivers[0].is_used);
    drop(&l);
}

static void expect_route(struct buf *out, const struct conf_type *type)
{
    static const char text[] =
        "receiver: r\ngroup_by: [a]\ngroup_interval: 6m\nlabels: {x: 1, y: 2}\n"
        "routes:\n- {match: {a: b}, group_wait: 0s, group_by: []}\n"
        "- {receiver: q, repeat_interval: 1d, labels: {y: 3},\n"
        "   routes: [{continue: true}]}\n";
    const struct route_conf *leaf;
    struct yaml_doc doc;
    struct route_conf root;
    struct conf_part part;
    struct diags d;
    struct arena a;

    arena_init(&a, 0);
    diags_init(&d);
    assert_true(yaml_parse(str_of(text), S("r.yml"), &a, &doc, &d));
    part = (struct conf_part){&doc, doc.root};
    assert_true(conf_decode(&(struct conf_run){.a = &a, .d = &d}, &part, 1,
                            (struct conf_layer){type, &root, NULL}));
    assert_true(root.group_wait == 30 * NS_PER_S && root.repeat_interval == 4 * NS_PER_H);
    assert_true(root.routes[0].group_wait == 0 && root.routes[0].group_by.n == 0);
    leaf = &root.routes[1].routes[0];
    assert_str(leaf->receiver, "q");
    assert_true(leaf->group_wait == 30 * NS_PER_S && leaf->group_interval == 6 * NS_PER_M);
    assert_true(leaf->repeat_interval == NS_PER_D && leaf->group_by.n == 1 && leaf->labels.n == 2);
    assert_str(leaf->labels.v[1].value, "3");
    conf_print_yaml(out, type, &root);
    route_conf_release(&root);
    diags_release(&d);
    arena_release(&a);
}

static void a_row_on_top_changes_nothing(void **state)
{
    struct conf_key keys[32] = {CONF_KEY_IGNORED("first", 0, "nothing")};
    struct conf_type type = route_conf_type;
    struct buf plain = BUF_INIT, shifted = BUF_INIT;

    (void)state;
    for (size_t i = 0; route_conf_type.keys[i].name != NULL; i++) {
        assert_true(i + 2 < ARRAY_LEN(keys));
        memcpy(&keys[i + 1], &route_conf_type.keys[i], sizeof(keys[0]));
        if (keys[i + 1].sub == &route_conf_type)
            keys[i + 1].sub = &type;
    }
    type.keys = keys;
    expect_route(&plain, &route_conf_type);
    expect_route(&shifted, &type);
    assert_string_equal(buf_z(&plain), buf_z(&shifted));
    assert_null(strstr(buf_z(&plain), "30s")); /* printed is what was given */
    buf_release(&plain);
    buf_release(&shifted);
}

/* A row of the type at the offset, which a member of that kind may be copied from. */
static bool fits(const struct conf_key *key, const struct conf_type *above)
{
    for (const struct conf_key *k = above->keys; k->name != NULL; k++)
        if (k->kind != CONF_IGNORED && k->offset + 1 == key->above)
            return k->size == key->size && key->above_size == key->size && k->sub == key->sub &&
                   (k->kind == key->kind || (k->kind == CONF_STRING && key->kind == CONF_TEMPLATE));
    return false;
}

static size_t check_rows(const struct conf_type *type, const struct conf_type *above)
{
    size_t n = 0;

    for (const struct conf_key *key = type->keys; key->name != NULL; key++) {
        if (key->above == 0)
            continue;
        if (!fits(key, above))
            fail_msg("%s of %s has nothing alike in %s to inherit", key->name, type->name,
                     above->name);
        n++;
    }
    return n;
}

static void what_is_inherited_is_alike(void **state)
{
    size_t n = 0;

    (void)state;
    assert_int_equal(check_rows(&route_conf_type, &route_conf_type), 6);
    for (size_t i = 0; receiver_types[i] != NULL; i++)
        n += check_rows(receiver_common_type(receiver_types[i]), &global_conf_type) +
             check_rows(receiver_types[i]->conf, &global_conf_type);
    assert_true(n > 30);
}

static const struct scrape_conf *job(const struct loaded *l, size_t i)
{
    if (l->c == NULL)
        show(&l->d);
    assert_non_null(l->c);
    return &l->c->scrapes[i];
}

static void jobs_inherit(void **state)
{
    struct loaded l = load("scrape_configs:\n"
                           "- {job_name: a}\n"
                           "- {job_name: b, scrape_interval: 5s, sample_limit: 0}\n"
                           "- {job_name: c, scrape_interval: 0s, scrape_timeout: 7s}\n"
                           "global: {scrape_interval: 8s, sample_limit: 9}\n");

    (void)state;
    assert_true(job(&l, 0)->common.interval == 8 * NS_PER_S);
    assert_true(job(&l, 0)->common.timeout == 8 * NS_PER_S); /* the default is longer */
    assert_true(job(&l, 1)->common.timeout == 5 * NS_PER_S);
    assert_int_equal(job(&l, 1)->common.limits.samples, 9);
    assert_true(job(&l, 2)->common.interval == 8 * NS_PER_S);
    assert_true(job(&l, 2)->common.timeout == 7 * NS_PER_S);
    drop(&l);
    l = load("scrape_configs: [{job_name: a}]\n");
    assert_true(job(&l, 0)->common.interval == NS_PER_M);
    assert_true(job(&l, 0)->common.timeout == 10 * NS_PER_S);
    drop(&l);
    expect_bad("scrape_configs:\n- job_name: a\n  scrape_timeout: 2m\n", "C009", 3,
               "the global \"scrape_interval\"");
    expect_bad("scrape_configs:\n- job_name: a\n  scrape_interval: 1m\n  scrape_timeout: 2m\n",
               "C009", 4, "longer than \"scrape_interval\"");
    expect_bad("global:\n  scrape_timeout: 2m\nscrape_configs: [{job_name: a}]\n", "C009", 2,
               "longer than");
}

/* Whatever the order of the file, and of two files. */
static void receivers_inherit(void **state)
{
    struct loaded l = load_two("receivers: [{name: r, webhook_configs: [{url: 'http://sink/x'}, "
                               "{url: 'http://sink/y', http_config: {}}]}]\nroute: {receiver: r}\n",
                               "heartbeat: {url: 'http://beat/'}\n"
                               "global: {http_config: {follow_redirects: false}}\n");
    const struct integration_conf *ic;

    (void)state;
    if (l.c == NULL)
        show(&l.d);
    assert_non_null(l.c);
    ic = l.c->receivers[0].integrations;
    assert_true(!ic[0].http->follow_redirects && !ic[0].has_own_http);
    assert_true(ic[1].http->follow_redirects && ic[1].has_own_http);
    assert_false(l.c->heartbeat.http->follow_redirects);
    drop(&l);
}

static void files_merge(void **state)
{
    struct loaded l = load_two(
        "global: {resolve_timeout: 1m}\nroute: {receiver: r}\n" SINK,
        "global: {evaluation_interval: 15s, external_labels: {b: 1, a: x}}\n"
        "sources: [{name: p, url: 'http://prom:9090', max_concurrent: 4, basic_auth: {username: u, "
        "password: s}}]\n"
        "receivers: [{name: r, webhook_configs: [{url_file: w.txt}]}]\n");

    (void)state;
    if (l.c == NULL)
        show(&l.d);
    assert_non_null(l.c);
    assert_true(l.c->resolve_timeout == NS_PER_M &&
                l.c->global.evaluation_interval == 15 * NS_PER_S);
    assert_int_equal(l.c->n_receivers, 1);
    assert_int_equal(l.c->receivers[0].n_integrations, 2);
    assert_int_equal(l.c->receivers[0].integrations[1].index, 1);
    assert_str(l.c->external_labels.v[0].name, "a");
    assert_true(l.c->sources[0].http->has_basic_auth);
    assert_int_equal(l.c->sources[0].max_concurrent, 4);
    assert_true(l.c->sources[0].timeout == 2 * NS_PER_M);
    drop(&l);
    l = load_two("route: {receiver: r}\n" SINK, "route: {receiver: r}\n");
    assert_null(l.c);
    assert_string_equal(l.d.v[0].id, "C005");
    assert_str(l.d.v[0].place.file, "b/two.yml");
    assert_str(l.d.v[0].second.file, "a/one.yml");
    drop(&l);
    l = load_two("global: {resolve_timeout: 1m}\n", "global: {resolve_timeout: 2m}\n");
    assert_null(l.c);
    assert_string_equal(l.d.v[0].id, "C005");
    drop(&l);
}

#define REMOTE "route: {receiver: r}\n" SINK "storage:\n  remote_write:\n"

/* storage.remote_write, by Prometheus' keys; Prometheus' own is left alone. */
static void remote_write(void **state)
{
    const struct remote_write_conf *r;
    struct loaded l;

    (void)state;
    l = load(
        REMOTE
        "  - {url: http://x/w}\n"
        "  - {url: http://u:p@y/w?k=v, what: all, headers: {X-Scope-OrgID: a}, remote_timeout: 9s, "
        "send_native_histograms: true, queue_config: {retry_on_http_429: true, max_size: 2MiB, "
        "sample_age_limit: 1h, capacity: 7}, metadata_config: {send: false}, "
        "tls_config: {insecure_skip_verify: true}, "
        "write_relabel_configs: [{regex: a, action: labeldrop}]}\n");
    assert_non_null(l.c);
    assert_int_equal(l.c->storage.remote_write.n, 2);
    r = &l.c->storage.remote_write.v[0];
    assert_str(r->what, "rules");
    assert_true(r->remote_timeout == 30 * NS_PER_S && r->metadata_config.send &&
                r->metadata_config.send_interval == NS_PER_M && !r->send_native_histograms);
    assert_true(r->queue_config.max_samples_per_send == 2000 &&
                r->queue_config.batch_send_deadline == 5 * NS_PER_S &&
                r->queue_config.min_backoff == 30 * NS_PER_MS &&
                r->queue_config.max_backoff == 5 * NS_PER_S && !r->queue_config.retry_on_http_429 &&
                r->queue_config.max_size == 256 << 20 && r->queue_config.sample_age_limit == 0);
    assert_str(remote_write_title(r, &l.c->arena), "http://x/w");
    r++;
    assert_str(remote_write_title(r, &l.c->arena), "http://y/w");
    assert_str(r->headers.v[0].name, "X-Scope-OrgID");
    assert_true(r->http->tls.insecure_skip_verify && r->write_relabel_configs.n == 1 &&
                r->queue_config.retry_on_http_429 && !r->metadata_config.send);
    assert_true(config_keeps_all(l.c) && config_reads_own(l.c) && !config_writes_all(l.c));
    drop(&l);

    expect_bad(REMOTE "  - {name: a}\n", "C003", 5, "url");
    expect_bad(REMOTE "  - {url: 'ftp://x'}\n", "C001", 5, "url");
    expect_bad(REMOTE "  - {url: http://x, what: none}\n", "C001", 5, "what");
    expect_bad(REMOTE "  - {url: http://x, headers: {Host: a}}\n", "C009", 5, "Host");
    expect_bad(REMOTE "  - {url: http://x, headers: {'a b': a}}\n", "C009", 5, "a b");
    expect_bad(REMOTE "  - {url: http://x, queue_config: {min_backoff: 1m}}\n", "C009", 5,
               "max_backoff");
    expect_bad(REMOTE "  - {url: http://x, queue_config: {max_samples_per_send: 0}}\n", "C001", 5,
               "max_samples_per_send");
    expect_bad(REMOTE "  - {url: http://x, protobuf_message: io.prometheus.write.v2.Request}\n",
               "C001", 5, "protobuf_message");
    expect_bad(REMOTE "  - {url: http://x}\n  - {url: http://x}\n", "C009", 6, "name");
    expect_bad(REMOTE "  - {url: http://x, name: a}\n  - {url: http://y, name: a}\n", "C009", 6,
               "twice");

    l = load("route: {receiver: r}\nremote_write: [{url: http://x, what_ever: 1}]\n" SINK);
    assert_true(l.c != NULL && l.c->storage.remote_write.n == 0 && l.d.n == 1);
    assert_str(str_of(l.d.v[0].id), "C007");
    assert_true(str_find_str(l.d.v[0].help, S("storage.remote_write")) >= 0);
    drop(&l);
}

/* storage.history, and what follows from it for what is scraped. */
static void history(void **state)
{
    struct loaded l = load("route: {receiver: r}\n" SINK);

    (void)state;
    assert_non_null(l.c);
    assert_true(l.c->storage.history.keep == NS_PER_D &&
                l.c->storage.history.max_size == 256 << 20);
    assert_str(l.c->storage.history.what, "essentials");
    assert_false(config_writes_all(l.c) || config_reads_own(l.c));
    drop(&l);
    l = load(
        "route: {receiver: r}\nstorage: {history: {keep: 2d, what: all, max_size: 1GiB}}\n" SINK);
    assert_non_null(l.c);
    assert_true(config_writes_all(l.c) && config_reads_own(l.c));
    assert_true(l.c->storage.history.max_size == 1 << 30);
    drop(&l);
    l = load("route: {receiver: r}\nstorage: {history: {keep: 0, what: all}}\n" SINK);
    assert_non_null(l.c);
    assert_false(config_writes_all(l.c) || config_reads_own(l.c));
    drop(&l);
}

static void files_that_say_nothing(void **state)
{
    static const char *const texts[] = {
        "",     "# a comment\n", "---\n",        "null\n",
        "{}\n", "global:\n",     "global: {}\n", "route:\nrule_files: []\n"};
    struct loaded l;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        expect_bad(texts[i], "C003", 1, "says nothing");
    expect_ok("push: {}\n"); /* it says that pushes are taken */
    l = load_two("route: {receiver: r}\n" SINK, "# nothing left\n");
    assert_null(l.c);
    assert_int_equal(l.d.errors, 1);
    assert_str(l.d.v[0].place.file, "b/two.yml");
    drop(&l);
}

static void without_a_route(void **state)
{
    (void)state;
    expect_ok("global: {evaluation_interval: 30s}\n");
    expect_bad(SINK, "C003", 1, "route");
    expect_bad("templates: [x]\n", "C003", 1, "route");
    expect_bad("global: {language: fr}\nroute: {receiver: r}\n" SINK, "C001", 1, "zh");
    expect_bad("global: {timezone: No/Where}\nroute: {receiver: r}\n" SINK, "C009", 1, "No/Where");
}

static void bad_routes(void **state)
{
    (void)state;
    expect_bad("route: {receiver: rr}\n" SINK, "C006", 1, "did you mean \"r\"");
    expect_bad("route: {receiver: a}\nreceivers:\n- {name: a, fallback: bb}\n- {name: b}\n", "C006",
               3, "did you mean \"b\"");
    expect_bad("route: {receiver: a}\nreceivers:\n- {name: a, fallback: b}\n- {name: b, budget: "
               "{per_day: 1, then: a}}\n",
               "C009", 3, "in a ring");
    expect_bad("route: {receiver: a}\nreceivers:\n- {name: a, fallback: c, budget: {per_day: 1, "
               "then: b}}\n"
               "- {name: b, budget: {per_day: 1, then: a}}\n- {name: c}\n",
               "C009", 3, "in a ring");
    expect_bad("route:\n  receiver: r\n  group_wiat: 1s\n" SINK, "C002", 3, "group_wait");
    expect_bad("route:\n  receiver: r\n  group_wait: 1.5h\n" SINK, "C001", 3, "1.5h");
    expect_bad("route:\n  receiver: r\n  group_interval: 0s\n" SINK, "C001", 3, "zero");
    expect_bad("route:\n  receiver: r\n  continue: true\n" SINK, "C009", 2, "continue");
    expect_bad("route:\n  receiver: r\n  matchers: [a=b]\n" SINK, "C009", 2, "matchers");
    expect_bad("route:\n  receiver: r\n  group_by: ['...', a]\n" SINK, "C009", 3, "all labels");
    expect_bad("route:\n  receiver: r\n  group_by: [a, a]\n" SINK, "C009", 3, "twice");
    expect_bad("route:\n  receiver: r\n  routes:\n  - mute_time_intervals: [x]\n" SINK, "C006", 4,
               "\"x\"");
    expect_bad("route:\n  receiver: r\n  routes:\n  - match_re: {a: '('}\n" SINK, "C009", 4,
               "\"a\"");
    expect_bad("route:\n  receiver: r\n  routes:\n  - matchers: ['a=~(']\n" SINK, "C001", 4, "(");
    expect_bad("route: {group_by: [a]}\n" SINK, "C003", 1, "receiver");
    expect_bad("route: [1]\n" SINK, "C001", 1, "mapping");
    expect_bad("route: {receiver: r}\nreceivers: [{name: r}, {name: r}]\n", "C009", 2, "twice");
    expect_bad("route: {receiver: r}\nreceivers: [{name: r, webhok_configs: []}]\n", "C002", 2,
               "webhook_configs");
    expect_bad("route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{}]}]\n", "C009", 2,
               "url");
    expect_bad(
        "route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{url: 'ftp://x'}]}]\n",
        "C001", 2, "http");
    expect_bad("route: {receiver: r}\nreceivers: [{name: r, email_configs: [{to: t, from: f, "
               "smarthost: h}]}]\n",
               "C009", 2, "host:port");
    expect_bad("route: {receiver: r}\nreceivers: [{name: r, slack_configs: [null]}]\n", "C001", 2,
               "empty");
}

static void bad_http(void **state)
{
    static const char *const bad[] = {
        "{basic_auth: {username: u}, bearer_token: t}",
        "{authorization: {type: Basic, credentials: x}}",
        "{oauth2: {client_id: c}}",
        "{no_proxy: x}",
        "{proxy_url: 'http://p', proxy_from_environment: true}",
        "{http_headers: {Host: {values: [x]}}}",
        "{tls_config: {cert_file: c}}",
        "{tls_config: {ca: x, ca_file: y}}",
        "{tls_config: {min_version: TLS9}}",
        "{proxy_connect_header: {X: [y]}}",
        "{basic_auth: {password: x, password_file: y}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf b = BUF_INIT;
        struct loaded l;

        buf_addf(&b, "global: {http_config: %s}\n", bad[i]);
        l = load(buf_z(&b));
        if (l.c != NULL)
            print_error("accepted: %s\n", bad[i]);
        assert_null(l.c);
        drop(&l);
        buf_release(&b);
    }
    expect_ok("global: {http_config: {http_headers: {X-A: {values: [b], secrets: [c], files: "
              "[d]}}, proxy_url: 'http://p', "
              "proxy_connect_header: {X: [y]}, oauth2: {client_id: a, client_secret: s, token_url: "
              "'https://t/'}}}\n");
}

#define WITH_INTERVAL(spec)                                                                        \
    "route: {receiver: r, routes: [{mute_time_intervals: [i]}]}\n" SINK                            \
    "time_intervals: [{name: i, time_intervals: [" spec "]}]\n"

static void time_intervals(void **state)
{
    static const char *const bad[] = {
        WITH_INTERVAL("{times: [{start_time: '10:00', end_time: '09:00'}]}"),
        WITH_INTERVAL("{times: [{start_time: '10:00'}]}"),
        WITH_INTERVAL("{times: [{start_time: '1:00', end_time: '09:00'}]}"),
        WITH_INTERVAL("{times: [{start_time: '01:00', end_time: '24:01'}]}"),
        WITH_INTERVAL("{weekdays: [saturday:sunday]}"),
        WITH_INTERVAL("{weekdays: [1]}"),
        WITH_INTERVAL("{days_of_month: [0]}"),
        WITH_INTERVAL("{days_of_month: ['-3:2']}"),
        WITH_INTERVAL("{days_of_month: ['10:-25']}"),
        WITH_INTERVAL("{days_of_month: ['32']}"),
        WITH_INTERVAL("{months: [march:january]}"),
        WITH_INTERVAL("{years: ['2030:2029']}"),
        WITH_INTERVAL("{location: Nowhere/City}"),
    };
    struct loaded l = load(WITH_INTERVAL(
        "{times: [{start_time: '22:00', end_time: '24:00'}], weekdays: ['Monday:friday', "
        "sunday], days_of_month: ['-3:-1', '1:7'], months: [13, 'may:july'], years: [2030], "
        "location: Europe/Berlin}, {times: []}"));
    const struct time_interval_spec *s;

    (void)state;
    if (l.c == NULL)
        show(&l.d);
    s = l.c->time_intervals[0].intervals;
    assert_int_equal(s[0].times.v[0].end, 1440);
    assert_int_equal(s[0].weekdays.v[0].begin, 1);
    assert_int_equal(s[0].weekdays.v[1].begin, 0);
    assert_int_equal(s[0].days_of_month.v[0].begin, -3);
    assert_int_equal(s[0].months.v[1].end, 7);
    assert_true(s[1].times.given && s[1].times.n == 0 && !s[1].weekdays.given);
    drop(&l);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        l = load(bad[i]);
        if (l.c != NULL)
            print_error("accepted: %s\n", bad[i]);
        assert_null(l.c);
        drop(&l);
    }
}

static void printed_again_loads_again(void **state)
{
    struct loaded
        l = load("global: {smtp_smarthost: 'h:25', smtp_from: f@x, smtp_auth_password: hunter2, "
                 "http_config: {basic_auth: {username: u, password: hunter2}}}\n"
                 "route: {receiver: r, group_by: ['...'], routes: [{matchers: ['a=\"b c\"', x!~y], "
                 "mute_time_intervals: [i], continue: true}]}\n"
                 "inhibit_rules: [{source_matchers: [a=b], target_match: {c: d}, equal: [e]}]\n"
                 "time_intervals: [{name: i, time_intervals: [{weekdays: ['monday:friday'], times: "
                 "[{start_time: "
                 "'09:00', end_time: '17:00'}]}]}]\n"
                 "receivers: [{name: r, webhook_configs: [{url: 'http://x/hunter2'}], "
                 "email_configs: [{to: a@b, "
                 "headers: {Subject: 'true'}}], pagerduty_configs: [{routing_key: hunter2, "
                 "details: {a: [1, "
                 "{b: c}]}}]}]\n"),
        again;
    struct buf first = BUF_INIT;

    (void)state;
    if (l.c == NULL)
        show(&l.d);
    assert_non_null(l.c);
    assert_true(str_find_str(l.c->original, S("hunter2")) < 0);
    assert_true(str_find_str(l.c->original, S("<secret>")) >= 0);
    assert_true(str_find_str(l.c->original, S("evaluation_interval")) < 0);
    buf_add(&first, l.c->original);
    again = load(buf_z(&first));
    if (again.c == NULL) {
        print_error("%.*s\n", STR(l.c->original));
        show(&again.d);
    }
    assert_non_null(again.c);
    assert_str(again.c->original, buf_z(&first));
    drop(&again);
    drop(&l);
    buf_release(&first);
}

static void all_problems_at_once(void **state)
{
    struct loaded l =
        load("global: {resolve_timeout: x, foo: 1}\nroute: {receiver: nobody, group_wait: y}\n"
             "receivers: [{name: r, email_configs: [{}]}, {}]\n");

    (void)state;
    assert_true(l.d.errors >= 6);
    drop(&l);
}

static void hash_is_alertmanagers(void **state)
{
    struct config_text t = {S("x"), S("hello")}; /* MD5 5d41402abc4b2a76b9719d911017c592 */

    (void)state;
    assert_true(config_hash(&t, 1) == (0x5dull | 0x41ull << 8 | 0x40ull << 16 | 0x2aull << 24 |
                                       0xbcull << 32 | 0x4bull << 40));
}

static void the_tables_describe_all_keys(void **state)
{
    struct buf b = BUF_INIT;
    struct json_reader r;
    struct arena a;

    (void)state;
    config_print_json_schema(&b);
    arena_init(&a, 0);
    json_reader_init(&r, buf_str(&b), &a, 64);
    json_skip(&r);
    assert_true(json_end(&r));
    assert_true(str_find_str(buf_str(&b), S("\"slack_config_with_integration\":{")) >= 0);
    assert_true(str_find_str(buf_str(&b), S("\"auth_password_file\"")) >= 0);
    buf_clear(&b);
    config_print_markdown(&b);
    assert_true(str_find_str(buf_str(&b), S("| `group_wait` | duration | inherited, `30s` |")) >=
                0);
    assert_true(str_find_str(buf_str(&b), S("| `max_concurrent` | integer | `8` |")) >= 0);
    arena_release(&a);
    buf_release(&b);
}

/* What our parser refuses is only a warning where the source speaks another dialect. */
static void dialects(void **state)
{
    static const char rules[] =
        "groups: [{name: g, rules: [{record: a, expr: 'keep_last_value(x)'}]}]\n";
    static const char *const words[] = {"promql", "metricsql"};
    char path[] = "/tmp/tocsin-rules-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, rules, sizeof(rules) - 1), sizeof(rules) - 1);
    close(fd);
    for (int i = 0; i < 2; i++) {
        struct buf text = BUF_INIT;
        struct loaded l;

        buf_addf(&text, "sources: [{name: s, url: 'http://s', dialect: %s}]\nrule_files: [%s]\n",
                 words[i], path);
        l = load(buf_z(&text));
        assert_int_equal(l.d.errors, i == 0);
        assert_string_equal(l.d.v[l.d.n - 1].id, i == 0 ? "R005" : "R071");
        drop(&l);
        buf_release(&text);
    }
    unlink(path);
}

static void pushes(void **state)
{
    struct loaded l = load("global: {scrape_interval: 15s}\npush: {}\n");

    (void)state;
    assert_non_null(l.c->push);
    assert_int_equal(l.c->push->max_age, 0);
    assert_int_equal(l.c->push->interval, 15 * NS_PER_S);
    assert_int_equal(l.c->push->max_series, 100000);
    drop(&l);
    l = load("push: {max_age: 30s}\n");
    assert_true(l.d.n != 0);
    assert_non_null(strstr(l.d.v[l.d.n - 1].message.p, "end before it is written"));
    drop(&l);
    l = load("global: {scrape_interval: 15s}\n");
    assert_null(l.c->push);
    drop(&l);
    expect_bad("push: {max_groups: 0}\n", "C001", 1, "max_groups");
    expect_bad("push: {body_size_limit: 17MiB}\n", "C001", 1, "body_size_limit");
    expect_bad("push:\n  maximum_age: 1m\n", "C002", 2, "max_age");
}

/* Route keys, one a line, children after their parents. */
static void print_keys(const struct route *r, struct buf *out)
{
    buf_addf(out, "%.*s\n", STR(r->key));
    for (size_t i = 0; i < r->n_children; i++)
        print_keys(r->children[i], out);
}

/* alertmanager.md 3.5: patterns of match_re stand in the key with their anchors, those of matchers without. */
static void group_keys(void **state)
{
    struct loaded l = load("route:\n"
                           "  receiver: r\n"
                           "  routes:\n"
                           "  - match_re: {service: ^(foo1|foo2|baz)$}\n"
                           "    match: {severity: critical}\n"
                           "    routes: [{match_re: {a: 'x|y', b: z}, matchers: ['b=~\"m\"']}]\n"
                           "  - matchers: ['a=~\"b|c\"']\n"
                           "receivers: [{name: r}]\n");
    struct route_tree t;
    struct buf b = BUF_INIT;

    (void)state;
    assert_non_null(l.c);
    route_tree_init(&t, l.c->route);
    print_keys(t.root, &b);
#define SERVICE "{}/{service=~\"^(?:^(foo1|foo2|baz)$)$\",severity=\"critical\"}"
    assert_str(buf_str(&b),
               "{}\n" SERVICE "\n" SERVICE "/{a=~\"^(?:x|y)$\",b=~\"^(?:z)$\",b=~\"m\"}\n"
               "{}/{a=~\"b|c\"}\n");
    buf_release(&b);
    route_tree_release(&t);
    drop(&l);
}

static void renamed(const struct old_keys *k, const char *key, const char *want)
{
    struct buf b = BUF_INIT;

    assert_int_equal(old_keys_rename(k, str_of(key), &b), want[0] != '\0');
    assert_str(buf_str(&b), want);
    buf_release(&b);
}

static void heartbeats(void **state)
{
    struct loaded l = load("heartbeat: {url: 'http://x'}\n");

    (void)state;
    assert_non_null(l.c);
    assert_false(l.c->heartbeat.withhold_when_receivers_fail);
    drop(&l);
    l = load("heartbeat: {url: 'http://x', withhold_when_receivers_fail: true}\n");
    assert_non_null(l.c);
    assert_true(l.c->heartbeat.withhold_when_receivers_fail);
    drop(&l);
    expect_bad("heartbeat: {url: 'http://x', withhold_when_receivers_fail: often}\n", "C001", 1,
               "often");
}

/* Version 0.1.0 wrote them without; what a route is called now is nobody's old name. */
static void group_keys_of_0_1_0(void **state)
{
    struct loaded l = load("route:\n"
                           "  receiver: r\n"
                           "  routes:\n"
                           "  - match_re: {team: 'db|storage', a: x}\n"
                           "    routes: [{matchers: ['a=\"b\"'], match_re: {a: y}}]\n"
                           "  - match_re: {c: d}\n"
                           "  - matchers: ['c=~\"d\"']\n"
                           "receivers: [{name: r}]\n");
    struct route_tree t;
    struct old_keys k;

    (void)state;
    assert_non_null(l.c);
    route_tree_init(&t, l.c->route);
    old_keys_init(&k, &t);
    renamed(&k, "{}/{a=~\"x\",team=~\"db|storage\"}:{x=\"}:{\"}:r/webhook/0",
            "{}/{a=~\"^(?:x)$\",team=~\"^(?:db|storage)$\"}:{x=\"}:{\"}:r/webhook/0");
    /* the anchors sort before "b" */
    renamed(
        &k, "{}/{a=~\"x\",team=~\"db|storage\"}/{a=\"b\",a=~\"y\"}:{}:r/webhook/0",
        "{}/{a=~\"^(?:x)$\",team=~\"^(?:db|storage)$\"}/{a=~\"^(?:y)$\",a=\"b\"}:{}:r/webhook/0");
    renamed(&k, "{}/{c=~\"d\"}:{}:r/webhook/0", ""); /* also the name of the third route */
    renamed(&k, "{}/{team=~\"db|storage\"}:{}:r/webhook/0", "");
    renamed(&k, "{}:{}:r/webhook/0", "");
    renamed(&k, "", "");
    old_keys_release(&k);
    route_tree_release(&t);
    drop(&l);
}

static uint64_t destination_of(const char *entry)
{
    struct buf text = BUF_INIT;
    struct loaded l;
    uint64_t id;

    buf_addf(&text, "route: {receiver: r}\nreceivers: [{name: r, dingtalk_configs: [%s]}]\n",
             entry);
    l = load(buf_z(&text));
    assert_non_null(l.c);
    id = l.c->core.receivers[0].integrations[0].destination;
    drop(&l);
    buf_release(&text);
    return id;
}

/* However its token is written, a robot is one: the limit is the robot's. */
static void a_dingtalk_robot_is_its_token(void **state)
{
    uint64_t by_token = destination_of("{access_token: abc}");

    (void)state;
    assert_int_equal(
        destination_of("{url: 'https://oapi.dingtalk.com/robot/send?access_token=abc'}"), by_token);
    assert_int_equal(
        destination_of(
            "{url: 'https://oapi.dingtalk.com/robot/send?access_token=abc&x=1', secret: SEC}"),
        by_token);
    assert_int_not_equal(
        destination_of("{url: 'https://oapi.dingtalk.com/robot/send?access_token=abd'}"), by_token);
    assert_int_not_equal(destination_of("{url: 'https://own.example/robot/send?access_token=abc'}"),
                         by_token);
}

/* A tree that has been read is loaded as its text is; a part of a larger one may be without what that has. */
static void trees(void **state)
{
    const struct config_options whole = {.mode = MATCHER_FALLBACK},
                                part = {.mode = MATCHER_FALLBACK, .is_part = true};
    struct yaml_doc doc;
    struct config *c;
    struct arena a;
    struct diags d;

    (void)state;
    arena_init(&a, 0);
    diags_init(&d);
    assert_true(yaml_parse(S("route: {matchers: [a=b], receiver: elsewhere}\n"
                             "receivers: [{name: r, webhook_configs: [{url: 'http://h/'}]}]\n"),
                           S("p.yml"), &a, &doc, &d));
    c = config_load_tree(&doc, doc.root, &part, &d);
    assert_non_null(c);
    assert_int_equal(d.n, 0);
    assert_int_equal(c->n_receivers, 1);
    assert_int_equal(c->receivers[0].n_integrations, 1);
    assert_int_equal(c->route->matchers.n, 1);
    assert_string_equal(c->files[0].p, "p.yml");
    config_unref(c);
    assert_null(config_load_tree(&doc, doc.root, &whole, &d));
    assert_int_equal(d.errors, 2); /* the receiver, and a root with matchers */
    assert_string_equal(d.v[0].id, "C006");
    diags_release(&d);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(defaults_and_inheritance),
        cmocka_unit_test(group_keys),
        cmocka_unit_test(heartbeats),
        cmocka_unit_test(group_keys_of_0_1_0),
        cmocka_unit_test(files_merge),
        cmocka_unit_test(files_that_say_nothing),
        cmocka_unit_test(without_a_route),
        cmocka_unit_test(pushes),
        cmocka_unit_test(bad_routes),
        cmocka_unit_test(bad_http),
        cmocka_unit_test(time_intervals),
        cmocka_unit_test(a_row_on_top_changes_nothing),
        cmocka_unit_test(what_is_inherited_is_alike),
        cmocka_unit_test(jobs_inherit),
        cmocka_unit_test(receivers_inherit),
        cmocka_unit_test(a_dingtalk_robot_is_its_token),
        cmocka_unit_test(printed_again_loads_again),
        cmocka_unit_test(all_problems_at_once),
        cmocka_unit_test(dialects),
        cmocka_unit_test(history),
        cmocka_unit_test(remote_write),
        cmocka_unit_test(hash_is_alertmanagers),
        cmocka_unit_test(the_tables_describe_all_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
