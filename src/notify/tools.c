/* tools.c - what receivers need and may not include themselves: hashes, signatures, escaping, cutting, labels that call
 * nobody. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "base/buf.h"
#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/escape.h"
#include "tocsin/delivery.h"

str delivery_hex(struct delivery *d, str bytes)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < bytes.n; i++)
        buf_addf(&b, "%02x", (unsigned char)bytes.p[i]);
    return arena_take(d->arena, &b);
}

str delivery_base64(struct delivery *d, str bytes)
{
    struct buf b = BUF_INIT;

    base64_encode(&b, bytes, BASE64_STD);
    return arena_take(d->arena, &b);
}

str delivery_digest(struct delivery *d, str s)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    EVP_Digest(s.p != NULL ? s.p : "", s.n, digest, &n, EVP_sha256(), NULL);
    return arena_str(d->arena, (str){(const char *)digest, n});
}

str delivery_hash(struct delivery *d, str s)
{
    return delivery_hex(d, delivery_digest(d, s));
}

str delivery_group_hash(struct delivery *d)
{
    return delivery_hash(d, d->n->group_key);
}

static str tools_hmac(struct delivery *d, const EVP_MD *md, str key, str text)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    HMAC(md, key.p != NULL ? key.p : "", (int)key.n,
         (const unsigned char *)(text.p != NULL ? text.p : ""), text.n, mac, &n);
    return arena_str(d->arena, (str){(const char *)mac, n});
}

str delivery_hmac(struct delivery *d, str key, str text)
{
    return tools_hmac(d, EVP_sha256(), key, text);
}

str delivery_hmac_sha1(struct delivery *d, str key, str text)
{
    return tools_hmac(d, EVP_sha1(), key, text);
}

bool delivery_is_same(str a, str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

str delivery_sign(struct delivery *d, str key, str text)
{
    return delivery_base64(d, delivery_hmac(d, key, text));
}

str delivery_escape_form(struct delivery *d, str s)
{
    struct buf b = BUF_INIT;

    escape_query(&b, s);
    return arena_take(d->arena, &b);
}

str delivery_escape_path(struct delivery *d, str s)
{
    struct buf b = BUF_INIT;

    escape_path(&b, s);
    return arena_take(d->arena, &b);
}

str delivery_url(struct delivery *d, str url, str path, str parameter)
{
    str base = str_cut(&url, '?');

    /* of two parameters Go writes the smaller name first; addresses here have one or none */
    return arena_printf(d->arena, "%.*s%.*s%s%.*s%s%.*s", STR(base), STR(path),
                        url.n + parameter.n != 0 ? "?" : "",
                        STR(str_cmp(url, parameter) < 0 ? url : parameter),
                        url.n != 0 && parameter.n != 0 ? "&" : "",
                        STR(str_cmp(url, parameter) < 0 ? parameter : url));
}

struct delivery_place delivery_place_of(str url)
{
    bool tls = str_starts_with(url, S("https://"));
    struct delivery_place u = {.query = str_sub(url, tls ? 8 : 7, url.n)};
    str port = tls ? S(":443") : S(":80");

    u.path = str_cut(&u.query, '?');
    u.host = u.path;
    if (str_find(u.path, '/') >= 0)
        u.host.n = (size_t)str_find(u.path, '/');
    u.path = str_sub(u.path, u.host.n, u.path.n);
    if (str_ends_with(u.host, port))
        u.host.n -= port.n;
    return u;
}

str delivery_escape_query(struct delivery *d, str s)
{
    struct buf b = BUF_INIT;
    str out;

    escape_percent(&b, s);
    out = arena_str(d->arena, buf_str(&b));
    buf_release(&b);
    return out;
}

str delivery_replace(struct delivery *d, str s, str needle, str by)
{
    struct buf b = BUF_INIT;
    ptrdiff_t at = str_find_str(s, needle);

    if (at < 0)
        return s;
    for (; at >= 0; at = str_find_str(s, needle)) {
        buf_add(&b, str_sub(s, 0, (size_t)at));
        buf_add(&b, by);
        s = str_sub(s, (size_t)at + needle.n, s.n);
    }
    buf_add(&b, s);
    return arena_take(d->arena, &b);
}

enum { TEXT_LEAST = 1000 };

void delivery_note_long(struct delivery *d, size_t n, size_t max)
{
    if (n > max && max >= TEXT_LEAST) {
        d->too_long.n = n;
        d->too_long.max = max;
    }
}

