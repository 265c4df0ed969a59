/* history_priv.h - what the files of this folder share: the list of files, and who writes the newest. */
#ifndef HISTORY_HISTORY_PRIV_H
#define HISTORY_HISTORY_PRIV_H

#include <pthread.h>
#include "history/file.h"
#include "history/history.h"
#include "history/writer.h"

enum { HISTORY_NAME = 48, HISTORY_PATH = 4096 };

struct history_entry {
    char name[HISTORY_NAME];
    int64_t first, last; /* spans */
    uint64_t bytes;
    bool is_damaged; /* to be set aside */
    char why[160];
};

struct history {
    struct tsdb *db;

    pthread_mutex_t lock;
    str dir;                         /* empty until it was opened */
    VEC(struct history_entry) files; /* oldest first */
    struct history_figures figures;

    /* of who writes */
    int64_t keep_ms, max_bytes;
    VEC(struct storage_selector *) selectors;
    char current[HISTORY_NAME]; /* the file that is written; none of this name: the next one */
    struct history_writer writer;
    int64_t written; /* the span before which all is written; INT64_MIN: not known */
    ts_ms retry;     /* after a failure: not before */
    dur_ns stepped;  /* of the clock, when it last wrote */
};

void history_path(const struct history *h, const char *name, char out[HISTORY_PATH]);
/* Somebody has found the file damaged; from any thread. */
void history_note_damage(struct history *h, const char *name, const struct err *why);

#endif
