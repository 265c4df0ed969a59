#include "cli/web_url.h"

#include <curl/curl.h>
#include "codec/escape.h"
#include "net/http_parse.h"

static str web_url_part(CURLU *u, CURLUPart which, struct arena *a)
{
    char *text = NULL;
    str out = STR_NONE;

    if (curl_url_get(u, which, &text, 0) == CURLUE_OK)
        out = arena_str(a, str_of(text));
    curl_free(text);
    return out;
}

/* "/a/" becomes "/a", "///a" too, "/" becomes "". */
static str trim_path(str path, struct arena *a)
{
    path = url_trim_slash(path);
    while (path.n != 0 && path.p[0] == '/')
        path = str_sub(path, 1, path.n);
    return path.n != 0 ? arena_printf(a, "/%.*s", STR(path)) : STR_NONE;
}

static bool read_url(CURLU *u, str text, struct arena *a, str *url, str *path, struct err *e)
{
    CURLUcode code = curl_url_set(u, CURLUPART_URL, arena_str(a, text).p, CURLU_URLENCODE);
    str scheme = web_url_part(u, CURLUPART_SCHEME, a);
    struct buf escaped = BUF_INIT;

    if (code != CURLUE_OK && code != CURLUE_UNSUPPORTED_SCHEME)
        return err_set(e, ERR_INVALID, "'%.*s' is not a URL: %s", STR(text),
                       curl_url_strerror(code));
    if (!str_is(scheme, "http") && !str_is(scheme, "https"))
        return err_set(e, ERR_INVALID, "'%.*s' is not an http or https URL", STR(text));
    if (!http_percent_decode(a, web_url_part(u, CURLUPART_PATH, a), false, path) ||
        !http_is_field_value(*path))
        return err_set(e, ERR_INVALID, "the path of '%.*s' has an escape of no character",
                       STR(text));
    curl_url_set(u, CURLUPART_QUERY, NULL, 0);
    curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
    curl_url_set(u, CURLUPART_PATH, NULL, 0);
    *path = trim_path(*path, a);
    escape_path(&escaped, *path);
    *url = arena_printf(a, "%.*s%.*s", STR(url_trim_slash(web_url_part(u, CURLUPART_URL, a))),
                        STR(buf_str(&escaped)));
    buf_release(&escaped);
    return true;
}

bool web_url_parse(str text, struct arena *a, str *url, str *path, struct err *e)
{
    CURLU *u = curl_url();
    bool ok = read_url(u, text, a, url, path, e);

    curl_url_cleanup(u);
    return ok;
}

bool web_prefix_parse(str text, struct arena *a, str *prefix, struct err *e)
{
    bool is_url = str_find_str(text, S("://")) >= 0;
    str url;

    return web_url_parse(is_url ? text : arena_printf(a, "http://h/%.*s", STR(text)), a, &url,
                         prefix, e);
}
