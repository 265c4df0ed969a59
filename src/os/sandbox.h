/* sandbox.h - what the process gives up once it has started: files that are none of its business (Landlock), and the system
 * calls that the systemd unit forbids, too (seccomp).
 *
 * A configuration's folders can be read, the storage's can be written; of the system what names, zones, certificates and
 * secrets need. Nothing can be executed. It holds for the calling thread and all that it starts afterwards, and for good: a
 * path outside is refused until a restart.
 *
 *     s = sandbox_new();
 *     sandbox_read(s, S("/etc/tocsin/tocsin.yml"));
 *     sandbox_write(s, S("/var/lib/tocsin"));
 *     sandbox_enter(s);
 *
 * Shapes   a folder a file or pattern that is named; some hundred.
 * Errors   none: a kernel that has no Landlock or no seccomp is told of in the log, and does without. So is a library that is
 *          preloaded: files are not confined then.
 * Owns     the sandbox owns copies of the paths.
 * Cost     an open looks at the path's folders; a system call passes about 40 comparisons.
 * Source   landlock(7), seccomp(2); systemd.exec(5) for the list.
 */
#ifndef OS_SANDBOX_H
#define OS_SANDBOX_H

#include "base/str.h"

struct sandbox;

struct sandbox *sandbox_new(void);    /* with what the system's libraries need */
void sandbox_free(struct sandbox *s); /* NULL is fine; lifts nothing */

/* path: of a file, a pattern or a folder. Its folder, or the nearest above that is there, can be read. */
void sandbox_read(struct sandbox *s, str path);
void sandbox_write(struct sandbox *s, str folder);
void sandbox_listen(struct sandbox *s, str path); /* a Unix socket is made there, and removed */
void sandbox_enter(struct sandbox *s);            /* once, before any thread is started */
/* Whether files at path can be read; NULL: all can. May be asked by any thread once it was entered. */
bool sandbox_may_read(const struct sandbox *s, str path);

#endif
