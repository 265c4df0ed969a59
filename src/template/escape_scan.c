/* escape_scan.c - where in a page a piece of text ends.
 *
 * One function a state takes text up to the next change of state. Leaving an attribute's value forgets what was inside:
 *
 *     <a href="/q?x={{.}}" onclick='f({{.}})'>{{.}}</a>
 *
 * the first value stands in the query of a URL, the second is a JavaScript value, the third is text.
 */
#include "template/escape_priv.h"

/* -- attributes -- */

static enum tmpl_attr attr_of(str name)
{
    static const char *const urls[] = {"action",   "archive",  "background", "cite",    "classid",
                                       "codebase", "data",     "formaction", "href",    "icon",
                                       "longdesc", "manifest", "poster",     "profile", "src",
                                       "usemap",   "xmlns"};
    ptrdiff_t colon;

    if (str_starts_with(name, S("data-"))) {
        name = escape_priv_rest(name, 5);
    } else {
        colon = str_find(name, ':');
        if (colon > 0 && str_eq(str_sub(name, 0, (size_t)colon), S("xmlns")))
            return ATTR_URL;
        if (colon > 0)
            name = escape_priv_rest(name, (size_t)colon + 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(urls); i++)
        if (str_is(name, urls[i]))
            return ATTR_URL;
    if (str_is(name, "srcset") || str_is(name, "imagesrcset"))
        return ATTR_SRCSET;
    if (str_is(name, "style"))
        return ATTR_STYLE;
    if (str_starts_with(name, S("on")))
        return ATTR_SCRIPT;
    if (str_find_str(name, S("src")) >= 0 || str_find_str(name, S("uri")) >= 0 ||
        str_find_str(name, S("url")) >= 0)
        return ATTR_URL;
    return ATTR_PLAIN;
}

enum { NAME_MAX_BYTES = 64 }; /* no name that means something is longer */

static enum tmpl_attr attr_of_any_case(str name)
{
    char low[NAME_MAX_BYTES];
    size_t n = name.n < sizeof(low) ? name.n : sizeof(low);

