/* cases.c - receivers by example: receivers/NAME/cases/FILE.yml says what is configured, what is told, which requests must
 * go out byte for byte, what comes back to each and what that means.
 *
 *     global: {}                   keys of global:
 *     language: zh                 of the built-in messages
 *     style: readable              theirs, of Alertmanager's kinds, too
 *     config: {}                   the integration's entry
 *     http_authorization: true     its http_config, which stands apart, has one
 *     refused: TEXT                ... which the check refuses, with this in its words; nothing below then
 *     notification: {receiver: r, group_labels: {}, alerts: [{labels: {}, annotations: {}, link: URL, status: resolved,
 *                    change: added, value: 5.25}],     value: that its rule's expression gave
 *                    act: acked, actors: [], reason: some alerts resolved}   act: as the alerts have it
 *     address: TEXT                of the person whom it is for
 *     had: TEXT                    what an attempt before has put there
 *     receipts: {ID: WHY}          what the service has said since of what stands there; "": it is told
 *     kept: {threadTs: "1"}        what the last delivery kept
 *     kept_of_digest: true         that was a digest
 *     recalls: TEXT                what an earlier delivery remembered, under whatever name
 *     env: {AWS_PROFILE: x}        the environment
 *     files: {PATH: TEXT}          what can be read; no other file is there
 *     posts: {headers: {}, body: TEXT}   what the service says by itself; then nothing is told, and wanted are
 *     url: TEXT                    where it is to say it
 *     gives: {ID: WHY}
 *     replies: TEXT
 *     refuses: TEXT                part of why it is refused, or cannot be read
 *     steps:
 *       - request: {method: POST, url: URL, headers: {}, body: TEXT}
 *         mail: {smarthost: TEXT, user: TEXT, from: TEXT, to: [], tls: none|starttls|implicit, message: TEXT}
 *         answer: {status: 200, headers: {}, body: TEXT}   or: lost: WHY, with an answer if its head came
 *     verdict: ok | retry | retry_after | under_way | failed
 *     retry_after: 60s             wanted, as everything below
 *     error: TEXT                  part of it
 *     keeps: {threadTs: "1"}
 *     remembers: TEXT              for later deliveries; empty: nothing, or no more
 *     leaves: TEXT                 of had, for the next attempt
 *
 * The clock stands at 2026-01-01T00:00:00Z. Alerts began a minute before; resolved ones ended now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "codec/duration.h"
#include "os/yaml_file.h"
#include "config/config_priv.h"
#include "model/labels.h"
#include "notify/messages.h"
#include "schema/schema.h"
#include "tocsin/receiver.h"

#define NOW (1767225600 * NS_PER_S)

struct bench {
    const char *path;
    struct arena a;
    struct diags d;
    struct yaml_doc doc;
    struct config_global global;
    const struct receiver_type *type;
    void *conf;
    struct messages *messages;
    struct notification n;
    struct delivery delivery;
    str remembered;
    unsigned faults;
};

static void wrong(struct bench *b, const struct yaml_node *at, const char *what, str got,
                  str wanted)
{
    b->faults++;
    printf("%s:%d: %s\n  got    %.*s\n  wanted %.*s\n", b->path, at != NULL ? at->start.line : 1,
           what, STR(got), STR(wanted));
}

static void same(struct bench *b, const struct yaml_node *wanted, const char *what, str got)
{
    if (wanted != NULL && !str_eq(wanted->text, got))
        wrong(b, wanted, what, got, wanted->text);
}

static str text(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *n = map != NULL ? yaml_get(map, str_of(key)) : NULL;

    return n != NULL ? n->text : STR_NONE;
}

static struct labels labels_of(struct bench *b, const struct yaml_node *map)
{
    size_t n = map != NULL ? map->n : 0;
    struct label *v = arena_array(&b->a, n, sizeof(*v));
    str dup;

    for (size_t i = 0; i < n; i++)
        v[i] = (struct label){map->pairs[i].key->text, map->pairs[i].value->text};
    n = labels_sort_keep(v, n, &dup);
    return (struct labels){v, n};
}

/* -- what is given -- */

