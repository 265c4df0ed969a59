/* printf.h - values as text, as Go's fmt prints them: by a format, or one after the other.
 *
 * Errors   none: a verb that does not fit is written as Go does: %!d(string=x), %!v(MISSING), %!(EXTRA int=1).
 * Shapes   widths and precisions up to 1,000,000; an output past max bytes is not continued.
 * Source   Go fmt, in behaviour.
 */
#ifndef TEMPLATE_PRINTF_H
#define TEMPLATE_PRINTF_H

#include "template/value.h"

void tmpl_print(struct tmpl_env *env, struct buf *out, const struct tmpl_value *v); /* %v */
void tmpl_printf(struct tmpl_env *env, struct buf *out, str fmt, const struct tmpl_value *args,
                 size_t n);
/* fmt.Sprint: blanks between operands when neither is text; line: fmt.Sprintln. */
void tmpl_sprint(struct tmpl_env *env, struct buf *out, const struct tmpl_value *args, size_t n,
                 bool line);

#endif