str delivery_truncate_runes(struct delivery *d, str s, size_t max)
{
    size_t runes = 0, keep = max <= 3 ? max : max - 1;
    size_t at = 0, cut = 0;

    while (at < s.n && runes <= max) {
        uint32_t r;

        if (runes == keep)
            cut = at;
        at += utf8_decode(str_sub(s, at, s.n), &r);
        runes++;
    }
    if (runes <= max)
        return s;
    delivery_note_long(d, max + (s.n - at), max);
    return arena_printf(d->arena, "%.*s%s", STR(str_sub(s, 0, cut)), max <= 3 ? "" : "…");
}

str delivery_truncate_bytes(struct delivery *d, str s, size_t max)
{
    static const str dots = S_INIT("…");
    size_t keep = max <= dots.n ? max : max - dots.n;

    if (s.n <= max)
        return s;
    delivery_note_long(d, s.n, max);
    while (keep != 0 && ((unsigned char)s.p[keep] & 0xc0) == 0x80)
        keep--;
    return arena_printf(d->arena, "%.*s%s", STR(str_sub(s, 0, keep)), max <= dots.n ? "" : "…");
}

/* Less where an entity would be split: "&#60;". */
static size_t whole_entities(str s, size_t n)
{
    enum { ENTITY_MAX = 8 };
    size_t at = n;

    while (at != 0 && n - at < ENTITY_MAX && s.p[at - 1] != ';' && s.p[at - 1] != '&')
        at--;
    return at != 0 && n - at < ENTITY_MAX && s.p[at - 1] == '&' ? at - 1 : n;
}

str delivery_truncate_markup(struct delivery *d, str s, size_t max)
{
    static const str dots = S_INIT("…");
    str head;

    if (s.n <= max)
        return s;
    delivery_note_long(d, s.n, max);
    head = utf8_cut(s, max > dots.n ? max - dots.n : 0);
    return arena_printf(d->arena, "%.*s%.*s", STR(str_sub(s, 0, whole_entities(s, head.n))),
                        STR(dots));
}

/* -- labels -- */

static struct labels changed_labels(struct delivery *d, struct labels ls,
                                    str (*change)(struct delivery *d, str value))
{
    struct label *v = arena_array(d->arena, ls.n, sizeof(*v));

    for (size_t i = 0; i < ls.n; i++)
        v[i] = (struct label){ls.v[i].name, change(d, ls.v[i].value)};
    return (struct labels){v, ls.n};
}

void delivery_change_labels(struct delivery *d, str (*change)(struct delivery *d, str value))
{
    struct notification *n = arena_new(d->arena, struct notification);
    struct notified_alert *alerts = arena_array(d->arena, d->n->n_alerts, sizeof(*alerts));

    *n = *d->n;
    if (n->as_it_was == NULL)
        n->as_it_was = d->n;
    n->group_labels = changed_labels(d, n->group_labels, change);
    n->route_labels = changed_labels(d, n->route_labels, change);
    for (size_t i = 0; i < n->n_alerts; i++) {
        alerts[i] = n->alerts[i];
        alerts[i].labels = changed_labels(d, alerts[i].labels, change);
    }
    n->alerts = alerts;
    d->n = n;
}

static bool is_word_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Whether the @ at i may call somebody. One inside of a word is an address, but for the two that Discord sees anywhere. */
static bool calls_at(str s, size_t i)
{
    str behind = str_sub(s, i + 1, s.n);

    return str_starts_with(behind, S("everyone")) || str_starts_with(behind, S("here")) ||
           (behind.n != 0 && (i == 0 || !is_word_byte(s.p[i - 1])));
}

static str without_calls(struct delivery *d, str s)
{
    struct buf b = BUF_INIT;
    str out;

    if (str_find(s, '@') < 0)
        return s;
    for (size_t i = 0; i < s.n; i++) {
        buf_addc(&b, s.p[i]);
        if (s.p[i] == '@' && calls_at(s, i))
            buf_adds(&b, "\u200b"); /* a space of no width, which ends the name before it begins */
    }
    out = arena_str(d->arena, buf_str(&b));
    buf_release(&b);
    return out;
}

void delivery_call_nobody(struct delivery *d)
{
    delivery_change_labels(d, without_calls);
}

/* -- requests -- */

void delivery_post_json(struct delivery *d, str url, struct buf *body)
{
    static struct http_header json = {S_INIT("Content-Type"), S_INIT("application/json")};

    buf_addc(body, '\n');
    d->request = (struct http_request){
        .method = S("POST"), .url = url, .headers = {&json, 1}, .body = arena_take(d->arena, body)};
}
