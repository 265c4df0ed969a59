/* escape.h - text inside URLs.
 *
 * Source   RFC 3986; Go's url.QueryEscape (a blank becomes '+') and url.PathEscape-like %20.
 */
#ifndef CODEC_ESCAPE_H
#define CODEC_ESCAPE_H

#include "base/buf.h"

void escape_query(struct buf *out, str s);   /* as Go's QueryEscape: blank to '+' */
void escape_percent(struct buf *out, str s); /* everything but unreserved characters as %XX */
void escape_path(struct buf *out, str s);    /* what may stand in a path is left as it is */
str url_trim_slash(str url);                 /* without slashes at its end */

#endif
