/* ignore.h - comments of a file that switch checks off.
 *
 *     expr: topk(5, x) > 1  # tocsin: ignore R038             in this line
 *     # tocsin: ignore R020 R030 until 2027-01-31             alone in its line: in the entry that it stands in or above
 *     # tocsin: ignore-file R046                              in the file
 *
 * pint's are understood, by its names of the checks: ignore/line, ignore/next-line, ignore/begin and ignore/end, ignore/file,
 * disable, file/disable, snooze DATE, file/snooze DATE. What it says to pint alone (owners, parameters) is passed over.
 *
 * Errors   R100 (warning): a comment that names no check, has ended, stands above nothing, or cannot be understood.
 * Owns     the arena owns what is read; files are told apart by name.
 */
#ifndef LINT_IGNORE_H
#define LINT_IGNORE_H

#include "base/diags.h"
#include "base/time.h"
#include "base/vec.h"

struct ignored {
    str file;
    const char *id;  /* NULL: every check */
    int first, last; /* lines; INT_MAX: to the end */
};

struct ignores {
    VEC(struct ignored) v;
};

/* The comments of one more file; now: for those that end. */
void ignores_read(struct ignores *in, str text, str file, ts_ns now, struct arena *a,
                  struct diags *d);
bool ignores_has(const struct ignores *in, const char *id, const struct diag_place *at);
void ignores_release(struct ignores *in);

#endif
