/* assets.h - the user interface as files in the program: what src/ui/dist has, compressed.
 *
 * The pages are made by `npm run build` in src/ui and committed, so that building the program needs no Node; cmake/assets.cmake
 * compresses them into the program. They hold no data: they ask the API of the server that they came from, and nothing else.
 *
 * Owns     everything is a constant of the program.
 * Source   design.md 4 "web UI".
 */
#ifndef UI_ASSETS_H
#define UI_ASSETS_H

#include "base/buf.h"

struct ui_asset {
    const char *name;       /* "app.js" */
    const char *type;       /* of its content */
    const char *gzip, *end; /* what it is, compressed */
};

/* Ends with one without a name; made by the build. */
extern const struct ui_asset ui_assets[];

const struct ui_asset *ui_asset_find(str name); /* NULL: there is none */
str ui_asset_gzip(const struct ui_asset *a);
void ui_asset_text(const struct ui_asset *a, struct buf *out); /* for who takes no gzip */

/* The value of Content-Security-Policy: scripts, styles and connections are those of this server. */
extern const char ui_policy[];

#endif
