/* escape.h - html/template's contextual escaping: a value is escaped by where in the page it lands.
 *
 * The text that a template itself writes runs through a small HTML, URL, JavaScript and CSS scanner while the template
 * executes; each value is escaped for the state that the scanner is in. Go works the contexts out before it executes and
 * refuses a template whose branches end differently; here each execution follows its own branch, so such a template
 * works and every value is still escaped for its real place.
 *
 * Errors   tmpl_escape_end(): the page stops inside of a tag, an attribute, a comment, a script or a style.
 * Owns     nothing; struct tmpl_escape lives with the execution and starts zeroed.
 * Cost     one pass over the text.
 * Source   Go html/template, in behaviour.
 */
#ifndef TEMPLATE_ESCAPE_H
#define TEMPLATE_ESCAPE_H

#include "template/value.h"

enum tmpl_html_state {
    HS_TEXT,
    HS_COMMENT,
    HS_RCDATA, /* textarea, title */
    HS_TAG,
    HS_ATTR_NAME,
    HS_AFTER_NAME,
    HS_BEFORE_VALUE,
    HS_ATTR,
    HS_URL,
    HS_SRCSET,
    HS_JS,
    HS_JS_DQ,
    HS_JS_SQ,
    HS_JS_TEMPLATE,
    HS_JS_REGEXP,
    HS_JS_BLOCK_COMMENT,
    HS_JS_LINE_COMMENT,
    HS_CSS,
    HS_CSS_DQ,
    HS_CSS_SQ,
    HS_CSS_URL,
    HS_CSS_DQ_URL,
    HS_CSS_SQ_URL,
    HS_CSS_BLOCK_COMMENT,
    HS_CSS_LINE_COMMENT,
};

struct tmpl_escape {
    enum tmpl_html_state state;
    char delim; /* of an attribute: '"', '\'', ' ' without quotes, 0 outside */
    enum { URL_START, URL_PATH, URL_QUERY } url;
    enum tmpl_element { EL_PLAIN, EL_SCRIPT, EL_STYLE, EL_TEXTAREA, EL_TITLE } element;
    enum tmpl_html_state value_state; /* what the value of this attribute is */
    bool is_closing_tag, has_newline; /* of a comment, which then ends a statement */
    char last; /* last byte of JavaScript that is no blank: tells a division from a pattern */
    char name[24];
    size_t name_n;
};

void tmpl_escape_text(struct tmpl_escape *x, struct buf *out, str text);
/* is_html: the pipeline has escaped it for HTML itself. */
bool tmpl_escape_value(struct tmpl_escape *x, struct tmpl_env *env, struct buf *out,
                       const struct tmpl_value *v, bool is_html, struct err *e) must_check;
bool tmpl_escape_end(const struct tmpl_escape *x, struct err *e) must_check;

/* text/template's own functions html and js. */
void text_escape_html(struct buf *out, str s);
void text_escape_js(struct buf *out, str s);

/* Escapers of single places (sanitize.c). */
void html_escape(struct buf *out, str s, bool keep_entities, bool no_space);
void html_strip_tags(struct buf *out, str s);
void url_escape(struct buf *out, str s, bool keep_reserved);
bool url_is_safe(str s);
void js_string_escape(struct buf *out, str s, bool is_pattern);
void js_value(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v);
void css_string_escape(struct buf *out, str s);
bool css_is_safe(str s);
/* Compact JSON as Go's encoder writes it. False: nothing that JSON has. */
bool tmpl_json(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v,
               struct err *e) must_check;

#endif
