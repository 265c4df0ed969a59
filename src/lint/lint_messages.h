/* lint_messages.h - the templates of a configuration that loads, filled in: C034.
 *
 * Each is expanded over made-up notifications, such as every receiver gets some day: one alert, one that is over, many, one
 * without annotations, one in Chinese. So are the built-in texts of its receivers, which a file of `templates` may have broken.
 *
 * Cost     five expansions a template.
 */
#ifndef LINT_LINT_MESSAGES_H
#define LINT_LINT_MESSAGES_H

#include "base/diags.h"
#include "config/config.h"

/* has_all: its files of templates are all that there are; otherwise what none of them defines is elsewhere. */
void lint_messages(const struct config *c, bool has_all, struct diags *d);

#endif
