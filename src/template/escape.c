/* The scanner goes byte by byte. Entering a value it knows from the attribute's name what is inside:
 *
 *     <a href="/q?x={{.}}" onclick='f({{.}})'>{{.}}</a>
 *
 * the first value stands in the query of a URL, the second is a JavaScript value, the third is text.
 */
#include "template/escape.h"

#include "template/printf.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_alpha(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static enum tmpl_html_state value_state(str name)
{
    static const char *const urls[] = {"action",   "archive",  "background", "cite",    "classid",
                                       "codebase", "data",     "formaction", "href",    "icon",
                                       "longdesc", "manifest", "poster",     "profile", "src",
                                       "usemap",   "xmlns"};
    ptrdiff_t colon;

    if (str_starts_with(name, S("data-"))) {
        name = str_sub(name, 5, name.n);
    } else {
        colon = str_find(name, ':');
        if (colon > 0 && str_eq(str_sub(name, 0, (size_t)colon), S("xmlns")))
            return HS_URL;
        if (colon > 0)
            name = str_sub(name, (size_t)colon + 1, name.n);
    }
    for (size_t i = 0; i < ARRAY_LEN(urls); i++)
        if (str_is(name, urls[i]))
            return HS_URL;
    if (str_is(name, "srcset") || str_is(name, "imagesrcset"))
        return HS_SRCSET;
    if (str_is(name, "style"))
        return HS_CSS;
    if (str_starts_with(name, S("on")))
        return HS_JS;
    if (str_find_str(name, S("src")) >= 0 || str_find_str(name, S("uri")) >= 0 ||
        str_find_str(name, S("url")) >= 0)
        return HS_URL;
    return HS_ATTR;
}

static void end_tag(struct tmpl_escape *x)
{
    static const enum tmpl_html_state bodies[] = {[EL_PLAIN] = HS_TEXT,
                                                  [EL_SCRIPT] = HS_JS,
                                                  [EL_STYLE] = HS_CSS,
                                                  [EL_TEXTAREA] = HS_RCDATA,
                                                  [EL_TITLE] = HS_RCDATA};

    if (x->is_closing_tag)
        x->element = EL_PLAIN;
    x->state = bodies[x->element];
    x->delim = 0;
    x->last = 0;
}

