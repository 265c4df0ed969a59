/* Two lists of the same remotes: the disk's job has one, and makes requests for them; the loop has the other, and a sender for
 * each. A configuration changes the first in a job and the second when that is home. */
#include "remote_write/remote_write.h"

#include <dirent.h>
#include <stdio.h>
#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/file.h"
#include "os/log.h"
#include "remote_write/batch.h"
#include "remote_write/remote_metadata.h"
#include "tsdb/log.h"

enum { PATH = 4096, ID = 17 };

struct remote {
    str key; /* owned */
    /* the job's */
    struct batch batch;
    bool is_open, is_named, hears;
    uint64_t left_out;
    /* the loop's */
    struct sender *sender; /* NULL: not yet */
    struct remote_metadata *metadata;
    uint64_t shown_left_out;
    ts_ns failing_since, lost_at; /* mono; TS_NONE: it is not, none was */
    uint64_t lost;                /* samples, so far */
    bool is_failing;              /* and that was told */
};

struct remote_wish {
    void *conf; /* a reference; NULL: none */
    const struct remote_write_list *list;
    struct labels external;
};

struct remote_write {
    struct remote_write_parts parts;
    /* the loop's */
    struct remote_wish wanted;
    void *lent; /* what senders borrow from */
    VEC(struct remote *) shown;
    bool is_stopped;

    /* the job's, while it runs */
    struct remote_wish next, heard;
    bool has_begun, is_changed;
    str dir;                 /* owned */
    struct hearing *hearing; /* NULL: there are no remotes */
    struct tsdb_log_ear ear;
    VEC(struct remote *) remotes, gone;
    ts_ns mono;
};

static void remote_write_hear(void *arg, const struct heard *x)
{
    struct remote_write *w = arg;

    VEC_EACH (struct remote **, r, &w->remotes)
        if ((*r)->hears)
            batch_put(&(*r)->batch, x, w->mono);
}

static void remote_write_hear_begin(void *arg)
{
    hearing_begin(((struct remote_write *)arg)->hearing);
}

/* What a queue had before the last end is not made again. */
static void remote_write_hear_record(void *arg, struct tsdb_log_place end, bool is_replayed,
                                     str bytes)
{
    struct remote_write *w = arg;

    VEC_EACH (struct remote **, r, &w->remotes)
        (*r)->hears = (*r)->is_open && !(is_replayed && spool_has_heard((*r)->batch.spool, end));
    hearing_record(w->hearing, bytes);
}

struct remote_write *remote_write_new(const struct remote_write_parts *parts)
{
    struct remote_write *w = mem_new(struct remote_write);

    w->parts = *parts;
    w->ear = (struct tsdb_log_ear){remote_write_hear_begin, remote_write_hear_record, w};
    return w;
}

static void remote_free(struct remote *r)
{
    if (r->sender != NULL)
        sender_free(r->sender);
    remote_metadata_free(r->metadata);
    spool_unref(r->batch.spool);
    batch_release(&r->batch);
    mem_str_free(r->key);
    mem_free(r);
}

static void remote_write_let_go(struct remote_write *w, void *conf)
{
    if (conf != NULL)
        w->parts.let_go(conf);
}

void remote_write_stop(struct remote_write *w)
{
    w->is_stopped = true;
    VEC_EACH (struct remote **, r, &w->shown)
        if ((*r)->sender != NULL)
            sender_stop((*r)->sender);
}

void remote_write_free(struct remote_write *w)
{
    if (w == NULL)
        return;
    tsdb_log_listen(w->parts.db, NULL);
    VEC_EACH (struct remote **, r, &w->remotes)
        remote_free(*r);
    VEC_EACH (struct remote **, r, &w->gone)
        remote_free(*r);
    vec_release(&w->remotes);
    vec_release(&w->gone);
    vec_release(&w->shown);
    hearing_free(w->hearing);
    remote_write_let_go(w, w->wanted.conf);
    remote_write_let_go(w, w->next.conf);
    remote_write_let_go(w, w->heard.conf);
    remote_write_let_go(w, w->lent);
    mem_str_free(w->dir);
    mem_free(w);
}

/* -- a configuration -- */

void remote_write_configure(struct remote_write *w, void *conf, const struct remote_write_list *l,
                            struct labels external)
{
    remote_write_let_go(w, w->wanted.conf);
    w->wanted = (struct remote_wish){w->parts.hold(conf), l, external};
}

void remote_write_lend(struct remote_write *w)
{
    if (w->wanted.conf == NULL)
        return;
    remote_write_let_go(w, w->next.conf);
    w->next = w->wanted;
    w->wanted = (struct remote_wish){0};
}

