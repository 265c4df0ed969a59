/* vfs.h - how SQLite writes its files: what goes to consecutive places goes to the system as one write.
 *
 * SQLite writes a frame of its write-ahead log as two pieces, 24 bytes and a page, and a commit is many frames. They wait
 * here, up to 64 kB, until they are synced, or read, or until what follows goes elsewhere. Nobody counts on what was
 * written before it is synced, so a write that fails may be told late, but it is: by the next write, or by the sync.
 *
 * Shapes   a VFS by name, made of SQLite's own; files but the database and its log are those of SQLite's own.
 */
#ifndef STATE_VFS_H
#define STATE_VFS_H

const char *vfs_name(void); /* its name, for sqlite3_open_v2() */

#endif