/* At "<": how many bytes of the tag's start were taken; 0: it is no tag. */
static size_t open_tag(struct tmpl_escape *x, str s)
{
    static const char *const special[] = {[EL_SCRIPT] = "script",
                                          [EL_STYLE] = "style",
                                          [EL_TEXTAREA] = "textarea",
                                          [EL_TITLE] = "title"};
    size_t n = 1, start;

    x->is_closing_tag = s.n > 1 && s.p[1] == '/';
    n += x->is_closing_tag;
    start = n;
    if (n >= s.n || !is_alpha(s.p[n]))
        return 0;
    while (n < s.n &&
           (is_alpha(s.p[n]) || (s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '-' || s.p[n] == ':'))
        n++;
    x->element = EL_PLAIN;
    for (size_t i = EL_SCRIPT; i <= EL_TITLE && !x->is_closing_tag; i++)
        if (str_eq_nocase(str_sub(s, start, n), str_of(special[i])))
            x->element = (enum tmpl_element)i;
    x->state = HS_TAG;
    return n;
}

/* Whether the special element that we are in ends here. */
static bool closes_element(const struct tmpl_escape *x, str s)
{
    static const char *const ends[] = {[EL_PLAIN] = "",
                                       [EL_SCRIPT] = "</script",
                                       [EL_STYLE] = "</style",
                                       [EL_TEXTAREA] = "</textarea",
                                       [EL_TITLE] = "</title"};
    str end = str_of(ends[x->element]);

    return end.n != 0 && x->delim == 0 && s.p[0] == '<' && str_eq_nocase(str_sub(s, 0, end.n), end);
}

static void in_tag(struct tmpl_escape *x, char c)
{
    switch (x->state) {
    case HS_TAG:
        if (c == '>') {
            end_tag(x);
        } else if (!is_blank(c) && c != '/') {
            x->state = HS_ATTR_NAME;
            x->name[0] = is_alpha(c) ? (char)(c | 0x20) : c;
            x->name_n = 1;
        }
        break;
    case HS_ATTR_NAME:
        if (c == '>' || c == '=' || is_blank(c) || c == '/') {
            x->value_state = value_state((str){x->name, x->name_n});
            x->state = c == '=' ? HS_BEFORE_VALUE : c == '/' ? HS_TAG : HS_AFTER_NAME;
            if (c == '>')
                end_tag(x);
        } else if (x->name_n < sizeof(x->name)) {
            x->name[x->name_n++] = is_alpha(c) ? (char)(c | 0x20) : c;
        }
        break;
    case HS_AFTER_NAME:
        if (c == '=') {
            x->state = HS_BEFORE_VALUE;
        } else if (!is_blank(c)) {
            x->state = HS_TAG;
            in_tag(x, c);
        }
        break;
    default: break;
    }
}

static void enter_value(struct tmpl_escape *x, char delim)
{
    x->delim = delim;
    x->state = x->value_state;
    x->url = URL_START;
    x->last = 0;
}

/* A slash begins a pattern where no operand ends. */
static bool begins_pattern(char last)
{
    return last == 0 || strchr("=+-*%(,;:?!&|{[<>~^}", last) != NULL;
}

static void in_js(struct tmpl_escape *x, str s)
{
    char c = s.p[0], next = s.n > 1 ? s.p[1] : '\0';

    switch (c) {
    case '"': x->state = HS_JS_DQ; break;
    case '\'': x->state = HS_JS_SQ; break;
    case '`': x->state = HS_JS_TEMPLATE; break;
    case '/':
        if (next == '/')
            x->state = HS_JS_LINE_COMMENT;
        else if (next == '*')
            x->state = HS_JS_BLOCK_COMMENT;
        else if (begins_pattern(x->last))
            x->state = HS_JS_REGEXP;
        break;
    default: break;
    }
    if (!is_blank(c))
        x->last = c;
}

static void in_css(struct tmpl_escape *x, str s)
{
    char c = s.p[0], next = s.n > 1 ? s.p[1] : '\0';

    if (c == '"') {
        x->state = HS_CSS_DQ;
    } else if (c == '\'') {
        x->state = HS_CSS_SQ;
    } else if (c == '/' && (next == '*' || next == '/')) {
        x->state = next == '*' ? HS_CSS_BLOCK_COMMENT : HS_CSS_LINE_COMMENT;
    } else if (c == '(' && x->last == 'l') { /* url( */
        str rest = str_sub(s, 1, s.n);

        while (rest.n != 0 && is_blank(rest.p[0]))
            rest = str_sub(rest, 1, rest.n);
        x->url = URL_START;
        x->state = rest.n != 0 && rest.p[0] == '"'    ? HS_CSS_DQ_URL
                   : rest.n != 0 && rest.p[0] == '\'' ? HS_CSS_SQ_URL
                                                      : HS_CSS_URL;
    }
    x->last = c == 'l' || c == 'L' ? 'l' : c;
}

static void in_url(struct tmpl_escape *x, char c)
{
    if (c == '?' || c == '#')
        x->url = URL_QUERY;
    else if (x->url == URL_START && !is_blank(c))
        x->url = URL_PATH;
}

/* How many bytes of a string, pattern or comment go together here; may end it. */
static size_t in_quoted(struct tmpl_escape *x, str s)
{
    static const struct {
        enum tmpl_html_state state, back;
        const char *end;
        bool escapes;
    } rows[] = {
        {HS_JS_DQ, HS_JS, "\"", true},
        {HS_JS_SQ, HS_JS, "'", true},
        {HS_JS_TEMPLATE, HS_JS, "`", true},
        {HS_JS_REGEXP, HS_JS, "/", true},
        {HS_JS_BLOCK_COMMENT, HS_JS, "*/", false},
        {HS_JS_LINE_COMMENT, HS_JS, "\n", false},
        {HS_CSS_DQ, HS_CSS, "\"", true},
        {HS_CSS_SQ, HS_CSS, "'", true},
        {HS_CSS_URL, HS_CSS, ")", true},
        {HS_CSS_DQ_URL, HS_CSS, ")", true},
        {HS_CSS_SQ_URL, HS_CSS, ")", true},
        {HS_CSS_BLOCK_COMMENT, HS_CSS, "*/", false},
        {HS_CSS_LINE_COMMENT, HS_CSS, "\n", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].state != x->state)
            continue;
        if (rows[i].escapes && s.p[0] == '\\' && s.n > 1)
            return 2;
        if (x->state == HS_CSS_URL || x->state == HS_CSS_DQ_URL || x->state == HS_CSS_SQ_URL)
            if (s.p[0] != '"' && s.p[0] != '\'')
                in_url(x, s.p[0]);
        if (str_starts_with(s, str_of(rows[i].end))) {
            x->state = rows[i].back;
            x->last = '"';
            return strlen(rows[i].end);
        }
        return 1;
    }
    return 1;
}

