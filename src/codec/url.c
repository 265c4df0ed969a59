/* Escapes depend on where they stand (path, user, host, query), so a part is always unescaped and escaped together
 * with its place. Parsing takes scheme, authority, path, query and fragment off in that order. */
#include "codec/url.h"

#include <string.h>
#include "base/buf.h"
#include "codec/bytes.h"

enum mode { IN_PATH = 1, IN_HOST = 2, IN_ZONE = 4, IN_USER = 8, IN_FRAGMENT = 16 };

enum { ANYWHERE = IN_PATH | IN_HOST | IN_ZONE | IN_USER | IN_FRAGMENT, HOSTS = IN_HOST | IN_ZONE };

/* Where a byte stands as it is. */
static const uint8_t plain[256] = {
    ['a' ... 'z'] = ANYWHERE,
    ['A' ... 'Z'] = ANYWHERE,
    ['0' ... '9'] = ANYWHERE,
    ['-'] = ANYWHERE,
    ['_'] = ANYWHERE,
    ['.'] = ANYWHERE,
    ['~'] = ANYWHERE,
    ['$'] = ANYWHERE,
    ['&'] = ANYWHERE,
    ['+'] = ANYWHERE,
    [','] = ANYWHERE,
    [';'] = ANYWHERE,
    ['='] = ANYWHERE,
    [':'] = ANYWHERE & ~IN_USER,
    ['@'] = IN_PATH | IN_FRAGMENT,
    ['/'] = IN_PATH | IN_FRAGMENT,
    ['?'] = IN_FRAGMENT,
    ['!'] = HOSTS | IN_FRAGMENT,
    ['('] = HOSTS | IN_FRAGMENT,
    [')'] = HOSTS | IN_FRAGMENT,
    ['*'] = HOSTS | IN_FRAGMENT,
    ['\''] = HOSTS,
    ['['] = HOSTS,
    [']'] = HOSTS,
    ['<'] = HOSTS,
    ['>'] = HOSTS,
    ['"'] = HOSTS,
};

static bool must_escape(char c, enum mode m)
{
    return (plain[(unsigned char)c] & m) == 0;
}

static bool url_is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool url_is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool url_is_host(enum mode m)
{
    return (m & HOSTS) != 0;
}

static int url_hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* -- unescaping -- */

static bool bad_escape(str s, struct err *e)
{
    s = str_sub(s, 0, 3);
    return err_set(e, ERR_INVALID, "invalid URL escape \"%.*s\"", STR(s));
}

/* In a host only what is not ASCII may be escaped; in a zone what stays the same. */
static bool take_escape(str s, enum mode m, char *out, struct err *e)
{
    int high = s.n > 2 ? url_hex(s.p[1]) : -1, low = s.n > 2 ? url_hex(s.p[2]) : -1;
    bool is_percent = high == 2 && low == 5;

    if (high < 0 || low < 0 || (m == IN_HOST && high < 8 && !is_percent))
        return bad_escape(s, e);
    *out = (char)(high << 4 | low);
    return m != IN_ZONE || is_percent || *out == ' ' || !must_escape(*out, IN_HOST) ||
           bad_escape(s, e);
}

static bool url_unescape(str s, enum mode m, struct arena *a, str *out, struct err *e)
{
    char *p;
    size_t n = 0;

    *out = s;
    if (!url_is_host(m) && str_find(s, '%') < 0)
        return true;
    p = arena_alloc(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++, n++) {
        p[n] = s.p[i];
        if (s.p[i] == '%') {
            if (!take_escape(str_sub(s, i, s.n), m, &p[n], e))
                return false;
            i += 2;
        } else if (url_is_host(m) && (unsigned char)s.p[i] < 0x80 && must_escape(s.p[i], m)) {
            return err_set(e, ERR_INVALID, "invalid character \"%c\" in host name", s.p[i]);
        }
    }
    p[n] = '\0';
    *out = (str){p, n};
    return true;
}

/* -- parsing -- */

