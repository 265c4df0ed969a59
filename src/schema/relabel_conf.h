/* relabel_conf.h - the key table of a relabeling rule, for every section that has a list of them.
 *
 *     CONF_KEY(struct scrape_conf, relabel_configs, CONF_LIST, "...", .sub = &relabel_conf_type, .flags = CONF_NO_NULLS)
 *
 * Owns     the rules' regexes are counted: whoever holds the list calls relabel_rules_release(). The list's C type is
 *          struct relabel_rules.
 * Source   rules.md 8.6.
 */
#ifndef SCHEMA_RELABEL_CONF_H
#define SCHEMA_RELABEL_CONF_H

#include "model/relabel.h"

extern const struct conf_type relabel_conf_type;

#endif
