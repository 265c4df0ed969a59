/* Silences and the notification log, from Alertmanager's folder into our store and back. Neither side may run. */
#include "cli/bridge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "os/file.h"
#include "bridge/am_snapshot.h"
#include "cli/say.h"
#include "os/clock.h"
#include "state/backend.h"

enum { SNAPSHOT_MAX = 1 << 30 };

#define F struct bridge_flags
const struct flag bridge_flag_table[] = {
    FLAG(F, storage_path, "storage.path", FLAG_TEXT, "data/", "DIR", "tocsin's folder"),
    FLAG(F, retention, "data.retention", FLAG_DURATION, "120h", "D",
         "how long an ended silence is remembered after the export"),
    FLAGS_END,
};
#undef F

struct bridge {
    struct clock clock;
    struct state_backend *state;
    struct state_commit commit;
    struct buf silences, nflog;
    dur_ns retention;
    size_t n_silences, n_nflog, skipped;
    bool failed;
    struct err why;
};

static void bridge_committed(void *arg, uint64_t n, bool ok, const struct err *e)
{
    struct bridge *b = arg;

    (void)n;
    if (!ok && !b->failed)
        b->why = *e;
    b->failed |= !ok;
}

static bool open_state(struct bridge *b, const struct bridge_flags *f)
{
    struct state_shell shell = {.committed = bridge_committed, .arg = b};
    struct buf notice = BUF_INIT;
    struct err e = ERR_INIT;

    clock_init(&b->clock);
    clock_update(&b->clock);
    b->retention = f->retention;
    b->state = state_sqlite_open(str_of(f->storage_path), &shell, &b->clock, &notice, &e);
    if (notice.n != 0)
        say(stderr, "tocsin: %.*s\n", STR(buf_str(&notice)));
    buf_release(&notice);
    if (b->state == NULL)
        say(stderr, "tocsin: %s: %s\n", f->storage_path, e.msg);
    return b->state != NULL;
}

static void close_state(struct bridge *b)
{
    if (b->state != NULL)
        state_backend_free(b->state);
    state_commit_release(&b->commit);
    buf_release(&b->silences);
    buf_release(&b->nflog);
    clock_release(&b->clock);
}

static bool is_there(const char *dir, const char *name)
{
    struct buf path = BUF_INIT;
    bool there;

    buf_addf(&path, "%s/%s", dir, name);
    there = access(buf_z(&path), F_OK) == 0;
    buf_release(&path);
    return there;
}

/* False: said why. A file that is not there is an empty one. */
static bool bridge_read_file(const char *dir, const char *name, struct buf *out)
{
    struct buf path = BUF_INIT;
    struct err e = ERR_INIT;
    bool ok;

    buf_addf(&path, "%s/%s", dir, name);
    ok = (access(buf_z(&path), F_OK) != 0 && errno == ENOENT && access(dir, X_OK) == 0) ||
         file_read(buf_str(&path), FILE_REGULAR, SNAPSHOT_MAX, out, &e);
    if (!ok)
        say(stderr, "tocsin: %s\n", e.msg);
    buf_release(&path);
    return ok;
}

/* -- import -- */

static void import_silence(void *arg, struct silence *s)
{
    struct bridge *b = arg;
    struct buf row = BUF_INIT;

    silence_pack(&row, s);
    state_put(&b->commit, STATE_SILENCE, uuid_str(&s->id), buf_str(&row));
    b->n_silences++;
    buf_release(&row);
    silence_free(s);
}

static void import_nflog(void *arg, str key, struct nflog_entry *entry)
{
    struct bridge *b = arg;
    struct buf row = BUF_INIT;

    if (entry->expires_mono > b->clock.now.mono) {
        nflog_pack(&row, entry, b->clock.now);
        state_put(&b->commit, STATE_TOLD, key, buf_str(&row));
        b->n_nflog++;
    }
    buf_release(&row);
    nflog_entry_free(entry);
}

