/* web_url.h - where people find us: the URL that links begin with, and the prefix of our own paths.
 *
 * Both are read as leniently as they are written: "am", "/am/" and "//am" are the prefix "/am". A URL loses its query and
 * fragment, which no link can be put behind, and its path is what browsers make of it (dots resolved, escaped).
 *
 * Errors   ERR_INVALID, with the text.
 * Owns     what comes out lives in the arena.
 * Source   alertmanager.md 7.1; Alertmanager's main trims slashes the same way.
 */
#ifndef CLI_WEB_URL_H
#define CLI_WEB_URL_H

#include "base/arena.h"
#include "base/err.h"

/* url: without a slash at its end. path: decoded, "" or "/x". */
bool web_url_parse(str text, struct arena *a, str *url, str *path, struct err *e) must_check;
/* text: a path, or a URL that has one. */
bool web_prefix_parse(str text, struct arena *a, str *prefix, struct err *e) must_check;

#endif