static void read_alert(struct bench *b, const struct yaml_node *n, struct notified_alert *out)
{
    bool is_resolved = str_is(text(n, "status"), "resolved");

    *out = (struct notified_alert){.labels = labels_of(b, yaml_get(n, S("labels"))),
                                   .annotations = labels_of(b, yaml_get(n, S("annotations"))),
                                   .starts_at = NOW - NS_PER_M,
                                   .ends_at = is_resolved ? NOW : TS_NONE,
                                   .generator_url = text(n, "link"),
                                   .is_resolved = is_resolved};
    out->fingerprint = labels_fingerprint(out->labels);
    out->has_value = yaml_get(n, S("value")) != NULL;
    out->value = out->has_value ? strtod(text(n, "value").p, NULL) : 0;
    for (int i = CHANGE_NONE; i <= CHANGE_RESOLVED; i++)
        if (str_is(text(n, "change"), alert_change_text((enum alert_change)i)))
            out->change = (enum alert_change)i;
}

static void read_act(struct bench *b, const struct yaml_node *n)
{
    const struct yaml_node *list = n != NULL ? yaml_get(n, S("actors")) : NULL;
    str act = text(n, "act"), *actors = arena_array(&b->a, list != NULL ? list->n : 0, sizeof(str));

    for (int i = ACT_FIRING; i <= ACT_DRILL; i++)
        if (str_is(act, notify_act_text((enum notify_act)i)))
            b->n.act = (enum notify_act)i;
    for (int i = REASON_FIRST; i < REASON_UNKNOWN; i++)
        if (n != NULL && str_is(text(n, "reason"), notify_reason_text((enum notify_reason)i)))
            b->n.reason = (enum notify_reason)i;
    b->n.actors = actors;
    for (; list != NULL && b->n.n_actors < list->n; b->n.n_actors++)
        actors[b->n.n_actors] = list->items[b->n.n_actors]->text;
}

static void read_notification(struct bench *b, const struct yaml_node *n)
{
    const struct yaml_node *list = n != NULL ? yaml_get(n, S("alerts")) : NULL;
    size_t count = list != NULL ? list->n : 0;
    struct notified_alert *alerts = arena_array(&b->a, count, sizeof(*alerts));

    b->n =
        (struct notification){.receiver = text(n, "receiver"),
                              .group_key = S("{}:{alertname=\"Slow\"}"),
                              .group_labels =
                                  labels_of(b, n != NULL ? yaml_get(n, S("group_labels")) : NULL),
                              .reason = REASON_FIRST,
                              .decided_at = NOW,
                              .flush_id = 7,
                              .alerts = alerts,
                              .n_alerts = count};
    for (size_t i = 0; i < count; i++) {
        read_alert(b, list->items[i], &alerts[i]);
        b->n.n_firing += !alerts[i].is_resolved;
    }
    notification_set_act(&b->n);
    read_act(b, n);
}

/* Whether the entry is taken. */
static bool read_config(struct bench *b)
{
    struct conf_run run = {.a = &b->a, .d = &b->d};
    const struct yaml_node *root = b->doc.root;
    struct conf_part global = {&b->doc, yaml_get(root, S("global"))};
    struct conf_part part = {&b->doc, yaml_get(root, S("config"))};
    const struct receiver_view view = {.global = &b->global.receivers,
                                       .has_http_authorization =
                                           yaml_get(root, S("http_authorization")) != NULL};
    const struct conf_in in = {.run = &run, .doc = &b->doc, .index = -1};
    struct conf_check c;

    b->conf = arena_zalloc(&b->a, b->type->conf->size);
    if (!conf_decode(&run, &global, 1, (struct conf_layer){&global_conf_type, &b->global, NULL}) ||
        !conf_decode(&run, &part, 1,
                     (struct conf_layer){b->type->conf, b->conf, &b->global.receivers}))
        return false;
    c = conf_check_of(&in, &part, 1);
    if (b->type->check != NULL)
        b->type->check(b->conf, &view, &c);
    return b->d.errors == 0;
}

static bool secret(struct delivery *d, struct secret s, str *out)
{
    const struct bench *b = d->owner;
    const struct yaml_node *files = yaml_get(b->doc.root, S("files"));

    if (s.file.n == 0) {
        *out = s.hidden;
        return true;
    }
    for (size_t i = 0; files != NULL && i < files->n; i++) {
        if (!str_eq(files->pairs[i].key->text, s.file))
            continue;
        *out = str_trim(files->pairs[i].value->text);
        return true;
    }
    return err_set(&d->err, ERR_IO, "cannot open '%.*s'", STR(s.file));
}

