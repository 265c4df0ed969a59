/* Go quotes rune by rune. JSON is copied sixteen bytes at a time up to the first that cannot stand for itself. */
#include "codec/quote.h"

#include <string.h>
#include "base/utf8.h"
#include "codec/bytes.h"

/* Whether Go's strconv.IsPrint would print the rune as it is. Go's table follows Unicode categories L, M, N, P, S and
 * the ASCII blank; outside ASCII the runes that matter in labels are letters and symbols, so only the control, format,
 * separator, private-use and noncharacter ranges are excluded here. */
static bool is_printable(uint32_t r)
{
    if (r < 0x20 || r == 0x7f)
        return false;
    if (r < 0x7f)
        return true;
    if (r <= 0xa0 || r == 0xad)
        return false;
    if ((r >= 0x2000 && r <= 0x200f) || (r >= 0x2028 && r <= 0x202f) ||
        (r >= 0x205f && r <= 0x206f))
        return false;
    if (r == 0x1680 || r == 0x180e || r == 0x3000 || r == 0xfeff || (r >= 0xfff9 && r <= 0xfffb))
        return false;
    if ((r >= 0xe000 && r <= 0xf8ff) || r >= 0xe0000)
        return r >= 0xe0100 && r <= 0xe01ef;
    if ((r >= 0xfdd0 && r <= 0xfdef) || (r & 0xfffe) == 0xfffe)
        return false;
    return true;
}

void quote_go(struct buf *out, str s)
{
    static const char simple[] = "abtnvfr"; /* 7..13 */

    buf_addc(out, '"');
    while (s.n != 0) {
        uint32_t r;
        size_t k = utf8_decode(s, &r);
        unsigned char c = (unsigned char)s.p[0];

        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c >= 7 && c <= 13)
            buf_addf(out, "\\%c", simple[c - 7]);
        else if (c < 0x20 || c == 0x7f || (k == 1 && c >= 0x80))
            buf_addf(out, "\\x%02x", c);
        else if (is_printable(r))
            buf_add(out, str_sub(s, 0, k));
        else
            buf_addf(out, r < 0x10000 ? "\\u%04x" : "\\U%08x", r);
        s = str_sub(s, k, s.n);
    }
    buf_addc(out, '"');
}

void quote_go_cut(struct buf *out, str s)
{
    size_t n = 0;
    uint32_t r;

    if (s.n <= 10) {
        quote_go(out, s);
        return;
    }
    for (int i = 0; i < 10 && n < s.n; i++)
        n += utf8_decode(str_sub(s, n, s.n), &r);
    quote_go(out, str_sub(s, 0, n));
    buf_adds(out, "...");
}

void quote_go_rune(struct buf *out, str s)
{
    size_t start = out->n;

    if (str_is(s, "'")) {
        buf_adds(out, "'\\''");
    } else if (str_is(s, "\"")) {
        buf_adds(out, "'\"'");
    } else {
        quote_go(out, s);
        out->p[start] = out->p[out->n - 1] = '\'';
    }
}

/* 0xff where a byte cannot stand for itself: controls, what is no ASCII (negative), quotes, backslashes, < > &. */
static bytes_halves json_not_plain(bytes_halves halves, bool html)
{
    bytes_vector v = (bytes_vector)halves, found = (v < ' ') | (v == '\\');

    if (html)
        found |= ((v | 2) == '>') | ((v | 4) == '&'); /* '<' and '"' are one bit away */
    else
        found |= v == '"';
    return (bytes_halves)found;
}

/* The bytes of s before the first that is not plain, which are copied; to has room for BYTES_WIDTH more than s. */
static size_t json_copy_few(char *to, str s, bool html)
{
    bytes_halves v = {BYTES_ONES * ' ', BYTES_ONES * ' '}, found;
    size_t last = s.n < 8 ? 0 : s.n - 8;

    if (s.n >= 8) {
        v = (bytes_halves){bytes_load(s.p), bytes_load(s.p + last)};
        memcpy(to, s.p, 8);
        memcpy(to + last, s.p + last, 8);
    } else if (s.n != 0) {
        v[0] = bytes_load_few(s.p, s.n) | v[0] << 8 * s.n;
        memcpy(to, &v, 8);
    }
    found = json_not_plain(v, html);
    if (!bytes_has_any(found))
        return s.n;
    return found[0] != 0 ? bytes_first(found[0]) : last + bytes_first(found[1]);
}

static size_t json_copy_plain(char *to, str s, bool html)
{
    size_t n = 0;

    for (; s.n - n >= BYTES_WIDTH; n += BYTES_WIDTH) {
        bytes_halves v, found;

        memcpy(&v, s.p + n, sizeof(v));
        memcpy(to + n, &v, sizeof(v));
        found = json_not_plain(v, html);
        if (bytes_has_any(found))
            return n + bytes_first_of(found);
    }
    return n + json_copy_few(to + n, str_sub(s, n, s.n), html);
}

