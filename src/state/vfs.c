#include "state/vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include "base/mem.h"

enum { VFS_BYTES = 64 << 10 };

/* Behind it in memory: the file of SQLite's own. */
struct vfs_file {
    sqlite3_file file;
    char *bytes; /* VFS_BYTES; NULL until something is written */
    size_t n;
    sqlite3_int64 at; /* where they go */
    int failed;       /* of a write that nobody was told of */
};

static sqlite3_vfs ours, *own;

static sqlite3_file *vfs_own(sqlite3_file *f)
{
    return (sqlite3_file *)((struct vfs_file *)f + 1);
}

static void vfs_flush(struct vfs_file *g)
{
    sqlite3_file *to = vfs_own(&g->file);
    int rc = g->n != 0 ? to->pMethods->xWrite(to, g->bytes, (int)g->n, g->at) : SQLITE_OK;

    g->n = 0;
    if (rc != SQLITE_OK)
        g->failed = rc;
}

/* What failed, to somebody who does not go on then. */
static int vfs_tell(struct vfs_file *g)
{
    int rc = g->failed;

    g->failed = SQLITE_OK;
    return rc;
}

static int vfs_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
    struct vfs_file *g = (struct vfs_file *)f;
    size_t size = (size_t)n;
    int rc;

    if (at != g->at + (sqlite3_int64)g->n || g->n + size > VFS_BYTES)
        vfs_flush(g);
    rc = vfs_tell(g);
    if (rc != SQLITE_OK)
        return rc;
    if (size > VFS_BYTES)
        return vfs_own(f)->pMethods->xWrite(vfs_own(f), bytes, n, at);
    if (g->bytes == NULL)
        g->bytes = mem_alloc(VFS_BYTES);
    if (g->n == 0)
        g->at = at;
    memcpy(g->bytes + g->n, bytes, size);
    g->n += size;
    return SQLITE_OK;
}

static int vfs_sync(sqlite3_file *f, int flags)
{
    struct vfs_file *g = (struct vfs_file *)f;
    int rc;

    vfs_flush(g);
    rc = vfs_tell(g);
    return rc != SQLITE_OK ? rc : vfs_own(f)->pMethods->xSync(vfs_own(f), flags);
}

static int vfs_close(sqlite3_file *f)
{
    struct vfs_file *g = (struct vfs_file *)f;
    int rc;

    vfs_flush(g);
    mem_free(g->bytes);
    g->bytes = NULL;
    rc = vfs_own(f)->pMethods->xClose(vfs_own(f));
    return g->failed != SQLITE_OK ? g->failed : rc;
}

static int vfs_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    struct vfs_file *g = (struct vfs_file *)f;

    if (at < g->at + (sqlite3_int64)g->n && g->at < at + n)
        vfs_flush(g);
    if (g->failed != SQLITE_OK)
        return g->failed;
    return vfs_own(f)->pMethods->xRead(vfs_own(f), out, n, at);
}

static int vfs_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    vfs_flush((struct vfs_file *)f);
    return vfs_own(f)->pMethods->xTruncate(vfs_own(f), size);
}

static int vfs_size(sqlite3_file *f, sqlite3_int64 *size)
{
    vfs_flush((struct vfs_file *)f);
    return vfs_own(f)->pMethods->xFileSize(vfs_own(f), size);
}

static int vfs_lock(sqlite3_file *f, int lock)
{
    return vfs_own(f)->pMethods->xLock(vfs_own(f), lock);
}

static int vfs_unlock(sqlite3_file *f, int lock)
{
    return vfs_own(f)->pMethods->xUnlock(vfs_own(f), lock);
}

static int vfs_reserved(sqlite3_file *f, int *out)
{
    return vfs_own(f)->pMethods->xCheckReservedLock(vfs_own(f), out);
}

static int vfs_control(sqlite3_file *f, int op, void *arg)
{
    return vfs_own(f)->pMethods->xFileControl(vfs_own(f), op, arg);
}

static int vfs_sector(sqlite3_file *f)
{
    return vfs_own(f)->pMethods->xSectorSize(vfs_own(f));
}

static int vfs_device(sqlite3_file *f)
{
    return vfs_own(f)->pMethods->xDeviceCharacteristics(vfs_own(f));
}

/* Version 1: without shared memory, and the file is not mapped. */
static const sqlite3_io_methods vfs_methods = {
    .iVersion = 1,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_reserved,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector,
    .xDeviceCharacteristics = vfs_device,
};

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
    int rc;

    (void)v;
    if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0)
        return own->xOpen(own, name, f, flags, out);
    *(struct vfs_file *)f = (struct vfs_file){0};
    rc = own->xOpen(own, name, vfs_own(f), flags, out);
    if (vfs_own(f)->pMethods != NULL)
        f->pMethods = &vfs_methods;
    return rc;
}

static void vfs_make(void)
{
    own = sqlite3_vfs_find(NULL);
    BUG_ON(own == NULL);
    ours = *own;
    ours.pNext = NULL;
    ours.zName = "tocsin";
    ours.szOsFile += (int)sizeof(struct vfs_file);
    ours.xOpen = vfs_open;
    BUG_ON(sqlite3_vfs_register(&ours, 0) != SQLITE_OK);
}

const char *vfs_name(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, vfs_make);
    return ours.zName;
}