static bool recall(struct delivery *d, str name, str *out)
{
    const struct bench *b = d->owner;

    (void)name;
    *out = b->remembered;
    return out->n != 0;
}

static void remember(struct delivery *d, str name, str value, dur_ns valid)
{
    struct bench *b = d->owner;

    (void)name;
    (void)valid;
    b->remembered = value;
}

static str env(struct delivery *d, const char *name)
{
    const struct bench *b = d->owner;

    return text(yaml_get(b->doc.root, S("env")), name);
}

static bool render(struct delivery *d, str template, bool html, str *out)
{
    const struct bench *b = d->owner;
    const struct messages_context c = {.at_mobiles = d->at_mobiles,
                                       .messages = b->messages,
                                       .n = d->n,
                                       .external_url = d->external_url,
                                       .now = d->now};

    return messages_render(&c, template, html, d->arena, out, &d->err);
}

/* -- what is wanted -- */

static void check_headers(struct bench *b, const struct yaml_node *map)
{
    for (size_t i = 0; map != NULL && i < map->n; i++)
        same(b, map->pairs[i].value, "header",
             http_header_get(&b->delivery.request.headers, map->pairs[i].key->text));
}

static void check_request(struct bench *b, const struct yaml_node *step)
{
    const struct yaml_node *want = yaml_get(step, S("request"));
    const struct http_request *got = &b->delivery.request;
    str method = text(want, "method");

    if (want == NULL) {
        wrong(b, step, "a request that is not expected", got->url, STR_NONE);
        return;
    }
    if (!str_eq(got->method, method.n != 0 ? method : S("POST")))
        wrong(b, want, "method", got->method, method);
    same(b, yaml_get(want, S("url")), "url", got->url);
    same(b, yaml_get(want, S("body")), "body", got->body);
    check_headers(b, yaml_get(want, S("headers")));
}

/* Line ends of a message are CR LF; a file says LF. */
static str unix_lines(struct bench *b, str s)
{
    struct buf out = BUF_INIT;
    str copy;

    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r')
            buf_addc(&out, s.p[i]);
    copy = arena_str(&b->a, buf_str(&out));
    buf_release(&out);
    return copy;
}

static void check_mail(struct bench *b, const struct yaml_node *step)
{
    const struct yaml_node *want = yaml_get(step, S("mail")), *to;
    const struct smtp_request *got = &b->delivery.mail;

    if (want == NULL) {
        wrong(b, step, "a mail that is not expected", got->from, STR_NONE);
        return;
    }
    same(b, yaml_get(want, S("smarthost")), "smarthost", got->smarthost);
    same(b, yaml_get(want, S("from")), "from", got->from);
    same(b, yaml_get(want, S("tls")), "tls",
         got->implicit_tls  ? S("implicit")
         : got->require_tls ? S("starttls")
                            : S("none"));
    same(b, yaml_get(want, S("user")), "user", got->username);
    same(b, yaml_get(want, S("message")), "message", unix_lines(b, got->message));
    to = yaml_get(want, S("to"));
    for (size_t i = 0; to != NULL && i < to->n; i++)
        same(b, to->items[i], "recipient", i < got->n_to ? got->to[i] : STR_NONE);
    if (to != NULL && to->n < got->n_to)
        wrong(b, to, "one more recipient", got->to[to->n], STR_NONE);
}

static struct http_answer *answer_of(struct bench *b, const struct yaml_node *n, bool is_lost)
{
    struct http_answer *out = arena_new(&b->a, struct http_answer);
    const struct yaml_node *map = n != NULL ? yaml_get(n, S("headers")) : NULL;
    size_t count = map != NULL ? map->n : 0;
    struct http_header *h = arena_array(&b->a, count, sizeof(*h));
    uint64_t status = is_lost && n == NULL ? 0 : 200;

    for (size_t i = 0; i < count; i++)
        h[i] = (struct http_header){map->pairs[i].key->text, map->pairs[i].value->text};
    (void)str_to_u64(text(n, "status"), &status);
    *out = (struct http_answer){(int)status, {h, count}, text(n, "body")};
    return out;
}

static enum delivery_verdict run_steps(struct bench *b)
{
    const struct yaml_node *steps = yaml_get(b->doc.root, S("steps"));
    enum delivery_verdict v = b->type->step(&b->delivery);
    size_t i = 0;

