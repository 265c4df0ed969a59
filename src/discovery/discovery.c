/* A finder an entry: it is due, reads files or asks names on a worker or a URL over the transport, and settles with a
 * list. What the worker found takes the place of the list on the loop. */
#include "discovery/discovery.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "os/file.h"
#include "base/hash.h"
#include "os/log.h"
#include "discovery/dns.h"

enum { LOOK_S = 5, FILE_MAX = 10 << 20, ANSWER_MAX = 10 << 20 };

enum kind { STATIC, FILES, HTTP, DNS };
static const char *const kind_names[] = {
    [STATIC] = "static", [FILES] = "file", [HTTP] = "http", [DNS] = "dns"};

/* One entry. What a worker looks at is its own copy: the configuration may be gone before the worker is done. */
struct discovery_finder {
    struct discovery *owner; /* NULL: freed, the worker's end frees the rest */
    enum kind kind;
    struct arena a;
    struct conf_strings subjects; /* patterns of files, names, or one URL */
    str shown;                    /* the first of them, without a password */
    enum dns_sd_type dns_type;
    unsigned port;
    dur_ns interval;
    const struct http_conf *http;
    struct timer timer;
    struct transfer *transfer;
    /* nobody changes it while the worker runs: what stays is copied from there */
    struct target_list found;
    bool has_answered, has_found;
    ts_ns last_found;     /* wall; TS_NONE: never */
    char last_error[512]; /* empty: what was found is what there is */
    uint64_t failures;

    /* the worker's, while it runs */
    struct job job;
    bool is_running;
    struct buf body;        /* of HTTP */
    uint64_t seen, reading; /* what the files looked like when they were read last, and now */
    struct target_list fresh;
    bool ok; /* fresh is what is there from now on; err may tell of a part that stays as it was */
    struct err err; /* the first fault */
};

struct discovery {
    struct discovery_parts parts;
    VEC(struct discovery_finder *) v;
};

/* -- on the worker -- */

static bool discovery_read_list(struct target_list *l, const char *path, struct err *e)
{
    struct label meta = {S("__meta_filepath"), str_of(path)};
    struct buf text = BUF_INIT;
    bool ok = file_read(str_of(path), FILE_REGULAR, FILE_MAX, &text, e);

    if (ok)
        ok = (str_ends_with(str_of(path), S(".json"))
                  ? target_list_read_json(l, buf_str(&text), meta, e)
                  : target_list_read_yaml(l, buf_str(&text), meta, e)) ||
             err_wrap(e, "'%s'", path);
    buf_release(&text);
    return ok;
}

/* A number that changes when a file of the list does. */
static uint64_t discovery_look(uint64_t h, const char *path)
{
    struct stat st = {0};
    struct {
        uint64_t before, path, inode, size, s, ns;
    } all = {.before = h, .path = hash_str(str_of(path))};

    if (stat(path, &st) == 0) {
        all.inode = st.st_ino;
        all.size = (uint64_t)st.st_size;
        all.s = (uint64_t)st.st_mtim.tv_sec;
        all.ns = (uint64_t)st.st_mtim.tv_nsec;
    }
    return hash_bytes(&all, sizeof(all));
}

/* What stood in a list that cannot be read now. */
static void keep_list(struct discovery_finder *f, const char *path)
{
    VEC_EACH (const struct labels *, ls, &f->found.v)
        if (str_is(labels_get(*ls, S("__meta_filepath")), path))
            target_list_add(&f->fresh, labels_get(*ls, S("__address__")), ls->v, ls->n);
}

/* One list that is refused leaves the others alone. */
static void read_or_keep(struct discovery_finder *f, const char *path)
{
    struct err e = ERR_INIT;
    size_t before = f->fresh.v.n;

    if (discovery_read_list(&f->fresh, path, &e))
        return;
    f->fresh.v.n = before;
    keep_list(f, path);
    if (f->err.code == ERR_NONE)
        f->err = e;
}

