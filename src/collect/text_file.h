/* text_file.h - metrics that somebody has written into a file, in Prometheus' text format, as node exporter's textfile collector
 * takes them.
 *
 * A file counts as a whole or not at all: one that is broken somewhere, that has times, or a series that is there already, gives
 * nothing, and the page stays one that a scrape can read.
 *
 * Errors   ERR_INVALID with the line, where there is one.
 * Owns     the set of series owns its keys, which live as long as the sheet does.
 */
#ifndef COLLECT_TEXT_FILE_H
#define COLLECT_TEXT_FILE_H

#include "base/err.h"
#include "collect/sheet.h"

/* The series of the files before. */
struct text_seen {
    struct str_map series;
};

bool text_file_put(str text, str path, struct sheet *out, struct text_seen *seen,
                   struct err *e) must_check;

#endif