    for (; v == DELIVERY_SEND_HTTP || v == DELIVERY_SEND_SMTP; i++) {
        const struct yaml_node *step = steps != NULL && i < steps->n ? steps->items[i] : NULL;
        const struct yaml_node *lost = step != NULL ? yaml_get(step, S("lost")) : NULL;

        if (step == NULL) {
            wrong(b, steps, "one more request", b->delivery.request.body, STR_NONE);
            return v;
        }
        if (v == DELIVERY_SEND_HTTP)
            check_request(b, step);
        else
            check_mail(b, step);
        b->delivery.answer = answer_of(b, yaml_get(step, S("answer")), lost != NULL);
        b->delivery.lost = lost != NULL;
        if (lost != NULL)
            err_set(&b->delivery.err, ERR_IO, "%.*s", STR(lost->text));
        v = b->type->step(&b->delivery);
    }
    if (steps != NULL && i < steps->n)
        wrong(b, steps->items[i], "a request is missing", STR_NONE, STR_NONE);
    return v;
}

/* keeps: {} is that nothing is kept. */
static void check_kept(struct bench *b, const struct yaml_node *map)
{
    if (map != NULL && map->n == 0 && b->delivery.n_kept != 0)
        wrong(b, map, "kept", b->delivery.kept[0].value, STR_NONE);
    for (size_t i = 0; map != NULL && i < map->n; i++) {
        str got = STR_NONE;

        for (size_t j = 0; j < b->delivery.n_kept; j++)
            if (str_eq(b->delivery.kept[j].key, map->pairs[i].key->text))
                got = b->delivery.kept[j].value;
        same(b, map->pairs[i].value, "kept", got);
    }
}

static void give_kept(struct bench *b, const struct yaml_node *map)
{
    size_t n = map != NULL ? map->n : 0;
    struct delivery_pair *v = arena_array(&b->a, n, sizeof(*v));

    for (size_t i = 0; i < n; i++)
        v[i] = (struct delivery_pair){map->pairs[i].key->text, map->pairs[i].value->text};
    b->delivery.kept = v;
    b->delivery.n_kept = n;
}

static void give_receipts(struct bench *b, const struct yaml_node *map)
{
    size_t n = map != NULL ? map->n : 0;
    struct receipt *v = arena_array(&b->a, n, sizeof(*v));

    for (size_t i = 0; i < n; i++)
        v[i] = (struct receipt){map->pairs[i].key->text, map->pairs[i].value->text.n == 0,
                                map->pairs[i].value->text};
    b->delivery.receipts = v;
    b->delivery.n_receipts = n;
}

/* -- what it says by itself -- */

static void check_receipts(struct bench *b, const struct receipts *got)
{
    const struct yaml_node *map = yaml_get(b->doc.root, S("gives"));
    size_t n = map != NULL ? map->n : 0;

    if (n != got->n)
        wrong(b, map, "receipts", arena_printf(&b->a, "%zu", got->n),
              arena_printf(&b->a, "%zu", n));
    for (size_t i = 0; i < n && i < got->n; i++) {
        same(b, map->pairs[i].key, "id", got->v[i].id);
        same(b, map->pairs[i].value, "outcome", got->v[i].is_told ? S("") : got->v[i].why);
    }
}

static void run_post(struct bench *b, const struct yaml_node *posts)
{
    const struct yaml_node *root = b->doc.root, *refuses = yaml_get(root, S("refuses"));
    struct delivery *d = &b->delivery;
    struct receipts got = {.n = 0};
    enum receipts_verdict v;
    str url = STR_NONE;

    d->n = NULL;
    if (!b->type->receipt_url(d, &url))
        wrong(b, root, "no address", str_of(d->err.msg), STR_NONE);
    same(b, yaml_get(root, S("url")), "url", url);
    d->answer = answer_of(b, posts, false);
    v = b->type->receipts(d, &got);
    if ((v != RECEIPTS_READ) != (refuses != NULL))
        wrong(b, root, "verdict", str_of(d->err.msg), refuses != NULL ? refuses->text : STR_NONE);
    if (refuses != NULL) {
        if (str_find_str(str_of(d->err.msg), refuses->text) < 0)
            wrong(b, refuses, "why", str_of(d->err.msg), refuses->text);
        return;
    }
    check_receipts(b, &got);
    same(b, yaml_get(root, S("replies")), "reply", got.reply);
}