static bool is_comment(enum tmpl_html_state s)
{
    return s == HS_JS_BLOCK_COMMENT || s == HS_JS_LINE_COMMENT || s == HS_CSS_BLOCK_COMMENT ||
           s == HS_CSS_LINE_COMMENT;
}

static bool ends_value(const struct tmpl_escape *x, char c)
{
    return x->delim == ' ' ? is_blank(c) || c == '>' : x->delim != 0 && c == x->delim;
}

static size_t in_value(struct tmpl_escape *x, str s)
{
    switch (x->state) {
    case HS_JS: in_js(x, s); return 1;
    case HS_CSS: in_css(x, s); return 1;
    case HS_URL:
    case HS_SRCSET: in_url(x, s.p[0]); return 1;
    case HS_ATTR:
    case HS_RCDATA: return 1;
    default: return in_quoted(x, s);
    }
}

/* Takes at least one byte of s; the bytes that are shown go to out. */
static size_t scan(struct tmpl_escape *x, struct buf *out, str s)
{
    size_t n = 1;
    ptrdiff_t end;
    bool hidden;

    if (x->state == HS_TEXT || closes_element(x, s)) {
        if (str_starts_with(s, S("<!--"))) {
            x->state = HS_COMMENT;
            return 4;
        }
        n = s.p[0] == '<' ? open_tag(x, s) : 1;
        n = n != 0 ? n : 1;
        buf_add(out, str_sub(s, 0, n));
        return n;
    }
    if (x->state == HS_COMMENT) {
        end = str_find_str(s, S("-->"));
        if (end < 0)
            return s.n;
        x->state = HS_TEXT;
        return (size_t)end + 3;
    }
    if (x->state == HS_BEFORE_VALUE) {
        if (s.p[0] == '"' || s.p[0] == '\'') {
            enter_value(x, s.p[0]);
        } else if (s.p[0] == '>') {
            end_tag(x);
        } else if (!is_blank(s.p[0])) {
            enter_value(x, ' ');
            return 0;
        }
    } else if (ends_value(x, s.p[0])) {
        x->delim = 0;
        x->state = HS_TAG;
        if (s.p[0] == '>')
            end_tag(x);
    } else if (x->state >= HS_TAG && x->state <= HS_AFTER_NAME) {
        in_tag(x, s.p[0]);
    } else {
        hidden = is_comment(x->state);
        n = in_value(x, s);
        if (hidden || is_comment(x->state)) {
            /* Comments are left out; a blank or the line's end stays, so that tokens stay apart. */
            if (hidden && !is_comment(x->state))
                buf_addc(out, s.p[0] == '\n' ? '\n' : ' ');
            return n;
        }
    }
    buf_add(out, str_sub(s, 0, n));
    return n;
}

void tmpl_escape_text(struct tmpl_escape *x, struct buf *out, str text)
{
    while (text.n != 0)
        text = str_sub(text, scan(x, out, text), text.n);
}

/* -- values -- */

/* Where a value begins, an attribute without quotes or a name may have to be entered first. */
static void nudge(struct tmpl_escape *x)
{
    if (x->state == HS_BEFORE_VALUE)
        enter_value(x, ' ');
    else if (x->state == HS_AFTER_NAME)
        x->state = HS_TAG;
}

static bool name_is_safe(str s)
{
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_alpha(s.p[i]) && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    return s.n <= 24 && value_state(s) == HS_ATTR;
}

