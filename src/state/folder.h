/* folder.h - a storage folder, or a backup, as a folder: names in it, files read and copied whole, what is synced and removed.
 *
 * Nothing here follows a link inside of the folder: what lies there may have come from somebody else.
 *
 * Errors   ERR_IO; ERR_CORRUPT: a link, a folder or a device where a file should be.
 */
#ifndef STATE_FOLDER_H
#define STATE_FOLDER_H

#include "base/buf.h"
#include "base/err.h"

enum { STATE_PATH = 4096 };

void state_path(char out[STATE_PATH], str dir, const char *name); /* dir/name */

bool state_is_dot(const char *name); /* "." and ".." */

/* Opens dir/name for reading, where name may have one slash, and neither of the two parts is a link; regular files only. */
int state_open_plain(str dir, str name, uint64_t *size,
                     struct err *e) must_check; /* -1: e says why */
/* A file from its beginning, in pieces. */
bool state_read_pieces(int fd, uint64_t size, bool (*piece)(void *arg, str bytes, struct err *e),
                       void *arg, struct err *e) must_check;
/* dir/name to a new file, synced. *crc: CRC32C of what was copied; NULL: not wanted. */
bool state_copy_plain(str dir, str name, const char *to, uint32_t *crc, struct err *e) must_check;

bool state_sync_file(const char *path, struct err *e) must_check; /* written by somebody else */
bool state_sync_folders(str dir, struct err *e) must_check; /* it and those in it that are there */
/* with all in it; folders at most as deep as names are long */
bool state_remove_folder(const char *path);

#endif
