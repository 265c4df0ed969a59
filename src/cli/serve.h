/* serve.h - the live program: everything put together in the order in which it must stand. Its flags: serve_flags.h.
 *
 * Source   alertmanager.md 4.1 (listening, draining).
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include "cli/serve_flags.h"

int serve_run(const void *flags, char **args, int n_args); /* flags: struct serve_flags */

#endif