    for (size_t i = 0; i < n; i++)
        low[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i];
    return attr_of((str){low, n});
}

bool tmpl_attr_is_plain(str name)
{
    return attr_of_any_case(name) == ATTR_PLAIN;
}

/* End of the name that begins at i; SIZE_MAX for a byte that no name has. */
static size_t name_end(str s, size_t i, struct err *e)
{
    size_t end = find_any(s, i, " \t\n\f\r=>'\"<");

    if (end < s.n && strchr("'\"<", s.p[end]) != NULL)
        return escape_fault_char(e, escape_priv_rest(s, end),
                                 " in attribute name: ", escape_shortened(s));
    return end;
}

static size_t in_tag(struct tmpl_escape *x, str s, struct err *e)
{
    static const enum tmpl_html_state bodies[] = {[EL_PLAIN] = HS_TEXT,
                                                  [EL_SCRIPT] = HS_JS,
                                                  [EL_STYLE] = HS_CSS,
                                                  [EL_TEXTAREA] = HS_RCDATA,
                                                  [EL_TITLE] = HS_RCDATA};
    size_t from = escape_priv_skip_blanks(s, 0), to;

    if (from == s.n)
        return s.n;
    if (s.p[from] == '>') {
        *x = (struct tmpl_escape){.state = bodies[x->element], .element = x->element};
        return from + 1;
    }
    to = name_end(s, from, e);
    if (to == SIZE_MAX)
        return to;
    if (to == from)
        return escape_fault(e, "expected space, attr name, or end of tag, but got ",
                            escape_priv_rest(s, from));
    if (x->element == EL_SCRIPT && str_eq_nocase(str_sub(s, from, to), S("type")))
        x->attr = ATTR_SCRIPT_TYPE;
    else
        x->attr = attr_of_any_case(str_sub(s, from, to));
    x->state = to == s.n ? HS_ATTR_NAME : HS_AFTER_NAME;
    return to;
}

static size_t in_attr_name(struct tmpl_escape *x, str s, struct err *e)
{
    size_t to = name_end(s, 0, e);

    if (to < s.n)
        x->state = HS_AFTER_NAME;
    return to;
}

static size_t after_name(struct tmpl_escape *x, str s, struct err *e)
{
    size_t i = escape_priv_skip_blanks(s, 0);

    (void)e;
    if (i == s.n)
        return i;
    x->state = s.p[i] == '=' ? HS_BEFORE_VALUE : HS_TAG;
    return i + (s.p[i] == '=');
}

static void enter_value(struct tmpl_escape *x, enum tmpl_delim delim)
{
    static const enum tmpl_html_state values[] = {
        [ATTR_PLAIN] = HS_ATTR, [ATTR_SCRIPT] = HS_JS, [ATTR_SCRIPT_TYPE] = HS_ATTR,
        [ATTR_STYLE] = HS_CSS,  [ATTR_URL] = HS_URL,   [ATTR_SRCSET] = HS_SRCSET};

    x->delim = delim;
    x->state = values[x->attr];
}

static size_t before_value(struct tmpl_escape *x, str s, struct err *e)
{
    size_t i = escape_priv_skip_blanks(s, 0);

    (void)e;
    if (i == s.n)
        return i;
    enter_value(x, s.p[i] == '"' ? DELIM_DOUBLE : s.p[i] == '\'' ? DELIM_SINGLE : DELIM_BLANK);
    return i + (x->delim != DELIM_BLANK);
}

void tmpl_escape_enter(struct tmpl_escape *x)
{
    if (x->state == HS_BEFORE_VALUE)
        enter_value(x, DELIM_BLANK);
    else if (x->state == HS_TAG || x->state == HS_AFTER_NAME)
        x->state = HS_ATTR_NAME;
    else
        return;
    x->attr = ATTR_PLAIN;
}

void tmpl_escape_leave(struct tmpl_escape *x)
{
    if (x->state == HS_JS)
        x->slash = SLASH_DIVIDES;
}

/* -- text -- */

static enum tmpl_element element_of(str name)
{
    static const char *const special[] = {[EL_SCRIPT] = "script",
                                          [EL_STYLE] = "style",
                                          [EL_TEXTAREA] = "textarea",
                                          [EL_TITLE] = "title"};

