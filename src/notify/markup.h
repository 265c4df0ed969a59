/* markup.h - how a service writes what the readable texts need: bold letters, a link, the end of a line; and how text looks in it
 * that is none of that.
 *
 * Whatever labels and annotations say goes through markup_text() or markup_link(): it calls nobody, is no link, opens no tag, is
 * one line, and does not turn the order of reading around.
 *
 * Shapes   one const row a kind of markup, by the name that templates say: {{ with .In "feishu" }}.
 * Cost     O(text).
 * Source   ecosystem.md 1; the pages of the vendors.
 */
#ifndef NOTIFY_MARKUP_H
#define NOTIFY_MARKUP_H

#include "base/buf.h"

struct markup {
    const char *name;
    void (*escape)(struct buf *out, str s); /* of text that markup_plain() gave */
    const char *bold, *bold_end;            /* "": there is none */
    const char *link, *link_mid, *link_end; /* around text and address; NULL: "text: address" */
    bool link_begins_with_url;
    bool url_has_entities;          /* an & in an address is &amp; */
    bool calls;                     /* a name behind an @ calls somebody */
    bool is_html;                   /* what is marked up is trusted where a template escapes HTML */
    bool has_icons;                 /* a coloured sign says how bad it is */
    const char *line_end, *between; /* of a line; of several short things in one */
    size_t room; /* bytes that alerts may take, so that a message fits; 0: as many as there are */
};

const struct markup *markup_find(str name); /* NULL: there is no such */

/* One line of at most max runes, with an ellipsis; without what controls a terminal or the order of reading. */
void markup_plain(struct buf *out, str s, size_t max);

void markup_text(struct buf *out, const struct markup *m, str s);
void markup_bold(struct buf *out, const struct markup *m, str s);
/* The text alone when url is no address of a web page, or of an unreasonable length. */
void markup_link(struct buf *out, const struct markup *m, str text, str url);

bool markup_is_url(
    str url); /* http:// or https://, and not too long to be one that people follow */

#endif