static void remote_id(str key, char out[ID])
{
    snprintf(out, ID, "%016llx", (unsigned long long)fnv1a_str(FNV1A_INIT, key));
}

static bool remote_open(struct remote_write *w, struct remote *r, struct err *e)
{
    char path[PATH], id[ID];

    remote_id(r->key, id);
    snprintf(path, sizeof(path), "%.*s/%s", STR(w->dir), id);
    r->is_open = spool_open(r->batch.spool, str_of(path), e);
    return r->is_open;
}

static struct remote *remote_of(struct remote_write *w, const struct remote_write_conf *c)
{
    struct remote *r;

    VEC_EACH (struct remote **, x, &w->remotes)
        if (str_eq((*x)->key, remote_write_key(c)))
            return *x;
    r = mem_new(struct remote);
    r->key = mem_str_dup(remote_write_key(c));
    r->failing_since = r->lost_at = TS_NONE;
    batch_init(&r->batch, spool_new());
    vec_push(&w->remotes, r);
    return r;
}

static void remote_say_removed(str title, uint64_t samples)
{
    if (samples != 0)
        log_warn("a remote is named no more: samples that it has not got are dropped",
                 LOG_STR("remote", title), LOG_I64("samples", samples));
}

/* Of the last life's: who is named no more. */
static void remove_strangers(struct remote_write *w)
{
    char path[PATH], id[ID];
    struct dirent *entry;
    DIR *d;

    snprintf(path, sizeof(path), "%.*s", STR(w->dir));
    d = opendir(path);
    while (d != NULL && (entry = readdir(d)) != NULL) {
        bool is_known = strlen(entry->d_name) != ID - 1;
        struct spool *s;
        struct err e = ERR_INIT;

        VEC_EACH (struct remote **, r, &w->remotes) {
            remote_id((*r)->key, id);
            is_known |= strcmp(id, entry->d_name) == 0;
        }
        if (is_known)
            continue;
        snprintf(path, sizeof(path), "%.*s/%.16s", STR(w->dir), entry->d_name);
        s = spool_new();
        if (spool_open(s, str_of(path), &e))
            remote_say_removed(str_of(entry->d_name), spool_remove(s));
        spool_unref(s);
    }
    if (d != NULL)
        closedir(d);
}

static void take_remotes(struct remote_write *w)
{
    const struct remote_write_list *l = w->heard.list;
    struct arena a;
    size_t n = 0;

    arena_init(&a, 0);
    VEC_EACH (struct remote **, r, &w->remotes)
        (*r)->is_named = false;
    for (size_t i = 0; i < l->n; i++) {
        struct remote *r = remote_of(w, &l->v[i]);

        r->is_named = true;
        batch_configure(&r->batch, &l->v[i], w->heard.external, i);
        spool_limit(r->batch.spool, (uint64_t)l->v[i].queue_config.max_size);
    }
    for (size_t i = 0; i < w->remotes.n; i++) {
        struct remote *r = w->remotes.v[i];

        if (r->is_named) {
            w->remotes.v[n++] = r;
        } else {
            remote_say_removed(remote_write_title(r->batch.conf, &a), spool_remove(r->batch.spool));
            vec_push(&w->gone, r);
        }
    }
    w->remotes.n = n;
    arena_release(&a);
}

/* Who hears what: nobody is listened for where there are no remotes. */
static void take_hearing(struct remote_write *w)
{
    bool all = remote_write_wants_all(w->heard.list);

    if (w->remotes.n == 0) {
        tsdb_log_listen(w->parts.db, NULL);
        hearing_free(w->hearing);
        w->hearing = NULL;
        return;
    }
    if (w->hearing == NULL)
        w->hearing = hearing_new(remote_write_hear, w);
    hearing_of_all(w->hearing, all);
    hearing_forget_made(w->hearing);
    tsdb_log_listen(w->parts.db, &w->ear);
}

static bool open_queues(struct remote_write *w, struct err *e)
{
    char path[PATH];
    bool ok = true;

    if (w->remotes.n == 0)
        return true;
    snprintf(path, sizeof(path), "%.*s", STR(w->dir));
    if (!folder_make(path, e))
        return false;
    VEC_EACH (struct remote **, r, &w->remotes)
        ok &= (*r)->is_open || remote_open(w, *r, e);
    return ok;
}