    for (size_t i = EL_SCRIPT; i < ARRAY_LEN(special); i++)
        if (str_eq_nocase(name, str_of(special[i])))
            return (enum tmpl_element)i;
    return EL_PLAIN;
}

static size_t tag_name_end(str s, size_t i)
{
    if (i == s.n || !escape_priv_is_alpha(s.p[i]))
        return i;
    for (i++; i < s.n; i++) {
        bool inside = (s.p[i] == ':' || s.p[i] == '-') && i + 1 < s.n &&
                      (escape_priv_is_alpha(s.p[i + 1]) || char_is_digit(s.p[i + 1]));

        if (!escape_priv_is_alpha(s.p[i]) && !char_is_digit(s.p[i]) && !inside)
            break;
    }
    return i;
}

static size_t in_text(struct tmpl_escape *x, str s, struct err *e)
{
    (void)e;
    for (size_t i = find_any(s, 0, "<"); i + 1 < s.n; i = find_any(s, i, "<")) {
        bool closes;
        size_t end;

        if (str_starts_with(escape_priv_rest(s, i), S("<!--"))) {
            *x = (struct tmpl_escape){.state = HS_COMMENT};
            return i + 4;
        }
        closes = s.p[++i] == '/';
        i += closes;
        end = tag_name_end(s, i);
        if (end != i) {
            *x =
                (struct tmpl_escape){.state = HS_TAG,
                                     .element = closes ? EL_PLAIN : element_of(str_sub(s, i, end))};
            return end;
        }
    }
    return s.n;
}

static size_t in_comment(struct tmpl_escape *x, str s, struct err *e)
{
    ptrdiff_t end = str_find_str(s, S("-->"));

    (void)e;
    if (end < 0)
        return s.n;
    *x = (struct tmpl_escape){.state = HS_TEXT};
    return (size_t)end + 3;
}

static size_t in_plain(struct tmpl_escape *x, str s, struct err *e)
{
    (void)x;
    (void)e;
    return s.n;
}

/* Where the tag that closes the element stands; s.n without it. */
static size_t element_end(enum tmpl_element element, str s)
{
    static const char *const ends[] = {[EL_SCRIPT] = "</script",
                                       [EL_STYLE] = "</style",
                                       [EL_TEXTAREA] = "</textarea",
                                       [EL_TITLE] = "</title"};
    str end;

    if (element == EL_PLAIN)
        return s.n;
    end = str_of(ends[element]);
    for (size_t i = find_any(s, 0, "<"); i + end.n < s.n; i = find_any(s, i + 1, "<"))
        if (str_eq_nocase(str_sub(s, i, i + end.n), end) && s.p[i + end.n] != '\0' &&
            strchr("> \t\n\f/", s.p[i + end.n]) != NULL)
            return i;
    return s.n;
}

/* -- all of them -- */

static size_t escape_scan_step(struct tmpl_escape *x, str s, struct err *e)
{
    static size_t (*const states[])(struct tmpl_escape *, str, struct err *) = {
        [HS_TEXT] = in_text,
        [HS_COMMENT] = in_comment,
        [HS_RCDATA] = in_plain,
        [HS_TAG] = in_tag,
        [HS_ATTR_NAME] = in_attr_name,
        [HS_AFTER_NAME] = after_name,
        [HS_BEFORE_VALUE] = before_value,
        [HS_ATTR] = in_plain,
        [HS_URL] = escape_in_url,
        [HS_SRCSET] = escape_in_url,
        [HS_JS] = escape_in_js,
        [HS_JS_DQ] = escape_in_js_quoted,
        [HS_JS_SQ] = escape_in_js_quoted,
        [HS_JS_TEMPLATE] = escape_in_js_quoted,
        [HS_JS_REGEXP] = escape_in_js_quoted,
        [HS_JS_BLOCK_COMMENT] = escape_in_block_comment,
        [HS_JS_LINE_COMMENT] = escape_in_line_comment,
        [HS_CSS] = escape_in_css,
        [HS_CSS_DQ] = escape_in_css_quoted,
        [HS_CSS_SQ] = escape_in_css_quoted,
        [HS_CSS_URL] = escape_in_css_quoted,
        [HS_CSS_DQ_URL] = escape_in_css_quoted,
        [HS_CSS_SQ_URL] = escape_in_css_quoted,
        [HS_CSS_BLOCK_COMMENT] = escape_in_block_comment,
        [HS_CSS_LINE_COMMENT] = escape_in_line_comment,
        [HS_DEAD] = in_plain,
    };

    return states[x->state](x, s, e);
}

/* An entity stands for its character: <a onclick="f(&quot;{{.}}&quot;)">. The names are those of markup and quotes. */
static void decode_entities(struct buf *out, str s)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {{"&quot;", '"'}, {"&#34;", '"'}, {"&apos;", '\''}, {"&#39;", '\''},
                 {"&amp;", '&'},  {"&lt;", '<'},  {"&gt;", '>'},    {"&lpar;", '('},
                 {"&rpar;", ')'}, {"&sol;", '/'}, {"&num;", '#'},   {"&quest;", '?'}};

    for (size_t i = 0; i < s.n;) {
        size_t k = 0;

        assume(s.p != NULL);
        while (k < ARRAY_LEN(names) &&
               !str_starts_with(escape_priv_rest(s, i), str_of(names[k].name)))
            k++;
        buf_addc(out, k < ARRAY_LEN(names) ? names[k].c : s.p[i]);
        i += k < ARRAY_LEN(names) ? strlen(names[k].name) : 1;
    }
}

/* A value that goes on behind the text. */
static size_t inside_value(struct tmpl_escape *x, str s, struct err *e)
{
    struct buf b = BUF_INIT;
    size_t n = 0;

    decode_entities(&b, s);
    for (str left = buf_str(&b); left.n != 0 && n != SIZE_MAX; left = escape_priv_rest(left, n))
        n = escape_scan_step(x, left, e);
    buf_release(&b);
    return n == SIZE_MAX ? n : s.n;
}

