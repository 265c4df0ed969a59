/* POST /api/tocsin/storage/{backup,info,verify}: all three look at a copy of what lasts as of one commit (state/copy.h).
 *
 * backup streams it as a tar(1): a server may write nowhere but into its storage folder, and whoever asks may be elsewhere. What
 * is sent is read, and summed up, on a worker, a piece ahead; the manifest is the last file.
 *
 * One at a time; each is a change to the disk, so it takes the scope admin.
 */
#include "api/api_priv.h"

#include "base/crc32c.h"
#include "codec/tar.h"
#include "os/log.h"
#include "state/backup.h"
#include "state/copy.h"
#include "state/info.h"
#include "state/verify.h"
#include "tsdb/span.h"

enum { PIECE = 256 << 10 };

enum storage_wish { STORAGE_BACKUP, STORAGE_INFO, STORAGE_VERIFY };

struct storing {
    struct http_later later; /* until the answer begins */
    struct api *api;
    enum storage_wish wish;
    struct store_sync sync;
    struct state_copy copy;
    str dir; /* owned */
    bool ok;
    struct err why;
    struct buf text; /* of the answer; while it streams, the piece that is ready */
    size_t damaged;
    struct state_stats stats;
    ts_ns taken; /* wall */

    /* the stream */
    struct job job;
    struct http_req *rq; /* NULL: the client has gone */
    bool is_reading, is_last;
    size_t file; /* under way */
    uint64_t at;
    uint32_t crc;
    struct buf piece, manifest;
};

static void storing_free(struct storing *s)
{
    s->api->is_storing = false;
    mem_str_free(s->dir);
    buf_release(&s->text);
    buf_release(&s->piece);
    buf_release(&s->manifest);
    mem_free(s);
}

/* Nothing is left but the copy, which may be large: it goes on a worker. */
static void storage_let_go(struct job *j)
{
    state_copy_release(&container_of(j, struct storing, job)->copy);
}

static void has_gone(struct job *j)
{
    storing_free(container_of(j, struct storing, job));
}

static void api_storage_release(struct storing *s)
{
    s->job = (struct job){.run = storage_let_go, .done = has_gone};
    pool_run(s->api->conf.pool, WORK_WRITE, &s->job);
}

/* -- the stream -- */

static void storage_read_text(struct storing *s, str name, str text)
{
    tar_head(&s->piece, name, text.n, s->taken);
    buf_add(&s->piece, text);
    tar_pad(&s->piece, text.n);
}

static void storage_read_end(struct storing *s)
{
    manifest_end(&s->manifest);
    storage_read_text(s, S(MANIFEST), buf_str(&s->manifest));
    tar_finish(&s->piece);
    s->is_last = true;
}

static void storage_end_file(struct storing *s, const struct state_file *f)
{
    tar_pad(&s->piece, f->size);
    manifest_add(&s->manifest, &(struct manifest_file){f->name, f->size, s->crc});
    s->file++;
    s->at = 0;
    s->crc = 0;
}

/* Without an end of the archive: whoever reads it knows that it is not whole. */
static void storage_fail(struct storing *s, const struct state_file *f)
{
    err_set(&s->why, ERR_IO, "cannot read '%.*s' to its end", STR(f->name));
    s->ok = false;
    s->is_last = true;
}

static void read_piece(struct job *j)
{
    struct storing *s = container_of(j, struct storing, job);
    const struct state_file *f;
    size_t n = 0, from;

    buf_clear(&s->piece);
    if (s->file == s->copy.files.v.n) {
        storage_read_end(s);
        return;
    }
    f = &s->copy.files.v.v[s->file];
    if (s->at == 0)
        tar_head(&s->piece, f->name, f->size, s->taken);
    from = s->piece.n;
    buf_reserve(&s->piece, PIECE + TAR_BLOCK);
    if (s->at < f->size && (n = state_file_read(f, s->at, s->piece.p + from, PIECE)) == 0) {
        storage_fail(s, f);
        return;
    }
    s->piece.n += n;
    s->crc = crc32c_more(s->crc, (str){s->piece.p + from, n});
    s->at += n;
    if (s->at == f->size)
        storage_end_file(s, f);
}

static void has_read(struct job *j);

static void read_on(struct storing *s)
{
    s->is_reading = true;
    s->job = (struct job){.run = read_piece, .done = has_read};
    pool_run(s->api->conf.pool, WORK_WRITE, &s->job);
}

static void has_read(struct job *j)
{
    struct storing *s = container_of(j, struct storing, job);

    s->is_reading = false;
    if (!s->ok)
        log_error("a backup ends early", LOG_ERR(&s->why));
    if (s->rq == NULL)
        api_storage_release(s);
    else
        http_reply_resume(s->rq);
}

/* What is ready goes out, and the next is read meanwhile. */
static bool storage_next(void *ctx, struct buf *out)
{
    struct storing *s = ctx;

    if (s->is_reading) {
        s->rq->waits = true;
        return true;
    }
    buf_add(out, buf_str(&s->piece));
    if (s->is_last)
        return false;
    read_on(s);
    return true;
}

static void storage_done(void *ctx)
{
    struct storing *s = ctx;

    s->rq = NULL;
    if (!s->is_reading)
        api_storage_release(s);
}