static bool import_from(struct bridge *b, const char *dir)
{
    struct err e = ERR_INIT;

    if (access(dir, X_OK) == 0 && !is_there(dir, "silences") && !is_there(dir, "nflog")) {
        say(stderr,
            "tocsin: neither 'silences' nor 'nflog' is in %s: it is no --storage.path of an "
            "Alertmanager\n",
            dir);
        return false;
    }
    if (!bridge_read_file(dir, "silences", &b->silences) ||
        !bridge_read_file(dir, "nflog", &b->nflog))
        return false;
    if (!am_silences_read(buf_str(&b->silences), import_silence, b, &e)) {
        say(stderr, "tocsin: %s/silences: %s\n", dir, e.msg);
        return false;
    }
    if (!am_nflog_read(buf_str(&b->nflog), b->clock.now, import_nflog, b, &e)) {
        say(stderr, "tocsin: %s/nflog: %s\n", dir, e.msg);
        return false;
    }
    b->state->ops->commit(b->state->self, &b->commit);
    b->state->ops->sync(b->state->self);
    if (b->failed)
        say(stderr, "tocsin: cannot write the state: %s\n", b->why.msg);
    return !b->failed;
}

int import_alertmanager_run(const void *flags, char **args, int n_args)
{
    struct bridge b = {.retention = 0};
    bool ok;

    if (n_args != 1) {
        say(stderr, "tocsin: import alertmanager needs the folder of its --storage.path\n");
        return EXIT_USAGE;
    }
    ok = open_state(&b, flags) && import_from(&b, args[0]);
    if (ok)
        say(stdout, "imported %zu silences and %zu entries of the notification log\n", b.n_silences,
            b.n_nflog);
    close_state(&b);
    return ok ? EXIT_OK : EXIT_FAILED;
}

/* -- export -- */

static bool export_silence(void *arg, str key, str value)
{
    struct bridge *b = arg;
    struct err e = ERR_INIT;
    struct silence *s = silence_unpack(value, &e);

    (void)key;
    if (s == NULL) {
        b->skipped++;
        return true;
    }
    am_silence_write(&b->silences, s, ts_add(s->ends_at, b->retention));
    b->n_silences++;
    silence_free(s);
    return true;
}

static bool export_nflog(void *arg, str key, str value)
{
    struct bridge *b = arg;
    struct nflog_entry *e = nflog_unpack(value, b->clock.now);

    /* Alertmanager's log knows no doubt: there the group is told anew */
    if (e != NULL && !e->is_unsure && am_nflog_write(&b->nflog, key, e, b->clock.now))
        b->n_nflog++;
    else
        b->skipped++;
    nflog_entry_free(e);
    return true;
}

static bool write_file(const char *dir, const char *name, str bytes)
{
    struct buf path = BUF_INIT;
    struct err e = ERR_INIT;
    bool ok;

    buf_addf(&path, "%s/%s", dir, name);
    ok = file_replace(buf_str(&path), bytes, &e);
    if (!ok)
        say(stderr, "tocsin: %s\n", e.msg);
    buf_release(&path);
    return ok;
}

static bool export_to(struct bridge *b, const char *dir)
{
    const struct state_backend_ops *ops = b->state->ops;
    struct err e = ERR_INIT;

    if (!ops->scan(b->state->self, STATE_SILENCE, export_silence, b, &e) ||
        !ops->scan(b->state->self, STATE_TOLD, export_nflog, b, &e)) {
        say(stderr, "tocsin: cannot read the state: %s\n", e.msg);
        return false;
    }
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        say(stderr, "tocsin: cannot make %s: %s\n", dir, strerror(errno));
        return false;
    }
    return write_file(dir, "silences", buf_str(&b->silences)) &&
           write_file(dir, "nflog", buf_str(&b->nflog));
}

int export_alertmanager_run(const void *flags, char **args, int n_args)
{
    struct bridge b = {.retention = 0};
    bool ok;

    if (n_args != 1) {
        say(stderr, "tocsin: export alertmanager needs the folder to write to\n");
        return EXIT_USAGE;
    }
    ok = open_state(&b, flags) && export_to(&b, args[0]);
    if (ok)
        say(stdout, "exported %zu silences and %zu entries of the notification log\n", b.n_silences,
            b.n_nflog);
    if (ok && b.skipped != 0)
        say(stderr, "tocsin: %zu rows could not be exported\n", b.skipped);
    close_state(&b);
    return ok ? EXIT_OK : EXIT_FAILED;
}
