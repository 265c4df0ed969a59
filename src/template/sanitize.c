/* sanitize.c - escapers, one a place. */
#include <math.h>
#include <stdio.h>
#include "base/utf8.h"
#include "codec/float.h"
#include "codec/quote.h"
#include "template/escape.h"
#include "template/printf.h"
#include "template/time.h"

enum { JSON_DEPTH = 1000 };

static bool sanitize_is_alnum(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
}

static bool sanitize_is_hex(str s, size_t i)
{
    return i < s.n &&
           ((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'f'));
}

void text_escape_html(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '"': buf_adds(out, "&#34;"); break;
        case '\'': buf_adds(out, "&#39;"); break;
        case '&': buf_adds(out, "&amp;"); break;
        case '<': buf_adds(out, "&lt;"); break;
        case '>': buf_adds(out, "&gt;"); break;
        case '\0': buf_adds(out, "\xef\xbf\xbd"); break;
        default: buf_addc(out, s.p[i]);
        }
    }
}

void text_escape_js(struct buf *out, str s)
{
    while (s.n != 0) {
        uint32_t r;
        size_t k = utf8_decode(s, &r);
        struct buf q = BUF_INIT;

        quote_go(&q, str_sub(s, 0, k));
        if (r == '\\' || r == '\'' || r == '"')
            buf_addf(out, "\\%c", (char)r);
        else if (r == '<' || r == '>' || r == '&' || r == '=' || r < 0x20 ||
                 (k != 1 && q.p[1] == '\\'))
            buf_addf(out, "\\u%04X", r);
        else
            buf_add(out, str_sub(s, 0, k));
        buf_release(&q);
        s = str_sub(s, k, s.n);
    }
}

void html_escape(struct buf *out, str s, bool keep_entities, bool no_space)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '\0')
            buf_adds(out, "\xef\xbf\xbd");
        else if (c == '&')
            buf_add(out, keep_entities ? S("&") : S("&amp;"));
        else if (c == '<' || c == '>')
            buf_add(out, c == '<' ? S("&lt;") : S("&gt;"));
        else if (c == '"' || c == '\'' || c == '+' ||
                 (no_space && (c == ' ' || (c >= 9 && c <= 13) || c == '=' || c == '`')))
            buf_addf(out, "&#%d;", c);
        else
            buf_addc(out, c);
    }
}

void html_strip_tags(struct buf *out, str s)
{
    bool inside = false;

    for (size_t i = 0; i < s.n; i++) {
        char next = i + 1 < s.n ? s.p[i + 1] : '\0';

        if (!inside && s.p[i] == '<' && (next == '/' || next == '!' || sanitize_is_alnum(next)))
            inside = true;
        else if (inside && s.p[i] == '>')
            inside = false;
        else if (!inside)
            buf_addc(out, s.p[i]);
    }
}

void url_escape(struct buf *out, str s, bool keep_reserved)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = sanitize_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';

        if (keep_reserved && c != '\0')
            plain = plain || strchr("!#$&*+,/:;=?@[]", c) != NULL ||
                    (c == '%' && sanitize_is_hex(s, i + 1) && sanitize_is_hex(s, i + 2));
        if (plain)
            buf_addc(out, c);
        else
            buf_addf(out, "%%%02x", (unsigned char)c);
    }
}

static bool sanitize_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* "url metadata": the address is checked and escaped, what follows must be words. */
static void srcset_part(struct buf *out, str s)
{
    size_t from = 0, to;
    bool ok;

    while (from < s.n && sanitize_is_space(s.p[from]))
        from++;
    for (to = from; to < s.n && !sanitize_is_space(s.p[to]);)
        to++;
    ok = url_is_safe(str_sub(s, from, to));
    for (size_t i = to; i < s.n; i++)
        ok = ok && (sanitize_is_space(s.p[i]) || sanitize_is_alnum(s.p[i]));
    if (!ok) {
        buf_adds(out, "#ZgotmplZ");
        return;
    }
    buf_add(out, str_sub(s, 0, from));
    url_escape(out, str_sub(s, from, to), true);
    buf_add(out, str_sub(s, to, s.n));
}

void srcset_escape(struct buf *out, str s)
{
    size_t commas = 0;

    for (size_t i = 0; i < s.n; i++)
        commas += s.p[i] == ',';
    srcset_part(out, str_cut(&s, ','));
    while (commas-- != 0) {
        buf_addc(out, ',');
        srcset_part(out, str_cut(&s, ','));
    }
}

bool url_is_safe(str s)
{
    ptrdiff_t colon = str_find(s, ':');
    str scheme;

    if (colon < 0)
        return true;
    scheme = str_sub(s, 0, (size_t)colon);
    return str_find(scheme, '/') >= 0 || str_eq_nocase(scheme, S("http")) ||
           str_eq_nocase(scheme, S("https")) || str_eq_nocase(scheme, S("mailto"));
}

void js_string_escape(struct buf *out, str s, bool is_pattern)
{
    while (s.n != 0) {
        uint32_t r;
        size_t k = utf8_decode(s, &r);
        char c = r < 0x80 ? (char)r : 'x';

        if (r == 0x2028 || r == 0x2029 || c == '\0' || c == '\v' || c == '"' || c == '`' ||
            c == '&' || c == '\'' || c == '+' || c == '<' || c == '>')
            buf_addf(out, "\\u%04x", r);
        else if (c == '\t' || c == '\n' || c == '\f' || c == '\r')
            buf_addf(out, "\\%c", c == '\t' ? 't' : c == '\n' ? 'n' : c == '\f' ? 'f' : 'r');
        else if (c == '/' || c == '\\' || (is_pattern && strchr("$()*-.?[]^{|}", c) != NULL))
            buf_addf(out, "\\%c", c);
        else
            buf_add(out, str_sub(s, 0, k));
        s = str_sub(s, k, s.n);
    }
}

