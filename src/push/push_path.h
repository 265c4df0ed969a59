/* push_path.h - the group that a URL names: job/NAME, then pairs of label and value.
 *
 *     /metrics/job/backup/instance/db1                 {job="backup", instance="db1"}
 *     /metrics/job/nightly/path@base64/L3Zhci90bXA     {job="nightly", path="/var/tmp"}
 *     /metrics/job/a/zone@base64/=                     {job="a", zone=""}: takes the label from what is pushed
 *
 * Shapes   a path of at most 16 KiB, as an HTTP request line is.
 * Errors   ERR_INVALID: no job, a label without a value, a name that is none or stands twice, base64 that is none.
 * Owns     what is made lives in the arena, or is the path's.
 * Source   ecosystem.md 5.
 */
#ifndef PUSH_PUSH_PATH_H
#define PUSH_PUSH_PATH_H

#include "base/arena.h"
#include "base/err.h"
#include "tocsin/labels.h"

/* path: decoded, behind "/metrics/", so it begins with "job/" or "job@base64/". out is sorted and keeps empty values. */
bool push_path_parse(str path, struct arena *a, struct labels *out, struct err *e) must_check;
/* The one way to write a group's path: what tells groups apart. */
str push_path_print(struct labels key, struct arena *a);

#endif