/* Eight bytes at a time: each alert brings a link. */
static bool has_control(str s)
{
    size_t i = 0;

    for (; s.n - i >= 8; i += 8) {
        uint64_t v = bytes_load(s.p + i);

        if (((bytes_below(v, ' ') | bytes_are(v, 0x7f)) & BYTES_HIGHS) != 0)
            return true;
    }
    for (; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return true;
    return false;
}

static bool take_scheme(str *rest, str *scheme, struct arena *a, struct err *e)
{
    size_t n = 0;

    *scheme = STR_NONE;
    for (; n < rest->n && rest->p[n] != ':'; n++) {
        char c = rest->p[n];
        bool is_letter = url_is_alnum(c) && (c < '0' || c > '9');

        if (!is_letter && (n == 0 || (!url_is_alnum(c) && !url_is_one_of(c, "+-."))))
            return true; /* it is a path */
    }
    if (n == rest->n)
        return true;
    if (n == 0)
        return err_set(e, ERR_INVALID, "missing protocol scheme");
    *scheme = arena_str(a, str_sub(*rest, 0, n));
    for (size_t i = 0; i < n; i++)
        if (scheme->p[i] >= 'A' && scheme->p[i] <= 'Z')
            ((char *)(uintptr_t)scheme->p)[i] = (char)(scheme->p[i] | 0x20);
    *rest = str_sub(*rest, n + 1, rest->n);
    return true;
}

static bool check_port(str s, struct err *e)
{
    bool ok = s.n == 0 || s.p[0] == ':';

    for (size_t i = 1; i < s.n; i++)
        ok &= s.p[i] >= '0' && s.p[i] <= '9';
    return ok || err_set(e, ERR_INVALID, "invalid port after host");
}

static ptrdiff_t last_of(str s, char c)
{
    for (size_t i = s.n; i-- > 0;)
        if (s.p[i] == c)
            return (ptrdiff_t)i;
    return -1;
}

/* [::1%25eth0]:80 */
static bool take_literal(str s, struct arena *a, str *out, struct err *e)
{
    ptrdiff_t end = last_of(s, ']'), zone;
    str before, in, after;

    if (end < 0)
        return err_set(e, ERR_INVALID, "missing ']' in host");
    if (!check_port(str_sub(s, (size_t)end + 1, s.n), e))
        return false;
    zone = str_find_str(str_sub(s, 0, (size_t)end), S("%25"));
    if (zone < 0)
        return url_unescape(s, IN_HOST, a, out, e);
    if (!url_unescape(str_sub(s, 0, (size_t)zone), IN_HOST, a, &before, e) ||
        !url_unescape(str_sub(s, (size_t)zone, (size_t)end), IN_ZONE, a, &in, e) ||
        !url_unescape(str_sub(s, (size_t)end, s.n), IN_HOST, a, &after, e))
        return false;
    *out = arena_printf(a, "%.*s%.*s%.*s", STR(before), STR(in), STR(after));
    return true;
}

static bool take_host(str s, struct arena *a, str *out, struct err *e)
{
    ptrdiff_t colon = last_of(s, ':');

    if (str_starts_with(s, S("[")))
        return take_literal(s, a, out, e);
    return (colon < 0 || check_port(str_sub(s, (size_t)colon, s.n), e)) &&
           url_unescape(s, IN_HOST, a, out, e);
}

static bool take_user(str s, struct arena *a, struct url *u, struct err *e)
{
    ptrdiff_t colon = str_find(s, ':');

    for (size_t i = 0; i < s.n; i++)
        if (!url_is_alnum(s.p[i]) && !url_is_one_of(s.p[i], "-._:~!$&'()*+,;=%@"))
            return err_set(e, ERR_INVALID, "net/url: invalid userinfo");
    u->has_user = true;
    u->has_password = colon >= 0;
    if (colon < 0)
        return url_unescape(s, IN_USER, a, &u->user, e);
    return url_unescape(str_sub(s, 0, (size_t)colon), IN_USER, a, &u->user, e) &&
           url_unescape(str_sub(s, (size_t)colon + 1, s.n), IN_USER, a, &u->password, e);
}

static bool take_authority(str *rest, struct arena *a, struct url *u, struct err *e)
{
    ptrdiff_t slash, at;
    str all = str_sub(*rest, 2, rest->n);

    slash = str_find(all, '/');
    *rest = slash >= 0 ? str_sub(all, (size_t)slash, all.n) : STR_NONE;
    all = slash >= 0 ? str_sub(all, 0, (size_t)slash) : all;
    at = last_of(all, '@');
    u->has_host = true;
    return take_host(at >= 0 ? str_sub(all, (size_t)at + 1, all.n) : all, a, &u->host, e) &&
           (at < 0 || take_user(str_sub(all, 0, (size_t)at), a, u, e));
}

static bool take_query(str *rest, struct url *u)
{
    ptrdiff_t at = str_find(*rest, '?');

    if (at < 0)
        return false;
    u->query = str_sub(*rest, (size_t)at + 1, rest->n);
    *rest = str_sub(*rest, 0, (size_t)at);
    return true;
}

static bool is_colon_first(str rest)
{
    return str_find(str_cut(&rest, '/'), ':') >= 0;
}

/* Without the fragment. */
static bool codec_url_parse(str rest, bool is_request, struct arena *a, struct url *u,
                            struct err *e)
{
    if (has_control(rest))
        return err_set(e, ERR_INVALID, "net/url: invalid control character in URL");
    if (is_request && rest.n == 0)
        return err_set(e, ERR_INVALID, "empty url");
    if (str_is(rest, "*")) {
        u->path = rest;
        return true;
    }
    if (!take_scheme(&rest, &u->scheme, a, e))
        return false;
    u->has_query = take_query(&rest, u);
    if (!str_starts_with(rest, S("/"))) {
        if (u->scheme.n != 0) {
            u->opaque = rest;
            return true;
        }
        if (is_request)
            return err_set(e, ERR_INVALID, "invalid URI for request");
        if (is_colon_first(rest))
            return err_set(e, ERR_INVALID, "first path segment in URL cannot contain colon");
    }
    if ((u->scheme.n != 0 || (!is_request && !str_starts_with(rest, S("///")))) &&
        str_starts_with(rest, S("//")) && !take_authority(&rest, a, u, e))
        return false;
    u->raw_path = rest;
    return url_unescape(rest, IN_PATH, a, &u->path, e);
}

bool url_parse(str text, struct arena *a, struct url *out, struct err *e)
{
    ptrdiff_t hash = str_find(text, '#');
    str ignored;

    *out = (struct url){.fragment = STR_NONE};
    if (!codec_url_parse(hash >= 0 ? str_sub(text, 0, (size_t)hash) : text, false, a, out, e))
        return false;
    if (hash >= 0)
        out->fragment = str_sub(text, (size_t)hash + 1, text.n);
    return url_unescape(out->fragment, IN_FRAGMENT, a, &ignored, e);
}

bool url_is_request_uri(str text, struct arena *a)
{
    struct url u = {.fragment = STR_NONE};
    struct err e = ERR_INIT;

    return codec_url_parse(text, true, a, &u, &e);
}

bool url_parse_http(str text, struct arena *a, struct url *out, struct err *e)
{
    if (!url_parse(text, a, out, e))
        return false;
    if (!str_is(out->scheme, "http") && !str_is(out->scheme, "https"))
        return err_set(e, ERR_INVALID, "neither http:// nor https://");
    return out->host.n != 0 || err_set(e, ERR_INVALID, "missing host for URL");
}

bool url_check_http(str text, struct err *e)
{
    struct arena a;
    struct url u;
    bool ok;

    arena_init_small(&a, 0);
    ok = url_parse_http(text, &a, &u, e);
    arena_release(&a);
    return ok;
}

/* -- printing -- */

static void url_add_escaped(struct buf *out, char c)
{
    buf_addf(out, "%%%02X", (unsigned char)c);
}

static void codec_url_escape(struct buf *out, str s, enum mode m)
{
    size_t from = 0;

    for (size_t i = 0; i < s.n; i++)
        if (must_escape(s.p[i], m)) {
            buf_add(out, str_sub(s, from, i));
            url_add_escaped(out, s.p[i]);
            from = i + 1;
        }
    buf_add(out, str_sub(s, from, s.n));
}

/* What was written stays if it says what is meant. */
static void add_as_written(struct buf *out, str raw, str meant, enum mode m)
{
    for (size_t i = 0; i < raw.n; i++)
        if (must_escape(raw.p[i], m) && !url_is_one_of(raw.p[i], "!$&'()*+,;=:@[]%")) {
            codec_url_escape(out, meant, m);
            return;
        }
    buf_add(out, raw);
}

static void add_query(struct buf *out, str s)
{
    ptrdiff_t blank;

    for (; (blank = str_find(s, ' ')) >= 0; s = str_sub(s, (size_t)blank + 1, s.n))
        buf_addf(out, "%.*s%%20", (int)blank, s.p);
    buf_add(out, s);
}

static void add_authority(struct buf *out, const struct url *u)
{
    buf_add(out, S("//"));
    if (u->has_user) {
        codec_url_escape(out, u->user, IN_USER);
        if (u->has_password) {
            buf_addc(out, ':');
            codec_url_escape(out, u->password, IN_USER);
        }
        buf_addc(out, '@');
    }
    codec_url_escape(out, u->host, IN_HOST);
}

str url_print(const struct url *u, struct arena *a)
{
    struct buf out = BUF_INIT;

    if (u->scheme.n != 0)
        buf_addf(&out, "%.*s:", STR(u->scheme));
    if (u->opaque.n != 0) {
        buf_add(&out, u->opaque);
    } else {
        if (u->has_host)
            add_authority(&out, u);
        add_as_written(&out, u->raw_path, u->path, IN_PATH);
    }
    if (u->has_query)
        buf_addc(&out, '?');
    add_query(&out, u->query);
    if (u->fragment.n != 0) {
        buf_addc(&out, '#');
        add_query(&out, u->fragment);
    }
    return arena_take(a, &out);
}
