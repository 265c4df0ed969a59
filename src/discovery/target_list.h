/* target_list.h - targets as somebody lists them: JSON or YAML, a list of {targets: [host:port], labels: {}}.
 *
 * A list is taken as a whole or not at all: an unknown key, another type than the one expected, or an empty text refuse it,
 * so that what was written in the wrong place is told and not left out. Keys that belong to a job are told where they go.
 *
 * Shapes   up to 100,000 targets; a text of at most 10 MB.
 * Errors   ERR_INVALID with the line, ERR_LIMIT.
 * Owns     a list owns its arena. Reading is for a worker.
 * Source   rules.md 8.8.
 */
#ifndef DISCOVERY_TARGET_LIST_H
#define DISCOVERY_TARGET_LIST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "tocsin/labels.h"

struct target_list {
    struct arena a;
    VEC(struct labels) v; /* each with __address__ */
};

void target_list_init(struct target_list *l);
void target_list_release(struct target_list *l);

/* Labels of the list's own win over those given, __address__ over both. All text is copied. */
void target_list_add(struct target_list *l, str address, const struct label *more, size_t n);

/* Appends what the text lists; meta: a label that all of them get. After a failure the list has what stood before the fault. */
bool target_list_read_json(struct target_list *l, str text, struct label meta,
                           struct err *e) must_check;
bool target_list_read_yaml(struct target_list *l, str text, struct label meta,
                           struct err *e) must_check;

#endif
