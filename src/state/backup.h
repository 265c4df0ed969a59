/* backup.h - a backup: a folder with what a storage folder has, and a manifest (manifest.h).
 *
 * It is written under a temporary name, synced, read again as a whole, and only then has its name. So one that has its name is whole.
 *
 *     w = backup_begin(dir, &e);
 *     backup_file(w, name, &e), backup_bytes(w, bytes, &e) ..., backup_file_end(w, &e)   file after file, in order of names
 *     backup_end(w, version, taken, STR_NONE, &e)
 *     backup_free(w);                         what is not complete goes
 *
 * Shapes   folders 0700, files 0600, whatever the umask says.
 * Errors   ERR_CONFLICT: the folder is there and is not empty; ERR_CORRUPT with file and offset; ERR_IO.
 * Cost     everything is written once and read once.
 */
#ifndef STATE_BACKUP_H
#define STATE_BACKUP_H

#include "state/files.h"
#include "state/manifest.h"

struct backup;

struct backup *backup_begin(str dir, struct err *e) must_check; /* NULL on failure */
bool backup_file(struct backup *w, str name, struct err *e) must_check;
bool backup_bytes(struct backup *w, str bytes, struct err *e) must_check;
bool backup_file_end(struct backup *w, struct err *e) must_check;
/* manifest: of whoever sent it, which must be the same; empty: nobody did. */
bool backup_end(struct backup *w, str version, ts_ns taken, str manifest, struct err *e) must_check;
void backup_free(struct backup *w);

/* Of a folder that nobody uses, straight from its files; nothing in it is changed. */
bool backup_folder(str folder, str dir, str version, ts_ns now, struct err *e) must_check;

/* Everything in it: sizes, checksums, that the database is sound. Nothing is changed. The manifest lives in the arena. */
bool backup_check(str dir, struct arena *a, struct manifest *out, struct err *e) must_check;
bool backup_is_one(str dir); /* it has a manifest */

/* The database at path is sound: SQLite's own check, read without changing a byte of the folder. ERR_CORRUPT. */
bool state_db_check(str path, struct err *e) must_check;
/* Copies one file of a backup that has been checked, once more against its checksum; synced. */
bool backup_copy_file(str dir, const struct manifest_file *f, const char *to,
                      struct err *e) must_check;

#endif
