/* markdown.h - text that shall mean nothing in a chat's Markdown: what would be markup is escaped, or looks like itself and is not.
 *
 * Line ends become blanks, so that a value begins no line.
 *
 * Cost     O(text).
 */
#ifndef TEMPLATE_MARKDOWN_H
#define TEMPLATE_MARKDOWN_H

#include "base/buf.h"

/* What is markup to whom. Brackets too, so that a label is no link. */
#define MARKDOWN_USUAL      "\\_*`[]"
#define MARKDOWN_WECOM      "<>[]`*#"
#define MARKDOWN_GOOGLECHAT "<>|`*_~"

void markdown_escape(struct buf *b, str s, const char *markup); /* with backslashes */
/* For those who know no escapes: the wide form of the letter, U+FF01 on. Not of the "_" in a name. */
void markdown_widen(struct buf *b, str s, const char *markup);
void markdown_entities(struct buf *b,
                       str s); /* Feishu's cards show entities as what they stand for */

#endif