static void put_url(struct tmpl_escape *x, struct buf *out, str s, bool is_safe)
{
    bool at_start = x->url == URL_START;

    if (at_start && !is_safe && !url_is_safe(s))
        buf_adds(out, "#ZgotmplZ");
    else
        url_escape(out, s, x->url != URL_QUERY || is_safe);
    if (at_start)
        x->url = URL_PATH;
}

/* The value for its language, before the attribute around it. */
static void put_inner(struct tmpl_escape *x, struct tmpl_env *env, struct buf *out,
                      const struct tmpl_value *v, str s, enum tmpl_safe safe)
{
    switch (x->state) {
    case HS_URL:
    case HS_SRCSET:
    case HS_CSS_URL:
    case HS_CSS_DQ_URL:
    case HS_CSS_SQ_URL: put_url(x, out, s, safe == TMPL_SAFE_URL); break;
    case HS_JS:
        if (safe == TMPL_SAFE_JS)
            buf_add(out, s);
        else
            js_value(env, out, v);
        x->last = '"';
        break;
    case HS_JS_DQ:
    case HS_JS_SQ:
    case HS_JS_TEMPLATE: js_string_escape(out, s, false); break;
    case HS_JS_REGEXP: js_string_escape(out, s.n != 0 ? s : S("(?:)"), s.n != 0); break;
    case HS_CSS: buf_add(out, safe == TMPL_SAFE_CSS || css_is_safe(s) ? s : S("ZgotmplZ")); break;
    case HS_CSS_DQ:
    case HS_CSS_SQ: css_string_escape(out, s); break;
    default: buf_add(out, s);
    }
}

static void put_text(struct tmpl_escape *x, struct buf *out, str s, bool is_html)
{
    if (x->state == HS_TEXT && is_html)
        buf_add(out, s);
    else
        html_escape(out, s, is_html, false);
}

bool tmpl_escape_value(struct tmpl_escape *x, struct tmpl_env *env, struct buf *out,
                       const struct tmpl_value *v, bool is_html, struct err *e)
{
    struct buf text = BUF_INIT, inner = BUF_INIT;
    enum tmpl_safe safe = v->type != NULL && v->kind == TV_STRING ? v->type->safe : TMPL_PLAIN;
    str s;

    (void)e;
    nudge(x);
    if (v->kind != TV_NONE && v->kind != TV_NIL)
        tmpl_print(env, &text, v);
    s = buf_str(&text);
    is_html = is_html || safe == TMPL_SAFE_HTML;
    if (x->state == HS_TEXT || x->state == HS_RCDATA) {
        put_text(x, out, s, is_html);
    } else if (x->state == HS_TAG || x->state == HS_ATTR_NAME) {
        buf_add(out, name_is_safe(s) ? s : S("ZgotmplZ"));
        x->state = HS_ATTR_NAME;
        x->name_n = 0;
        for (size_t i = 0; i < s.n && i < sizeof(x->name); i++)
            x->name[x->name_n++] = is_alpha(s.p[i]) ? (char)(s.p[i] | 0x20) : s.p[i];
    } else if (x->state != HS_COMMENT && !is_comment(x->state)) {
        if (x->state == HS_ATTR && is_html && safe == TMPL_SAFE_HTML)
            html_strip_tags(&inner, s);
        else
            put_inner(x, env, &inner, v, s, safe);
        if (x->delim == 0)
            buf_add(out, buf_str(&inner));
        else if (x->delim == ' ' && inner.n == 0)
            buf_adds(out, "ZgotmplZ");
        else
            html_escape(out, buf_str(&inner), x->state == HS_ATTR && is_html, x->delim == ' ');
    }
    buf_release(&text);
    buf_release(&inner);
    return true;
}

bool tmpl_escape_end(const struct tmpl_escape *x, struct err *e)
{
    if (x->state == HS_TEXT)
        return true;
    return err_set(e, ERR_INVALID, "html/template: ends in a non-text context: %s",
                   x->state == HS_COMMENT  ? "inside of a comment"
                   : x->state == HS_RCDATA ? "inside of a text element"
                   : x->delim != 0         ? "inside of an attribute"
                   : x->state <= HS_ATTR   ? "inside of a tag"
                   : x->state < HS_CSS     ? "inside of a script"
                                           : "inside of a style");
}
