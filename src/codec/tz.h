/* tz.h - time zones: offset of local time at an instant. os/zones.h has the system's database.
 *
 * glibc can hold one zone a process; a routing tree has as many as its intervals name. So the TZif files are read here.
 *
 * Shapes   a zone has up to some hundred transitions; after the last one the POSIX rule of the footer goes on.
 * Errors   ERR_CORRUPT for a damaged file; a loader's: ERR_NOT_FOUND for an unknown name.
 * Owns     a zone is one owned object.
 * Cost     offset: a binary search.
 * Source   RFC 8536.
 */
#ifndef CODEC_TZ_H
#define CODEC_TZ_H

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

struct tz;

/* How who opens no file comes by a zone: the new one, or NULL. */
typedef struct tz *tz_loader(str name, struct err *e);

struct tz *tz_utc(void);
struct tz *tz_parse(str bytes, struct err *e) must_check; /* the content of a TZif file */
/* What its clocks do from now on, as POSIX' TZ says it: "CET-1CEST,M3.5.0,M10.5.0/3"; empty: nobody knows. Borrowed. */
str tz_rule(const struct tz *z);
struct tz *tz_of_rule(str rule); /* a zone that has always done that; NULL: it is no rule */
void tz_free(struct tz *z);      /* NULL is fine */
void tz_rename(struct tz *z, str name, bool is_local);

str tz_name(const struct tz *z); /* "Local" has that of $TZ when it is set; borrowed */
/* Seconds east of UTC at t. abbreviation (may be NULL): borrowed. */
int64_t tz_offset(const struct tz *z, ts_ns ns, const char **abbreviation);
int64_t tz_offset_at(const struct tz *z, int64_t s, const char **abbreviation); /* s: since 1970 */
/* 2026-11-29T16:00:00+08:00, whole seconds; z NULL: UTC, with Z. */
void tz_print(struct buf *out, const struct tz *z, ts_ns t);
bool tz_is_local(const struct tz *z); /* loaded as "Local" */
bool tz_is_dst_at(const struct tz *z, int64_t s);

#endif