bool remote_write_begin(struct remote_write *w, str dir, struct err *e)
{
    void *before = w->heard.conf;
    bool ok;

    if (w->next.conf == NULL)
        return true;
    if (w->dir.n == 0)
        w->dir = mem_str_dup(dir);
    w->heard = w->next;
    w->next = (struct remote_wish){0};
    w->is_changed = true;
    take_remotes(w);
    remote_write_let_go(w, before);
    if (!w->has_begun)
        remove_strangers(w);
    w->has_begun = true;
    ok = open_queues(w, e);
    take_hearing(w);
    return ok || err_wrap(e, "remote write");
}

bool remote_write_step(struct remote_write *w, struct now now, bool at_once, bool sync,
                       struct err *e)
{
    struct tsdb_log_place place = tsdb_log_place(w->parts.db);
    bool ok = !sync || open_queues(w, e);

    w->mono = now.mono;
    if (place.segment == 0) /* there is no log, and nothing was heard */
        return ok;
    VEC_EACH (struct remote **, r, &w->remotes) {
        if (!(*r)->is_open)
            continue;
        ok &= batch_step(&(*r)->batch, now.mono, at_once, place, e);
        ok &= !sync || spool_sync((*r)->batch.spool, e);
        (*r)->left_out = (*r)->batch.left_out;
    }
    return ok || err_wrap(e, "remote write");
}

/* -- on the loop, behind the job -- */

static void show_remote(struct remote_write *w, struct remote *r)
{
    const struct sender_parts parts = {w->parts.clock, w->parts.pool, w->parts.transport};
    struct arena a;

    arena_init(&a, 0);
    if (r->sender == NULL) {
        r->sender = sender_new(&parts, r->batch.spool);
        r->metadata = remote_metadata_new(&parts);
    }
    sender_configure(r->sender, r->batch.conf, remote_write_title(r->batch.conf, &a));
    vec_push(&w->shown, r);
    arena_release(&a);
}

static void tell_failing(struct remote_write *w, struct remote *r, bool is_failing, str why)
{
    if (is_failing != r->is_failing && w->parts.failing != NULL)
        w->parts.failing(w->parts.arg, sender_title(r->sender), is_failing, why);
    r->is_failing = is_failing;
}

static void watch_remote(struct remote_write *w, struct remote *r)
{
    const struct sender_stats *st = sender_stats(r->sender);
    struct spool_figures f = spool_figures(r->batch.spool);
    ts_ns now = w->parts.clock->now.mono;
    uint64_t lost = st->rejected + f.dropped;
    bool is_away, is_lossy;
    char why[400];

    if (lost != r->lost)
        r->lost_at = now;
    if (st->why[0] == '\0')
        r->failing_since = TS_NONE;
    else if (r->failing_since == TS_NONE)
        r->failing_since = now;
    r->lost = lost;
    is_lossy = r->lost_at != TS_NONE && now - r->lost_at < REMOTE_FAILING;
    is_away = r->failing_since != TS_NONE && now - r->failing_since >= REMOTE_FAILING;
    snprintf(why, sizeof(why), "%llu samples are lost since the start, %llu wait%s%s",
             (unsigned long long)lost, (unsigned long long)f.samples,
             st->why[0] != '\0' ? ": " : "", st->why);
    tell_failing(w, r, is_away || is_lossy, str_of(why));
}

static void show_remotes(struct remote_write *w)
{
    vec_clear(&w->shown);
    VEC_EACH (struct remote **, r, &w->remotes)
        show_remote(w, *r);
    VEC_EACH (struct remote **, r, &w->gone) {
        tell_failing(w, *r, false, STR_NONE);
        remote_free(*r);
    }
    vec_clear(&w->gone);
    remote_write_let_go(w, w->lent); /* nobody borrows from it any more */
    w->lent = w->parts.hold(w->heard.conf);
    w->is_changed = false;
}

void remote_write_settled(struct remote_write *w)
{
    if (w->is_stopped)
        return;
    if (w->is_changed)
        show_remotes(w);
    VEC_EACH (struct remote **, r, &w->shown) {
        (*r)->shown_left_out = (*r)->left_out;
        watch_remote(w, *r);
        sender_go_on((*r)->sender);
        remote_metadata_go_on((*r)->metadata, (*r)->sender, w->parts.scraper);
    }
}

void remote_write_each(struct remote_write *w,
                       void (*each)(void *arg, const struct remote_status *r), void *arg)
{
    VEC_EACH (struct remote **, r, &w->shown) {
        const struct remote_status x = {.title = sender_title((*r)->sender),
                                        .conf = sender_conf((*r)->sender),
                                        .stats = sender_stats((*r)->sender),
                                        .queue = spool_figures((*r)->batch.spool),
                                        .histograms = (*r)->shown_left_out};

        each(arg, &x);
    }
}
