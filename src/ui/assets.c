#include "ui/assets.h"

#include "base/mem.h"
#include "net/inflate.h"

/* What a page shows is text; nothing in it may load or run anything that is not from here. */
const char ui_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' "
    "data:; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const struct ui_asset *ui_asset_find(str name)
{
    for (const struct ui_asset *a = ui_assets; a->name != NULL; a++)
        if (str_is(name, a->name))
            return a;
    return NULL;
}

str ui_asset_gzip(const struct ui_asset *a)
{
    /* cppcheck-suppress comparePointers ; both ends of one embedded object */
    return (str){a->gzip, (size_t)(a->end - a->gzip)};
}

void ui_asset_text(const struct ui_asset *a, struct buf *out)
{
    struct inflater *z = inflater_new(SIZE_MAX / 2);
    struct err e = ERR_INIT;

    BUG_ON(!inflater_feed(z, ui_asset_gzip(a), out, &e) || !inflater_is_done(z));
    inflater_free(z);
}
