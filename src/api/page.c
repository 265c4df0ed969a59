/* GET /, /graph and /ui/...: the user interface, as it lies in the program (ui/assets.h). */
#include "api/api_priv.h"

#include "base/hash.h"
#include "ui/assets.h"

static void page_send(struct http_req *rq, const struct ui_asset *a)
{
    struct buf text = BUF_INIT;
    bool packed = http_takes_gzip(rq);

    http_reply_header(rq, S("Content-Security-Policy"), str_of(ui_policy));
    http_reply_header(rq, S("X-Content-Type-Options"), S("nosniff"));
    http_reply_header(rq, S("Referrer-Policy"), S("no-referrer"));
    http_reply_header(rq, S("Cross-Origin-Opener-Policy"), S("same-origin"));
    http_reply_header(rq, S("Vary"), S("Accept-Encoding"));
    http_reply_header(rq, S("Cache-Control"), S("no-cache"));
    if (!packed) {
        ui_asset_text(a, &text);
        http_reply(rq, 200, str_of(a->type), buf_str(&text));
        buf_release(&text);
        return;
    }
    rq->is_packed = true;
    http_reply_header(rq, S("Content-Encoding"), S("gzip"));
    http_reply(rq, 200, str_of(a->type), ui_asset_gzip(a));
}

static void page_give(struct http_req *rq, str name)
{
    const struct ui_asset *a = ui_asset_find(name);

    if (a == NULL)
        http_reply(rq, 404, S("text/plain; charset=utf-8"), S("there is no such file\n"));
    else if (!api_is_known(rq, hash_xxh64(ui_asset_gzip(a))))
        page_send(rq, a);
}

void api_get_page(struct http_req *rq, void *arg)
{
    (void)arg;
    page_give(rq, S("index.html"));
}

void api_get_asset(struct http_req *rq, void *arg)
{
    (void)arg;
    page_give(rq, rq->wildcard);
}
