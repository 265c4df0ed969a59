/* A thread a file: it takes all that waits at once, and writes it. A write that fails takes its lines with it; half a line is
 * cut off again, or closed by a line end where that cannot be. */
#include "recorder/outlets.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "os/log.h"

enum { STREAM_EVENTS = 8192, STREAM_BYTES = 64 << 20, STREAM_PATIENCE_S = 1 };

struct event_file {
    str path;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct buf waiting;
    size_t events; /* of it */
    bool stops;
    atomic_ullong dropped, bytes;
    /* the thread's */
    int fd; /* -1: not open */
    dev_t dev;
    ino_t ino;
    bool is_torn; /* half a line stands at the end */
};

/* A name that leads to another file by now is opened anew. Nothing that is no file is waited for. */
static bool event_file_open(struct event_file *s, struct err *e)
{
    const char *path = s->path.p;
    struct stat st;

    if (s->path.n == 0) {
        s->fd = STDOUT_FILENO;
        return true;
    }
    if (s->fd >= 0 && stat(path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
        return true;
    if (s->fd >= 0)
        close(s->fd);
    s->is_torn = false;
    s->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0640);
    if (s->fd < 0)
        return err_errno(e, errno, "cannot open");
    if (fstat(s->fd, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISCHR(st.st_mode))) {
        close(s->fd);
        s->fd = -1;
        return err_set(e, ERR_INVALID, "is no file");
    }
    s->dev = st.st_dev;
    s->ino = st.st_ino;
    return true;
}

/* Returns how much went out. */
static size_t event_file_write(int fd, str text, struct err *e)
{
    size_t done = 0;

    while (done < text.n) {
        ssize_t n = write(fd, text.p + done, text.n - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            err_errno(e, n < 0 ? errno : ENOSPC, "cannot write");
            break;
        }
        done += (size_t)n;
    }
    return done;
}

static size_t lines_of(str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

/* The disk may be full behind half a line. */
static size_t event_file_mend(struct event_file *s, str text, size_t done)
{
    size_t whole = done;
    struct stat st;

    while (whole != 0 && text.p[whole - 1] != '\n')
        whole--;
    s->is_torn =
        whole != done && (s->path.n == 0 || fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
                          ftruncate(s->fd, st.st_size - (off_t)(done - whole)) != 0);
    return whole;
}

static void event_file_put_out(struct event_file *s, str text)
{
    struct err e = ERR_INIT;
    size_t done = 0;

    if (event_file_open(s, &e) && (!s->is_torn || event_file_write(s->fd, S("\n"), &e) == 1)) {
        s->is_torn = false;
        done = event_file_write(s->fd, text, &e);
        if (done != text.n)
            done = event_file_mend(s, text, done);
    }
    atomic_fetch_add(&s->bytes, done);
    if (done == text.n)
        return;
    atomic_fetch_add(&s->dropped, lines_of(str_sub(text, done, text.n)));
    log_warn("events cannot be written, they are dropped",
             LOG_STR("path", s->path.n != 0 ? s->path : S("stdout")), LOG_ERR(&e));
}

static void *event_file_run(void *arg)
{
    struct event_file *s = arg;
    struct buf text = BUF_INIT, empty;

    pthread_mutex_lock(&s->lock);
    while (!s->stops || s->waiting.n != 0) {
        if (s->waiting.n == 0) {
            pthread_cond_wait(&s->work, &s->lock);
            continue;
        }
        empty = text;
        text = s->waiting;
        s->waiting = empty;
        s->events = 0;
        pthread_mutex_unlock(&s->lock);
        event_file_put_out(s, buf_str(&text));
        buf_clear(&text);
        if (text.cap > 1 << 20)
            buf_release(&text);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    buf_release(&text);
    return NULL;
}

struct event_file *event_file_new(str path)
{
    struct event_file *s = mem_new(struct event_file);
    sigset_t all, old;

    s->path = path.n != 0 ? (str){mem_zdup(path), path.n} : STR_NONE;
    s->fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    sigfillset(&all); /* signals are the loop's */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    BUG_ON(pthread_create(&s->thread, NULL, event_file_run, s) != 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return s;
}

/* A write that does not end is left behind, with what it touches. */
void event_file_free(struct event_file *s)
{
    struct timespec by;

    pthread_mutex_lock(&s->lock);
    s->stops = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    clock_gettime(CLOCK_REALTIME, &by);
    by.tv_sec += STREAM_PATIENCE_S;
    if (pthread_timedjoin_np(s->thread, NULL, &by) != 0) {
        log_warn("a write of events does not end: it is left behind",
                 LOG_STR("path", s->path.n != 0 ? s->path : S("stdout")));
        pthread_detach(s->thread);
        return;
    }
    if (s->fd > STDERR_FILENO)
        close(s->fd);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->work);
    buf_release(&s->waiting);
    mem_str_free(s->path);
    mem_free(s);
}

str event_file_path(const struct event_file *s)
{
    return s->path;
}

bool event_file_put(struct event_file *s, str line)
{
    bool fits;

    pthread_mutex_lock(&s->lock);
    fits = s->events < STREAM_EVENTS && s->waiting.n + line.n < STREAM_BYTES;
    if (fits) {
        buf_add(&s->waiting, line);
        buf_addc(&s->waiting, '\n');
        s->events++;
        pthread_cond_signal(&s->work);
    }
    pthread_mutex_unlock(&s->lock);
    if (!fits)
        atomic_fetch_add(&s->dropped, 1);
    return fits;
}

struct event_file_load event_file_load(struct event_file *s)
{
    struct event_file_load l;

    pthread_mutex_lock(&s->lock);
    l.waiting = s->events;
    pthread_mutex_unlock(&s->lock);
    l.dropped = atomic_load(&s->dropped);
    l.bytes = atomic_load(&s->bytes);
    return l;
}
