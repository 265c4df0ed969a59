/* What the page shows of a template's text, and each value escaped for the place that the scanner is in. */
#include "template/escape.h"

#include "template/printf.h"

/* -- text -- */

/* A "<" that begins no tag is shown as one, whatever stands behind it when values are filled in. */
static void put_markup(struct buf *out, str s, size_t tag)
{
    for (size_t i = 0; i < s.n; i++) {
        if (i < tag && s.p[i] == '<' &&
            !str_eq_nocase(str_sub(s, i, i + strlen("<!doctype")), S("<!doctype")))
            buf_adds(out, "&lt;");
        else
            buf_addc(out, s.p[i]);
    }
}

static size_t last_angle(str s)
{
    size_t i = s.n;

    while (i != 0 && s.p[i - 1] != '<')
        i--;
    return i != 0 ? i - 1 : s.n;
}

static bool is_hidden(const struct tmpl_escape *x)
{
    return tmpl_escape_is_comment(x->state) && x->delim == DELIM_NONE;
}

/* Comments are left out; a blank or the line's end stays, so that tokens stay apart. */
static void put_instead(struct buf *out, const struct tmpl_escape *was, str comment)
{
    if (was->state == HS_CSS_BLOCK_COMMENT)
        buf_addc(out, ' ');
    else if (was->state == HS_JS_BLOCK_COMMENT)
        buf_addc(out, str_find(comment, '\n') >= 0 || str_find(comment, '\r') >= 0 ? '\n' : ' ');
}

static void put_piece(const struct tmpl_escape *was, const struct tmpl_escape *is, struct buf *out,
                      str s)
{
    size_t opener = is->state == HS_COMMENT ? strlen("<!--") : strlen("/*");
    bool begins = is_hidden(is) && is->state != was->state;
    bool is_markup = was->state == HS_TEXT || was->state == HS_RCDATA;

    if (is_hidden(was)) {
        put_instead(out, was, s);
        return;
    }
    if (begins)
        s.n -= opener;
    if (is_markup)
        put_markup(out, s, is->state == was->state || begins ? s.n : last_angle(s));
    else
        buf_add(out, s);
}

bool tmpl_escape_text(struct tmpl_escape *x, struct buf *out, str text, struct err *e)
{
    while (text.n != 0) {
        struct tmpl_escape was = *x;
        size_t n = tmpl_escape_scan(x, text, e);

        if (n == SIZE_MAX)
            return false;
        if (out != NULL)
            put_piece(&was, x, out, str_sub(text, 0, n));
        text = str_sub(text, n, text.n);
    }
    return true;
}

/* -- values -- */

static bool name_is_safe(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((s.p[i] | 0x20) < 'a' || (s.p[i] | 0x20) > 'z') && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    return s.n != 0 && tmpl_attr_is_plain(s);
}

static void escape_put_url(const struct tmpl_escape *x, struct buf *out, str s, bool is_safe,
                           bool is_escaped)
{
    if (is_escaped)
        buf_add(out, s);
    else if (x->url == URL_START && !is_safe && !url_is_safe(s))
        buf_adds(out, "#ZgotmplZ");
    else
        url_escape(out, s, x->url != URL_QUERY || is_safe);
}

/* Text in CSS quotes may be a URL, and is filtered like one. */
static void put_css_string(const struct tmpl_escape *x, struct buf *out, str s, bool is_safe_url)
{
    if (x->url == URL_QUERY)
        url_escape(out, s, is_safe_url);
    else if (x->url == URL_START && !is_safe_url && !url_is_safe(s))
        css_string_escape(out, S("#ZgotmplZ"));
    else
        css_string_escape(out, s);
}

static void put_srcset(struct buf *out, str s, bool is_safe_url)
{
    struct buf url = BUF_INIT;

    if (!is_safe_url) {
        srcset_escape(out, s);
        return;
    }
    url_escape(&url, s, true);
    for (size_t i = 0; i < url.n; i++) /* a comma would begin the next source */
        buf_add(out, url.p[i] == ',' ? S("%2c") : (str){url.p + i, 1});
    buf_release(&url);
}

/* The value for its language, before the attribute around it. */
static void put_inner(const struct tmpl_escape *x, struct tmpl_env *env, struct buf *out,
                      const struct tmpl_value *v, str s, enum tmpl_safe safe, enum tmpl_escaped by)
{
    switch (x->state) {
    case HS_URL:
    case HS_CSS_URL:
    case HS_CSS_DQ_URL:
    case HS_CSS_SQ_URL: escape_put_url(x, out, s, safe == TMPL_SAFE_URL, by == ESCAPED_URL); break;
    case HS_SRCSET: put_srcset(out, s, safe == TMPL_SAFE_URL); break;
    case HS_JS:
        if (safe == TMPL_SAFE_JS)
            buf_add(out, s);
        else
            js_value(env, out, v);
        break;
    case HS_JS_DQ:
    case HS_JS_SQ:
    case HS_JS_TEMPLATE: js_string_escape(out, s, false); break;
    case HS_JS_REGEXP: js_string_escape(out, s.n != 0 ? s : S("(?:)"), s.n != 0); break;
    case HS_CSS: buf_add(out, safe == TMPL_SAFE_CSS || css_is_safe(s) ? s : S("ZgotmplZ")); break;
    case HS_CSS_DQ:
    case HS_CSS_SQ: put_css_string(x, out, s, safe == TMPL_SAFE_URL); break;
    default: buf_add(out, s);
    }
}

static void escape_put_text(const struct tmpl_escape *x, struct buf *out, str s, bool is_html)
{
    if (x->state == HS_TEXT && is_html)
        buf_add(out, s);
    else
        html_escape(out, s, is_html, false);
}

void tmpl_escape_value(struct tmpl_escape *x, struct tmpl_env *env, struct buf *out,
                       const struct tmpl_value *v, enum tmpl_escaped by)
{
    struct buf text = BUF_INIT, inner = BUF_INIT;
    enum tmpl_safe safe = v->type != NULL && v->kind == TV_STRING ? v->type->safe : TMPL_PLAIN;
    bool is_html = by == ESCAPED_HTML || safe == TMPL_SAFE_HTML;
    str s;

    tmpl_escape_enter(x);
    if (v->kind != TV_NONE && v->kind != TV_NIL)
        tmpl_print(env, &text, v);
    s = buf_str(&text);
    if (x->state == HS_TEXT || x->state == HS_RCDATA) {
        escape_put_text(x, out, s, is_html);
    } else if (x->state == HS_ATTR_NAME) {
        buf_add(out, name_is_safe(s) ? s : S("ZgotmplZ"));
    } else if (!tmpl_escape_is_comment(x->state)) {
        if (x->state == HS_ATTR && safe == TMPL_SAFE_HTML)
            html_strip_tags(&inner, s);
        else
            put_inner(x, env, &inner, v, s, safe, by);
        if (x->delim == DELIM_NONE)
            buf_add(out, buf_str(&inner));
        else if (x->delim == DELIM_BLANK && inner.n == 0)
            buf_adds(out, "ZgotmplZ");
        else
            html_escape(out, buf_str(&inner), x->state == HS_ATTR && is_html,
                        x->delim == DELIM_BLANK);
    }
    tmpl_escape_leave(x);
    buf_release(&text);
    buf_release(&inner);
}
