/* told_text.h - the text of a message as its reader would see it: JSON's escapes, a form's, a mail's and its HTML's
 * undone. */
#ifndef RULETEST_TOLD_TEXT_H
#define RULETEST_TOLD_TEXT_H

#include "base/arena.h"
#include "notify/notify.h"

str told_text(struct arena *a, const struct notify_shown *x);

#endif
