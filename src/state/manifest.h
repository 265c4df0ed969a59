/* manifest.h - what makes a folder a backup: the list of its files, with their sizes and checksums.
 *
 *     tocsin backup 1
 *     version 0.2.0
 *     taken 2026-11-29T02:00:00.000Z
 *     file 8a9136aa 40960 state.db
 *     file 1c2d3e4f 8 alerts.log
 *     end 0badcafe
 *
 * Each file is named by what the storage folder calls it; nothing else is a name, so none leads out of the folder. The last line
 * is the checksum (CRC32C) of all before it.
 *
 * Shapes   up to MANIFEST_FILES_MAX files.
 * Errors   ERR_CORRUPT with the line.
 * Owns     names live in the arena.
 */
#ifndef STATE_MANIFEST_H
#define STATE_MANIFEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

enum { MANIFEST_FILES_MAX = 1000000, MANIFEST_MAX = 64 << 20 };
#define MANIFEST "MANIFEST"

struct manifest_file {
    str name;
    uint64_t size;
    uint32_t crc;
};

struct manifest {
    str version;
    ts_ns taken; /* wall, in milliseconds */
    struct manifest_file *files;
    size_t n;
};

/* state.db, alerts.log, samples/samples-N.log, pushed/HASH */
bool manifest_is_name(str name);

/* In three steps, as the files are written. */
void manifest_begin(struct buf *out, str version, ts_ns taken);
void manifest_add(struct buf *out, const struct manifest_file *f);
void manifest_end(struct buf *out);

bool manifest_read(str text, struct arena *a, struct manifest *out, struct err *e) must_check;

#endif