/* -- JSON -- */

static void json_text(struct buf *out, str s)
{
    quote_json(out, s, true);
}

static bool json_object(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v,
                        struct err *e)
{
    const struct tmpl_field *f = v->type != NULL ? v->type->fields : NULL;
    bool first = true;

    if (v->object == NULL) {
        buf_adds(out, "null");
        return true;
    }
    buf_addc(out, '{');
    for (; f != NULL && f->name != NULL; f++) {
        struct tmpl_value x = TV_ZERO;

        if (!first)
            buf_addc(out, ',');
        first = false;
        json_text(out, str_of(f->json != NULL ? f->json : f->name));
        buf_addc(out, ':');
        f->get(env, v->object, &x);
        if (!tmpl_json(env, out, &x, e))
            return false;
    }
    buf_addc(out, '}');
    return true;
}

static bool json_list(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v,
                      struct err *e)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < v->list.n; i++) {
        if (i != 0)
            buf_addc(out, ',');
        if (!tmpl_json(env, out, &v->list.v[i], e))
            return false;
    }
    buf_addc(out, ']');
    return true;
}

static bool json_map(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v,
                     struct err *e)
{
    struct tmpl_map m = tv_map_of(v);

    buf_addc(out, '{');
    for (size_t i = 0; i < m.n; i++) {
        if (i != 0)
            buf_addc(out, ',');
        json_text(out, m.v[i].key);
        buf_addc(out, ':');
        if (!tmpl_json(env, out, &m.v[i].value, e))
            return false;
    }
    buf_addc(out, '}');
    return true;
}

static bool json_value(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v,
                       struct err *e)
{
    switch (v->kind) {
    case TV_NONE:
    case TV_NIL: buf_adds(out, "null"); return true;
    case TV_BOOL: buf_add(out, v->b ? S("true") : S("false")); return true;
    case TV_INT:
    case TV_DURATION: buf_add_i64(out, v->i); return true;
    case TV_UINT: buf_add_u64(out, v->u); return true;
    case TV_FLOAT:
        if (!isfinite(v->f)) {
            struct buf b = BUF_INIT;

            float_print_g(&b, v->f);
            err_set(e, ERR_INVALID, "json: unsupported value: %.*s", STR(buf_str(&b)));
            buf_release(&b);
            return false;
        }
        float_print_go_json(out, v->f);
        return true;
    case TV_STRING: json_text(out, v->s); return true;
    case TV_TIME: return tmpl_time_json(out, v->time, e);
    case TV_LIST: return json_list(env, out, v, e);
    case TV_MAP: return json_map(env, out, v, e);
    case TV_OBJECT: return json_object(env, out, v, e);
    }
    return true;
}

bool tmpl_json(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v, struct err *e)
{
    bool ok;

    if (env->a->limit != 0 && out->n > env->a->limit)
        return err_set(e, ERR_LIMIT, "the text is too long");
    if (env->json_depth == JSON_DEPTH)
        return err_set(e, ERR_LIMIT, "json: more than %d levels", JSON_DEPTH);
    env->json_depth++;
    ok = json_value(env, out, v, e);
    env->json_depth--;
    return ok;
}

/* Numbers and words get blanks, so that they do not run into what stands next to them. */
void js_value(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v)
{
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct tmpl_value text;
    bool apart;

    if (v->type != NULL && v->type->text != NULL && v->kind != TV_STRING) {
        struct buf own = BUF_INIT;

        v->type->text(env, &own, v);
        text = tv_copy_buf(env->a, &own);
        v = &text;
    }
    if (!tmpl_json(env, &b, v, &e)) {
        buf_adds(out, " /* value has no JSON */null ");
        buf_release(&b);
        return;
    }
    apart = b.n != 0 && (sanitize_is_alnum(b.p[0]) || sanitize_is_alnum(b.p[b.n - 1]));
    if (apart)
        buf_addc(out, ' ');
    buf_add(out, buf_str(&b));
    if (apart)
        buf_addc(out, ' ');
    buf_release(&b);
}

/* -- CSS -- */

void css_string_escape(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '\0' || strchr("\t\n\f\r\"&'()+/:;<>{}", c) != NULL) {
            buf_addf(out, "\\%x", (unsigned char)c);
            if (i + 1 == s.n || sanitize_is_hex(s, i + 1) ||
                (i + 1 < s.n && strchr(" \t\n\f\r", s.p[i + 1]) != NULL))
                buf_addc(out, ' ');
        } else if (c == '\\') {
            buf_adds(out, "\\\\");
        } else {
            buf_addc(out, c);
        }
    }
}

bool css_is_safe(str s)
{
    char word[32];
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '\0' || strchr("\"'()/;@[\\]`{}<>", c) != NULL)
            return false;
        if (c == '-' && i + 1 < s.n && s.p[i + 1] == '-')
            return false;
        if (sanitize_is_alnum(c) && n < sizeof(word))
            word[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return str_find_str((str){word, n}, S("expression")) < 0 &&
           str_find_str((str){word, n}, S("mozbinding")) < 0;
}