static void stream(struct storing *s, struct http_req *rq)
{
    s->rq = rq;
    manifest_begin(&s->manifest, S(TOCSIN_VERSION), s->taken);
    http_reply_header(rq, S("Content-Disposition"),
                      S("attachment; filename=\"tocsin-backup.tar\""));
    http_reply_stream(rq, 200, S("application/x-tar"), storage_next, storage_done, s);
}

/* -- what is made of the copy -- */

static bool is_tar_size(const struct state_copy *c, struct err *e)
{
    VEC_EACH (const struct state_file *, f, &c->files.v)
        if (f->size > TAR_SIZE_MAX)
            return err_set(e, ERR_LIMIT, "'%.*s' is larger than 8 GiB", STR(f->name));
    return true;
}

static void put_figures(struct storing *s, struct json_writer *w)
{
    json_key(w, S("degraded"));
    json_put_bool(w, s->stats.degraded);
    json_key(w, S("commits"));
    json_put_u64(w, s->stats.commits);
}

static bool make_info(struct storing *s)
{
    struct state_span span;
    struct json_writer w;
    bool ok;

    tsdb_log_span(s->dir, &span.oldest, &span.newest);
    json_writer_init(&w, &s->text, false);
    json_open(&w, '{');
    put_figures(s, &w);
    ok = state_info(s->dir, str_of(s->copy.path), span, &w, &s->why);
    json_close(&w, '}');
    return ok;
}

static void storage_make(struct http_later *l)
{
    struct storing *s = container_of(l, struct storing, later);

    switch (s->wish) {
    case STORAGE_BACKUP:
        state_files_trim(&s->copy.files);
        s->ok = is_tar_size(&s->copy, &s->why) && state_db_check(str_of(s->copy.path), &s->why);
        break;
    case STORAGE_INFO: s->ok = make_info(s); break;
    case STORAGE_VERIFY:
        s->ok = state_verify(s->dir, str_of(s->copy.path), &s->text, &s->damaged, &s->why);
        break;
    }
}

static void storage_refuse(struct http_req *rq, const struct err *why)
{
    http_reply(rq, why->code == ERR_CORRUPT ? 500 : 503, S("text/plain; charset=utf-8"),
               str_of(why->msg));
}

static void put_verified(struct storing *s, struct http_req *rq)
{
    struct buf b = BUF_INIT;

    state_verify_json(&b, buf_str(&s->text), s->damaged);
    api_json(rq, 200, buf_str(&b));
    buf_release(&b);
}

static void storage_answer(struct http_later *l)
{
    struct storing *s = container_of(l, struct storing, later);
    struct http_req *rq = l->request;

    if (!s->ok)
        storage_refuse(rq, &s->why);
    else if (s->wish == STORAGE_BACKUP)
        stream(s, rq);
    else if (s->wish == STORAGE_INFO)
        api_json(rq, 200, buf_str(&s->text));
    else
        put_verified(s, rq);
}

static void later_free(struct http_later *l)
{
    struct storing *s = container_of(l, struct storing, later);

    if (s->rq == NULL) /* else the stream has it */
        api_storage_release(s);
}

/* -- the copy -- */

static void copied(struct state_copy *c)
{
    struct storing *s = container_of(c, struct storing, copy);
    struct http_req *rq = http_later_take(&s->later);

    s->taken = shell_clock(s->api->conf.shell)->now.wall;
    if (rq != NULL && c->ok) {
        http_later_run(&s->later, rq, WORK_WRITE);
        return;
    }
    if (rq != NULL)
        storage_refuse(rq, &c->why);
    http_later_free(&s->later);
}

/* On the loop: the client has gone, or the program stops. */
static void sampled(struct store_sync *w)
{
    struct storing *s = container_of(w, struct storing, sync);
    const struct state_backend *b = shell_backend(s->api->conf.shell);

    if (http_later_is_gone(&s->later)) {
        http_later_free(&s->later);
        return;
    }
    b->ops->stats(b->self, &s->stats);
    b->ops->copy(b->self, &s->copy);
}

static bool read_wish(str text, enum storage_wish *out)
{
    static const char *const wishes[] = {"backup", "info", "verify"};

    for (size_t i = 0; i < ARRAY_LEN(wishes); i++)
        if (str_is(text, wishes[i])) {
            *out = (enum storage_wish)i;
            return true;
        }
    return false;
}

void api_post_storage(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    enum storage_wish wish;
    struct storing *s;

    if (!read_wish(rq->wildcard, &wish)) {
        http_reply(rq, 404, S("text/plain; charset=utf-8"), S("it is one of backup, info, verify"));
        return;
    }
    if (a->is_storing || shell_backend(a->conf.shell)->ops->copy == NULL) {
        http_reply_header(rq, S("Retry-After"), S("5"));
        http_reply(rq, 503, S("text/plain; charset=utf-8"), S("another one is under way"));
        return;
    }
    a->is_storing = true;
    s = mem_new(struct storing);
    s->api = a;
    s->wish = wish;
    s->dir = mem_str_dup(a->conf.storage);
    s->sync.done = sampled;
    s->copy.done = copied;
    s->copy.gone = &s->later.gone;
    s->later.run = storage_make, s->later.answer = storage_answer, s->later.free = later_free;
    rq->ends_with_client = true;
    http_later_begin(&s->later, &a->laters, 0);
    http_later_wait(&s->later, rq);
    store_sync(a->conf.store, &s->sync);
}
