/* outlets.h - the outputs of a recorder (recorder.h).
 *
 * Owns     an outlet is its maker's; what a file's thread needs is freed when that has ended.
 */
#ifndef RECORDER_OUTLETS_H
#define RECORDER_OUTLETS_H

#include "recorder/recorder.h"

/* -- files and standard output -- */

struct event_file;

/* path: empty = standard output. */
struct event_file *event_file_new(str path);
void event_file_free(struct event_file *s);
str event_file_path(const struct event_file *s);
/* A whole line. False: there is no room, it is dropped. */
bool event_file_put(struct event_file *s, str line);
struct event_file_load {
    size_t waiting;
    uint64_t dropped, bytes; /* dropped: those that could not be written, too */
};
struct event_file_load event_file_load(struct event_file *s);

/* -- services -- */

struct service;

struct service *service_new(struct transport *t, struct clock *clock,
                            const struct recorder_webhook_conf *conf, str name);
void service_free(struct service *s);
bool service_put(struct service *s, str event);
/* What waits, those under way first, goes to another one. */
void service_hand_over(struct service *from, struct service *to);
size_t service_waiting(const struct service *s);
uint64_t service_dropped(const struct service *s);
uint64_t service_bytes(const struct service *s);
str service_name(const struct service *s);

#endif