static void check_end(struct bench *b, enum delivery_verdict v)
{
    static const char *const names[] = {
        [DELIVERY_SEND_HTTP] = "request", [DELIVERY_SEND_SMTP] = "mail",
        [DELIVERY_SEND_TEXT] = "text",    [DELIVERY_OK] = "ok",
        [DELIVERY_RETRY] = "retry",       [DELIVERY_RETRY_AFTER] = "retry_after",
        [DELIVERY_FAILED] = "failed"};
    const struct yaml_node *root = b->doc.root, *part = yaml_get(root, S("error"));
    str said = str_of(b->delivery.err.msg), after = text(root, "retry_after");
    dur_ns wait;

    same(b, yaml_get(root, S("verdict")), "verdict",
         v == DELIVERY_RETRY_AFTER && b->delivery.under_way ? S("under_way") : str_of(names[v]));
    if (part != NULL && str_find_str(said, part->text) < 0)
        wrong(b, part, "error", said, part->text);
    if (part == NULL && said.n != 0)
        wrong(b, root, "an error that is not expected", said, STR_NONE);
    if (after.n != 0 && (!duration_parse(after, &wait, NULL) || wait != b->delivery.retry_after))
        wrong(b, root, "retry_after", STR_NONE, after);
    check_kept(b, yaml_get(root, S("keeps")));
    same(b, yaml_get(root, S("remembers")), "remembered", b->remembered);
    same(b, yaml_get(root, S("leaves")), "had", b->delivery.had);
}

static void run(struct bench *b)
{
    const struct yaml_node *root = b->doc.root, *refused = yaml_get(root, S("refused"));
    struct err e = ERR_INIT;
    str language = text(root, "language");
    bool taken = read_config(b);

    if (taken != (refused == NULL))
        wrong(b, refused, "the configuration", taken ? S("taken") : b->d.v[0].message, STR_NONE);
    else if (refused != NULL && str_find_str(b->d.v[0].message, refused->text) < 0)
        wrong(b, refused, "the configuration", b->d.v[0].message, refused->text);
    if (!taken || refused != NULL)
        return;
    b->messages = messages_new(language.n != 0 ? language : S("en"), S("UTC"),
                               str_is(text(root, "style"), "readable"), &e);
    read_notification(b, yaml_get(root, S("notification")));
    b->delivery = (struct delivery){.n = &b->n,
                                    .conf = b->conf,
                                    .address = text(root, "address"),
                                    .external_url = S("http://tocsin.example"),
                                    .had = text(root, "had"),
                                    .now = NOW,
                                    .owner = b,
                                    .arena = &b->a,
                                    .secret = secret,
                                    .recall = recall,
                                    .remember = remember,
                                    .env = env,
                                    .render = render};
    b->remembered = text(root, "recalls");
    give_kept(b, yaml_get(root, S("kept")));
    b->delivery.kept_of_digest = yaml_get(root, S("kept_of_digest")) != NULL;
    give_receipts(b, yaml_get(root, S("receipts")));
    if (yaml_get(root, S("posts")) != NULL)
        run_post(b, yaml_get(root, S("posts")));
    else
        check_end(b, run_steps(b));
    messages_free(b->messages);
}

/* receivers/NAME/cases/FILE.yml */
static const struct receiver_type *type_of(const char *path)
{
    for (size_t i = 0; receiver_types[i] != NULL; i++) {
        char folder[64];

        snprintf(folder, sizeof(folder), "receivers/%s/cases/", receiver_types[i]->name);
        if (strstr(path, folder) != NULL)
            return receiver_types[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    unsigned failed = 0;

    for (int i = 1; i < argc; i++) {
        struct bench b = {.path = argv[i], .type = type_of(argv[i])};
        struct err e = ERR_INIT;

        arena_init(&b.a, 0);
        diags_init(&b.d);
        if (b.type == NULL || !yaml_read_file(str_of(argv[i]), &b.a, &b.doc, &b.d, &e) ||
            b.doc.root == NULL)
            wrong(&b, NULL, "the file", str_of(e.msg), STR_NONE);
        else
            run(&b);
        failed += b.faults != 0;
        diags_release(&b.d);
        arena_release(&b.a);
    }
    printf("%d passed, %u failed\n", argc - 1 - (int)failed, failed);
    return failed != 0;
}
