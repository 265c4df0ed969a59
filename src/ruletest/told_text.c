#include "ruletest/told_text.h"

#include "base/utf8.h"

/* -- digits -- */

/* The n digits at the text's beginning; -1: there are not so many. */
static long hex_at(str s, size_t n)
{
    long v = 0;

    if (s.n < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int d = char_hex(s.p[i]);

        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

/* -- JSON -- */

static bool is_surrogate(long v, long first)
{
    return v >= first && v < first + 0x400;
}

/* Behind "\u". Returns how much it took. */
static size_t add_rune(struct buf *out, str s)
{
    long v = hex_at(s, 4), low;
    char c[4];
    size_t took = 4;

    if (v < 0)
        return 0;
    low = s.n >= 10 && s.p[4] == '\\' && s.p[5] == 'u' ? hex_at(str_sub(s, 6, 10), 4) : -1;
    if (is_surrogate(v, 0xd800) && is_surrogate(low, 0xdc00)) {
        v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
        took = 10;
    }
    buf_add(out, (str){c, utf8_encode(c, (uint32_t)v)});
    return took;
}

static void add_json(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\\' || i + 1 == s.n) {
            buf_addc(out, s.p[i]);
            continue;
        }
        switch (s.p[++i]) {
        case 'n': buf_addc(out, '\n'); break;
        case 't': buf_addc(out, '\t'); break;
        case 'r': buf_addc(out, '\r'); break;
        case 'b': buf_addc(out, '\b'); break;
        case 'f': buf_addc(out, '\f'); break;
        case 'u': i += add_rune(out, str_sub(s, i + 1, s.n)); break;
        default: buf_addc(out, s.p[i]); break;
        }
    }
}

/* -- forms and mails: a sign and two digits -- */

static void add_coded(struct buf *out, str s, char sign, bool plus_is_blank)
{
    for (size_t i = 0; i < s.n; i++) {
        long v = s.p[i] == sign ? hex_at(str_sub(s, i + 1, s.n), 2) : -1;

        if (v >= 0) {
            buf_addc(out, (char)v);
            i += 2;
        } else if (sign == '=' && s.p[i] == '=' && i + 2 < s.n && s.p[i + 1] == '\r') {
            i += 2; /* a line that goes on */
        } else {
            buf_addc(out, plus_is_blank && s.p[i] == '+' ? ' ' : s.p[i]);
        }
    }
}

/* -- HTML: what our templates escape -- */

static void add_html(struct buf *out, str s)
{
    static const struct {
        str code;
        char c;
    } codes[] = {{S_INIT("&#34;"), '"'}, {S_INIT("&#39;"), '\''}, {S_INIT("&#43;"), '+'},
                 {S_INIT("&amp;"), '&'}, {S_INIT("&lt;"), '<'},   {S_INIT("&gt;"), '>'}};

    for (size_t i = 0; i < s.n; i++) {
        size_t k = 0;

        while (k < sizeof(codes) / sizeof(*codes) &&
               !str_starts_with(str_sub(s, i, s.n), codes[k].code))
            k++;
        buf_addc(out, k < sizeof(codes) / sizeof(*codes) ? codes[k].c : s.p[i]);
        i += k < sizeof(codes) / sizeof(*codes) ? codes[k].code.n - 1 : 0;
    }
}

static void add_mail(struct buf *out, str s)
{
    struct buf html = BUF_INIT;

    add_coded(&html, s, '=', false);
    add_html(out, buf_str(&html));
    buf_release(&html);
}

str told_text(struct arena *a, const struct notify_shown *x)
{
    struct buf out = BUF_INIT;
    str text;

    if (x->mail != NULL)
        add_mail(&out, x->mail->message);
    else if (x->http == NULL)
        buf_add(&out, x->text);
    else if (str_starts_with(x->http->body, S("{")) || str_starts_with(x->http->body, S("[")))
        add_json(&out, x->http->body);
    else
        add_coded(&out, x->http->body.n != 0 ? x->http->body : x->http->url, '%', true);
    text = arena_str(a, buf_str(&out));
    buf_release(&out);
    return text;
}
