/* tools.c - what receivers need and may not include themselves: hashes, signatures, escaping, cutting. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/escape.h"
#include "tocsin/delivery.h"

str delivery_group_hash(struct delivery *d)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct buf b = BUF_INIT;
    str out;

    EVP_Digest(d->n->group_key.p, d->n->group_key.n, digest, &n, EVP_sha256(), NULL);
    for (unsigned i = 0; i < n; i++)
        buf_addf(&b, "%02x", digest[i]);
    out = arena_str(d->arena, buf_str(&b));
    buf_release(&b);
    return out;
}

str delivery_sign(struct delivery *d, str key, str text)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct buf b = BUF_INIT;
    str out;

    HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)(text.p != NULL ? text.p : ""),
         text.n, mac, &n);
    base64_encode(&b, (str){(const char *)mac, n}, BASE64_STD);
    out = arena_str(d->arena, buf_str(&b));
    buf_release(&b);
    return out;
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
    return arena_printf(d->arena, "%.*s%s", STR(str_sub(s, 0, cut)), max <= 3 ? "" : "…");
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

str delivery_truncate_bytes(struct delivery *d, str s, size_t max)
{
    static const str ellipsis = S_INIT("…");
    str head;

    if (s.n <= max)
        return s;
    head = utf8_cut(s, max > ellipsis.n ? max - ellipsis.n : 0);
    return arena_printf(d->arena, "%.*s%.*s", STR(str_sub(s, 0, whole_entities(s, head.n))),
                        STR(ellipsis));
}