/* A file that is named, and not just matched by a pattern, is missed. */
static int glob_flags(str pattern, bool is_first)
{
    return (is_first ? 0 : GLOB_APPEND) | (str_find(pattern, '*') < 0 ? GLOB_NOCHECK : 0);
}

static bool find_files(struct discovery_finder *f)
{
    glob_t found = {0};

    f->reading = 1;
    for (size_t i = 0; i < f->subjects.n; i++)
        if (glob(f->subjects.v[i].p, glob_flags(f->subjects.v[i], i == 0), NULL, &found) ==
            GLOB_NOSPACE)
            return err_set(&f->err, ERR_LIMIT, "too many files");
    if (found.gl_pathc == 0 &&
        f->found.v.n != 0) { /* the folder, rather than all lists of it at once */
        globfree(&found);
        return err_set(&f->err, ERR_NOT_FOUND, "no file is there any more");
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        f->reading = discovery_look(f->reading, found.gl_pathv[i]);
    for (size_t i = 0; f->reading != f->seen && i < found.gl_pathc; i++)
        read_or_keep(f, found.gl_pathv[i]);
    globfree(&found);
    return true;
}

static bool find_names(struct discovery_finder *f)
{
    for (size_t i = 0; i < f->subjects.n; i++)
        if (!dns_targets(&f->fresh, f->subjects.v[i], f->dns_type, f->port, &f->err))
            return false;
    return true;
}

static void discovery_find(struct job *j)
{
    struct discovery_finder *f = container_of(j, struct discovery_finder, job);

    switch (f->kind) {
    case FILES: f->ok = find_files(f); break;
    case DNS: f->ok = find_names(f); break;
    case HTTP:
        f->ok = target_list_read_json(&f->fresh, buf_str(&f->body),
                                      (struct label){S("__meta_url"), f->subjects.v[0]}, &f->err);
        break;
    case STATIC: break;
    }
}

/* -- on the loop -- */

static void finder_free(struct discovery_finder *f)
{
    target_list_release(&f->found);
    buf_release(&f->body);
    arena_release(&f->a);
    mem_free(f);
}

/* What came of a look, once a change: a list that stays broken says so once. */
static void discovery_note(struct discovery_finder *f)
{
    bool is_whole = f->err.code == ERR_NONE;

    f->failures += !is_whole;
    if (is_whole)
        f->last_found = f->owner->parts.clock->now.wall;
    if (strncmp(f->last_error, f->err.msg, sizeof(f->last_error) - 1) == 0)
        return;
    if (is_whole)
        log_info("targets are looked up again", LOG_Z("kind", kind_names[f->kind]),
                 LOG_STR("subject", f->shown));
    else
        log_warn("targets could not be looked up, the last list stays",
                 LOG_Z("kind", kind_names[f->kind]), LOG_STR("subject", f->shown),
                 LOG_ERR(&f->err));
    snprintf(f->last_error, sizeof(f->last_error), "%s", f->err.msg);
}

static void discovery_settle(struct discovery_finder *f)
{
    struct discovery *d = f->owner;

    discovery_note(f);
    f->has_answered = true;
    f->has_found |= f->err.code == ERR_NONE;
    timer_arm(d->parts.clock, &f->timer, ts_add(d->parts.clock->now.mono, f->interval));
    d->parts.changed(d->parts.arg);
}

static void found(struct job *j)
{
    struct discovery_finder *f = container_of(j, struct discovery_finder, job);
    bool is_same = f->kind == FILES && f->ok && f->reading == f->seen;

    f->is_running = false;
    if (f->owner == NULL || !f->ok || is_same) {
        target_list_release(&f->fresh);
        f->seen = f->ok ? f->seen : 0;
    } else {
        target_list_release(&f->found);
        f->found = f->fresh;
        f->seen = f->err.code == ERR_NONE ? f->reading : 0; /* what is refused is read again */
    }
    if (f->owner == NULL)
        finder_free(f);
    else if (is_same)
        timer_arm(f->owner->parts.clock, &f->timer,
                  ts_add(f->owner->parts.clock->now.mono, f->interval));
    else
        discovery_settle(f);
}

static void discovery_run(struct discovery_finder *f)
{
    target_list_init(&f->fresh);
    f->err = (struct err)ERR_INIT;
    f->is_running = true;
    f->job.run = discovery_find;
    f->job.done = found;
    pool_run(f->owner->parts.pool, WORK_NAME, &f->job);
}

static bool discovery_is_list(const struct transport_answer *a, struct err *e)
{
    str type = http_header_get(&a->http.headers, S("Content-Type"));

    if (a->failure != TRANSPORT_OK)
        *e = a->err;
    else if (a->http.status != 200)
        err_set(e, ERR_IO, "answered with status %d", a->http.status);
    else if (!str_eq_nocase(str_trim(str_cut(&type, ';')), S("application/json")))
        err_set(e, ERR_INVALID, "the answer is not of type application/json");
    else
        return true;
    return false;
}

static void discovery_answered(void *arg, const struct transport_answer *a)
{
    struct discovery_finder *f = arg;

    f->transfer = NULL;
    f->err = (struct err)ERR_INIT;
    if (!discovery_is_list(a, &f->err)) {
        discovery_settle(f);
        return;
    }
    buf_clear(&f->body);
    buf_add(&f->body, a->http.body);
    discovery_run(f);
}

static void discovery_ask(struct discovery_finder *f)
{
    struct discovery *d = f->owner;
    char seconds[32];
    struct http_header headers[] = {{S("Accept"), S("application/json")},
                                    {S("X-Prometheus-Refresh-Interval-Seconds"), STR_NONE}};
    struct transport_request rq = {.http = {.url = f->subjects.v[0],
                                            .headers = {headers, ARRAY_LEN(headers)}},
                                   .conf = f->http,
                                   .class = WORK_NAME,
                                   .deadline = ts_add(d->parts.clock->now.mono, f->interval),
                                   .max_answer = ANSWER_MAX};

    snprintf(seconds, sizeof(seconds), "%.0f", (double)f->interval / NS_PER_S);
    headers[1].value = str_of(seconds);
    f->transfer = transport_send(d->parts.transport, &rq, discovery_answered, f);
}

static void discovery_due(struct timer *t, struct now now)
{
    struct discovery_finder *f = container_of(t, struct discovery_finder, timer);

    (void)now;
    if (f->kind == HTTP)
        discovery_ask(f);
    else
        discovery_run(f);
}

/* -- making -- */

/* A URL may carry who asks: http://user:password@host/list. */
static str without_user(struct arena *a, str url)
{
    ptrdiff_t scheme = str_find_str(url, S("://"));
    size_t begin = scheme < 0 ? url.n : (size_t)scheme + 3, end = begin;
    ptrdiff_t at;

    while (end < url.n && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#')
        end++;
    at = str_find(str_sub(url, begin, end), '@');
    return at < 0 ? url
                  : arena_printf(a, "%.*s<secret>%.*s", STR(str_sub(url, 0, begin)),
                                 STR(str_sub(url, begin + (size_t)at, url.n)));
}

static struct discovery_finder *discovery_add(struct discovery *d, enum kind kind,
                                              const str *subjects, size_t n, dur_ns interval)
{
    struct discovery_finder *f = mem_new(struct discovery_finder);

    f->owner = d;
    f->kind = kind;
    f->interval = interval;
    f->timer.fire = discovery_due;
    f->last_found = TS_NONE;
    arena_init(&f->a, 0);
    target_list_init(&f->found);
    f->subjects = (struct conf_strings){arena_array(&f->a, n, sizeof(str)), n};
    for (size_t i = 0; i < n; i++)
        f->subjects.v[i] = arena_str(&f->a, subjects[i]);
    f->shown = n != 0 ? without_user(&f->a, f->subjects.v[0]) : STR_NONE;
    if (kind != STATIC)
        timer_arm(d->parts.clock, &f->timer, d->parts.clock->now.mono);
    vec_push(&d->v, f);
    return f;
}

static void add_static(struct discovery *d, const struct static_sd_conf *c)
{
    struct discovery_finder *f = discovery_add(d, STATIC, NULL, 0, 0);
    struct label *v = arena_array(&f->a, c->labels.n, sizeof(*v));

    for (size_t i = 0; i < c->labels.n; i++)
        v[i] = (struct label){c->labels.v[i].name, c->labels.v[i].value};
    for (size_t i = 0; i < c->targets.n; i++)
        target_list_add(&f->found, c->targets.v[i], v, c->labels.n);
    f->has_answered = f->has_found = true;
}

static void add_dns(struct discovery *d, const struct dns_sd_conf *c)
{
    struct discovery_finder *f = discovery_add(d, DNS, c->names.v, c->names.n, c->refresh_interval);

    f->dns_type = c->type;
    f->port = (unsigned)c->port;
}

struct discovery *discovery_new(const struct discovery_conf *conf,
                                const struct discovery_parts *parts)
{
    struct discovery *d = mem_new(struct discovery);

    d->parts = *parts;
    for (size_t i = 0; i < conf->statics.n; i++)
        add_static(d, &conf->statics.v[i]);
    for (size_t i = 0; i < conf->files.n; i++) {
        const struct file_sd_conf *c = &conf->files.v[i];

        /* looking is cheap, so it is done often enough to need no watch */
        discovery_add(d, FILES, c->files.v, c->files.n,
                      c->refresh_interval < LOOK_S * NS_PER_S ? c->refresh_interval
                                                              : LOOK_S * NS_PER_S);
    }
    for (size_t i = 0; i < conf->https.n; i++)
        discovery_add(d, HTTP, &conf->https.v[i].url, 1, conf->https.v[i].refresh_interval)->http =
            conf->https.v[i].http;
    for (size_t i = 0; i < conf->dns.n; i++)
        add_dns(d, &conf->dns.v[i]);
    return d;
}

void discovery_free(struct discovery *d)
{
    if (d == NULL)
        return;
    VEC_EACH (struct discovery_finder **, p, &d->v) {
        struct discovery_finder *f = *p;

        timer_cancel(d->parts.clock, &f->timer);
        if (f->transfer != NULL)
            transport_cancel(d->parts.transport, f->transfer);
        f->owner = NULL;
        if (!f->is_running)
            finder_free(f);
    }
    vec_release(&d->v);
    mem_free(d);
}

bool discovery_is_settled(const struct discovery *d)
{
    VEC_EACH (struct discovery_finder **, f, &d->v)
        if (!(*f)->has_answered)
            return false;
    return true;
}

bool discovery_is_complete(const struct discovery *d)
{
    VEC_EACH (struct discovery_finder **, f, &d->v)
        if (!(*f)->has_found)
            return false;
    return true;
}

void discovery_each(const struct discovery *d, void (*each)(void *arg, struct labels ls), void *arg)
{
    VEC_EACH (struct discovery_finder **, f, &d->v)
        VEC_EACH (struct labels *, ls, &(*f)->found.v)
            each(arg, *ls);
}

void discovery_each_list(const struct discovery *d,
                         void (*each)(void *arg, const struct discovery_status *s), void *arg)
{
    VEC_EACH (struct discovery_finder *const *, p, &d->v) {
        const struct discovery_finder *f = *p;
        struct discovery_status s = {.kind = kind_names[f->kind],
                                     .last_error = str_of(f->last_error),
                                     .last_found = f->last_found,
                                     .targets = f->found.v.n,
                                     .failures = f->failures};

        if (f->kind == STATIC)
            continue;
        s.subject = f->shown;
        each(arg, &s);
    }
}
