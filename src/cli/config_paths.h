/* config_paths.h - which configuration files a command reads.
 *
 * Those of --config.file, then those of the environment variable TOCSIN_CONFIG_FILES, a list with colons: whoever cannot
 * change the flags (an operator writes them) can still add files.
 *
 * Owns     the array is the caller's (mem_free); text is argv's and the environment's.
 */
#ifndef CLI_CONFIG_PATHS_H
#define CLI_CONFIG_PATHS_H

#include "base/str.h"
#include "cli/command.h"

str *config_paths(struct flag_list files, size_t *n);

#endif