/* The bytes of the runes outside ASCII that s begins with and that stand for themselves. */
static size_t json_plain_runes(str s, bool html)
{
    size_t n = 0;

    while (n < s.n && (unsigned char)s.p[n] >= 0x80) {
        uint32_t r;
        size_t k = utf8_decode(str_sub(s, n, s.n), &r);

        if (k == 1 || (html && (r == 0x2028 || r == 0x2029)))
            break;
        n += k;
    }
    return n;
}

bool quote_json_is_plain(str s)
{
    enum { PIECE = 64 };
    char piece[PIECE + BYTES_WIDTH];

    while (s.n != 0) {
        str next = str_sub(s, 0, PIECE);
        size_t n = json_copy_plain(piece, next, true);

        if (n < next.n) {
            size_t runes = json_plain_runes(str_sub(s, n, s.n), true);

            if (runes == 0)
                return false;
            n += runes;
        }
        s = str_sub(s, n, s.n);
    }
    return true;
}

static void add_hex_escape(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char text[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    buf_add(out, (str){text, sizeof(text)});
}

/* What s begins with, which cannot stand for itself, as an escape; returns its bytes. */
static size_t json_add_escape(struct buf *out, str s)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    unsigned char c = (unsigned char)s.p[0];
    const char *hit = c != '\0' ? strchr(from, c) : NULL;
    uint32_t r;
    size_t k;

    if (hit != NULL) {
        buf_add(out, (str){(const char[]){'\\', to[hit - from]}, 2});
        return 1;
    }
    if (c < 0x80) {
        add_hex_escape(out, c);
        return 1;
    }
    k = utf8_decode(s, &r);
    if (k == 1)
        buf_adds(out, "\\ufffd");
    else
        buf_addf(out, "\\u%04x", r);
    return k;
}

void quote_json(struct buf *out, str s, bool html)
{
    enum { QUOTES = 2 };
    size_t n;

    buf_addc(out, '"');
    for (;;) {
        if (out->cap - out->n < s.n + BYTES_WIDTH + QUOTES)
            buf_reserve(out, s.n + BYTES_WIDTH + QUOTES);
        n = json_copy_plain(out->p + out->n, s, html);
        out->n += n;
        if (n == s.n)
            break;
        s = str_sub(s, n, s.n);
        n = json_plain_runes(s, html);
        if (n != 0)
            buf_add(out, str_sub(s, 0, n));
        else
            n = json_add_escape(out, s);
        s = str_sub(s, n, s.n);
    }
    buf_addc(out, '"');
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Reads one escape behind the backslash at s.p[0]; returns the bytes eaten, 0 when it is none. */
static size_t quote_unescape(str s, char *out, size_t *n)
{
    static const char from[] = "abtnvfr\\\"'", to[] = "\a\b\t\n\v\f\r\\\"'";
    const char *hit;
    uint32_t v = 0;
    size_t digits;

    *n = 1;
    if (s.n == 0)
        return 0;
    hit = s.p[0] != '\0' ? strchr(from, s.p[0]) : NULL;
    if (hit != NULL) {
        *out = to[hit - from];
        return 1;
    }
    if (s.p[0] >= '0' && s.p[0] <= '7') {
        if (s.n < 3)
            return 0;
        for (size_t i = 0; i < 3; i++) {
            if (s.p[i] < '0' || s.p[i] > '7')
                return 0;
            v = v * 8 + (uint32_t)(s.p[i] - '0');
        }
        *out = (char)v;
        return v <= 255 ? 3 : 0;
    }
    digits = s.p[0] == 'x' ? 2 : s.p[0] == 'u' ? 4 : s.p[0] == 'U' ? 8 : 0;
    if (digits == 0 || s.n <= digits)
        return 0;
    for (size_t i = 1; i <= digits; i++) {
        int d = hex_digit(s.p[i]);

        if (d < 0)
            return 0;
        v = v * 16 + (uint32_t)d;
    }
    if (digits == 2) {
        *out = (char)v;
        return 3;
    }
    if (v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
        return 0;
    *n = utf8_encode(out, v);
    return digits + 1;
}

bool unquote_go_bytes(struct arena *a, str body, str *out, struct err *e)
{
    char *p = arena_alloc(a, body.n + 1);
    size_t n = 0;
    str rest = body;

    while (rest.n != 0) {
        size_t eaten, wrote;

        if (rest.p[0] == '\n')
            return err_set(e, ERR_INVALID, "newline in string");
        if (rest.p[0] != '\\') {
            p[n++] = rest.p[0];
            rest = str_sub(rest, 1, rest.n);
            continue;
        }
        rest = str_sub(rest, 1, rest.n);
        eaten = quote_unescape(rest, p + n, &wrote);
        if (eaten == 0)
            return err_set(e, ERR_INVALID, "invalid escape sequence in string");
        n += wrote;
        rest = str_sub(rest, eaten, rest.n);
    }
    p[n] = '\0';
    *out = (str){p, n};
    return true;
}

bool unquote_go(struct arena *a, str body, str *out, struct err *e)
{
    str made = STR_NONE;

    if (!unquote_go_bytes(a, body, &made, e))
        return false;
    if (!utf8_is_valid(made))
        return err_set(e, ERR_INVALID, "string is not valid UTF-8");
    *out = made;
    return true;
}
