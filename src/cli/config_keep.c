#include "cli/config_keep.h"

#include <unistd.h>
#include "os/log.h"
#include "state/lock.h"

enum { KEPT_MAX = 1 << 30 };

static void config_keep_path_of(const char *dir, struct buf *out)
{
    buf_addf(out, "%s/last-good", dir);
}

void config_keep_init(struct config_keep *k, const char *dir, struct pool *pool)
{
    *k = (struct config_keep){.dir = dir, .pool = pool};
}

static void write_it(struct job *j)
{
    struct config_keep *k = container_of(j, struct config_keep, job);
    struct buf path = BUF_INIT;

    k->why = (struct err)ERR_INIT;
    config_keep_path_of(k->dir, &path);
    k->failed = !state_dir_make(str_of(k->dir), &k->why) ||
                !file_replace(buf_str(&path), buf_str(&k->writing), &k->why);
    buf_release(&path);
}

static void config_keep_written(struct job *j);

static void config_keep_begin(struct config_keep *k)
{
    k->writing = k->next;
    k->next = (struct buf)BUF_INIT;
    k->is_busy = true;
    k->job = (struct job){.run = write_it, .done = config_keep_written};
    pool_run(k->pool, WORK_SLOW, &k->job);
}

static void config_keep_written(struct job *j)
{
    struct config_keep *k = container_of(j, struct config_keep, job);

    k->is_busy = false;
    buf_release(&k->writing); /* as long as the files are */
    if (k->failed)
        log_warn("the accepted configuration cannot be kept", LOG_ERR(&k->why));
    if (k->next.n != 0)
        config_keep_begin(k);
}

void config_keep_put(struct config_keep *k, const struct file_set *set)
{
    if (k->dir == NULL || k->dir[0] == '\0')
        return;
    buf_clear(&k->next);
    file_set_pack(set, &k->next);
    if (!k->is_busy)
        config_keep_begin(k);
}

void config_keep_release(struct config_keep *k)
{
    buf_release(&k->writing);
    buf_release(&k->next);
}

struct file_set *config_keep_read(const char *dir)
{
    struct buf path = BUF_INIT, bytes = BUF_INIT;
    struct file_set *set = NULL;
    struct err e = ERR_INIT;

    if (dir[0] == '\0')
        return NULL;
    config_keep_path_of(dir, &path);
    if (file_read(buf_str(&path), FILE_REGULAR, KEPT_MAX, &bytes, &e))
        set = file_set_unpack(buf_str(&bytes), &e);
    if (set == NULL)
        log_error("there are no files that were accepted last", LOG_STR("path", buf_str(&path)),
                  LOG_ERR(&e));
    buf_release(&path);
    buf_release(&bytes);
    return set;
}