static bool is_js_type(str type)
{
    static const char *const types[] = {"application/ecmascript",
                                        "application/javascript",
                                        "application/json",
                                        "application/ld+json",
                                        "application/x-ecmascript",
                                        "application/x-javascript",
                                        "module",
                                        "text/ecmascript",
                                        "text/javascript",
                                        "text/javascript1.0",
                                        "text/javascript1.1",
                                        "text/javascript1.2",
                                        "text/javascript1.3",
                                        "text/javascript1.4",
                                        "text/javascript1.5",
                                        "text/jscript",
                                        "text/livescript",
                                        "text/x-ecmascript",
                                        "text/x-javascript"};

    type = str_trim(str_cut(&type, ';'));
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq_nocase(type, str_of(types[i])))
            return true;
    return false;
}

size_t tmpl_escape_scan(struct tmpl_escape *x, str s, struct err *e)
{
    static const char *const ends[] = {
        [DELIM_DOUBLE] = "\"", [DELIM_SINGLE] = "'", [DELIM_BLANK] = " \t\n\f\r>"};
    enum tmpl_element element = x->element;
    size_t end, bad;

    if (x->delim == DELIM_NONE) {
        end = element_end(x->element, s);
        if (end != 0)
            return escape_scan_step(x, str_sub(s, 0, end), e);
        *x = (struct tmpl_escape){.state = HS_TEXT};
        return 0;
    }
    end = find_any(s, 0, ends[x->delim]);
    bad = x->delim == DELIM_BLANK ? find_any(str_sub(s, 0, end), 0, "\"'<=`") : end;
    if (bad < end)
        return escape_fault_char(e, escape_priv_rest(s, bad),
                                 " in unquoted attr: ", str_sub(s, 0, end));
    if (end == s.n)
        return inside_value(x, s, e);
    if (x->state == HS_ATTR && x->attr == ATTR_SCRIPT_TYPE && !is_js_type(str_sub(s, 0, end)))
        element = EL_PLAIN;
    end += x->delim != DELIM_BLANK;
    *x = (struct tmpl_escape){.state = HS_TAG, .element = element};
    return end;
}

bool tmpl_escape_is_comment(enum tmpl_html_state s)
{
    return s == HS_COMMENT || s == HS_JS_BLOCK_COMMENT || s == HS_JS_LINE_COMMENT ||
           s == HS_CSS_BLOCK_COMMENT || s == HS_CSS_LINE_COMMENT;
}

void tmpl_escape_print(struct buf *out, const struct tmpl_escape *x)
{
    static const char *const states[] = {"Text",       "HTMLCmt",   "RCDATA",      "Tag",
                                         "AttrName",   "AfterName", "BeforeValue", "Attr",
                                         "URL",        "Srcset",    "JS",          "JSDqStr",
                                         "JSSqStr",    "JSTmplLit", "JSRegexp",    "JSBlockCmt",
                                         "JSLineCmt",  "CSS",       "CSSDqStr",    "CSSSqStr",
                                         "CSSURL",     "CSSDqURL",  "CSSSqURL",    "CSSBlockCmt",
                                         "CSSLineCmt", "Dead"};
    static const char *const delims[] = {"None", "DoubleQuote", "SingleQuote", "SpaceOrTagEnd"};
    static const char *const parts[] = {"None", "PreQuery", "QueryOrFrag", "Unknown"};
    static const char *const slashes[] = {"Regexp", "DivOp", "Unknown"};
    static const char *const attrs[] = {"None", "Script", "ScriptType", "Style", "URL", "Srcset"};
    static const char *const elements[] = {"None", "Script", "Style", "Textarea", "Title"};

    buf_addf(out, "{state%s delim%s urlPart%s jsCtx%s attr%s element%s <nil>}", states[x->state],
             delims[x->delim], parts[x->url], slashes[x->slash], attrs[x->attr],
             elements[x->element]);
}
