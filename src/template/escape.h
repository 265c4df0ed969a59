/* escape.h - html/template's contextual escaping: a value is escaped by where in the page it lands.
 *
 * The text that a template itself writes runs through a small HTML, URL, JavaScript and CSS scanner. Before a template
 * executes, tmpl_escape_check() walks all its branches and refuses one whose branches end in different places; while it
 * executes, the same scanner follows the branch that is taken, and each value is escaped for the place that it is in.
 *
 * Errors   ERR_INVALID with Go's texts: "html/template:NAME:LINE:COL: {{if}} branches end in different contexts: ...".
 * Owns     nothing; struct tmpl_escape is a value, starts zeroed and is copied.
 * Cost     one pass over the text for the check, one for each execution.
 * Source   Go html/template, in behaviour.
 */
#ifndef TEMPLATE_ESCAPE_H
#define TEMPLATE_ESCAPE_H

#include "template/exec.h"

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
    HS_DEAD, /* behind break or continue: nothing is written there */
};

enum { TMPL_JS_NESTING = 6 }; /* template literals inside of template literals */

struct tmpl_escape {
    enum tmpl_html_state state;
    enum tmpl_delim {
        DELIM_NONE,
        DELIM_DOUBLE,
        DELIM_SINGLE,
        DELIM_BLANK
    } delim; /* of an attribute's value */
    enum tmpl_url_part { URL_START, URL_PATH, URL_QUERY, URL_UNKNOWN } url;
    enum tmpl_slash {
        SLASH_REGEXP,
        SLASH_DIVIDES,
        SLASH_UNKNOWN
    } slash; /* what one is in JavaScript */
    enum tmpl_attr {
        ATTR_PLAIN,
        ATTR_SCRIPT,
        ATTR_SCRIPT_TYPE,
        ATTR_STYLE,
        ATTR_URL,
        ATTR_SRCSET
    } attr; /* what its name says of its value */
    enum tmpl_element { EL_PLAIN, EL_SCRIPT, EL_STYLE, EL_TEXTAREA, EL_TITLE } element;
    unsigned n_braces;
    uint8_t braces[TMPL_JS_NESTING]; /* open ones of each ${ that we are in */
};

/* Refuses what has no context of its own to escape for: before the execution, over all branches. */
bool tmpl_escape_check(const struct tmpl_exec_input *in, const struct tmpl_tree *tree,
                       struct err *e) must_check;

/* out NULL: only the context moves. */
bool tmpl_escape_text(struct tmpl_escape *x, struct buf *out, str text, struct err *e) must_check;
/* by: what the pipeline has escaped it for itself, with html or urlquery as its last word. */
enum tmpl_escaped { ESCAPED_NOT, ESCAPED_HTML, ESCAPED_URL };
void tmpl_escape_value(struct tmpl_escape *x, struct tmpl_env *env, struct buf *out,
                       const struct tmpl_value *v, enum tmpl_escaped by);

/* The scanner (escape_scan.c). */
/* Takes at least a byte of s, or enters another state. Returns how many; SIZE_MAX: fault. */
size_t tmpl_escape_scan(struct tmpl_escape *x, str s, struct err *e) must_check;
/* where a value begins, a name or value begins too */
void tmpl_escape_enter(struct tmpl_escape *x);
void tmpl_escape_leave(struct tmpl_escape *x); /* behind a value */
bool tmpl_escape_is_comment(enum tmpl_html_state s);
bool tmpl_attr_is_plain(str name);
void tmpl_escape_print(struct buf *out, const struct tmpl_escape *x); /* as Go prints a context */

/* text/template's own functions html and js. */
void text_escape_html(struct buf *out, str s);
void text_escape_js(struct buf *out, str s);

/* Escapers of single places (sanitize.c). */
void html_escape(struct buf *out, str s, bool keep_entities, bool no_space);
void html_strip_tags(struct buf *out, str s);
void url_escape(struct buf *out, str s, bool keep_reserved);
void srcset_escape(struct buf *out, str s);
bool url_is_safe(str s);
void js_string_escape(struct buf *out, str s, bool is_pattern);
void js_value(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v);
void css_string_escape(struct buf *out, str s);
bool css_is_safe(str s);
/* Compact JSON as Go's encoder writes it. False: nothing that JSON has. */
bool tmpl_json(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v,
               struct err *e) must_check;

#endif
