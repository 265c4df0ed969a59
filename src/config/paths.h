/* paths.h - paths as names of files, by their text alone: links are not followed, because folders that are swapped by a link
 * (as Kubernetes does) would be others each time.
 *
 * Owns     results live in the arena given.
 */
#ifndef CONFIG_PATHS_H
#define CONFIG_PATHS_H

#include "base/arena.h"

/* From the root, by the working folder, without ".", ".." and empty parts. */
str path_absolute(str path, struct arena *a);
/* From where it began, without the same; ".." stays at the beginning alone. */
str path_clean(str path, struct arena *a);
/* How to get from the folder of one file to another file; both absolute. */
str path_from(str from, str to, struct arena *a);

#endif
