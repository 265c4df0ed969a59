/* yaml_priv.h - what reading a tree and asking it share. */
#ifndef CODEC_YAML_PRIV_H
#define CODEC_YAML_PRIV_H

#include "codec/yaml.h"

struct diag_place yaml_place_at(const struct yaml_doc *doc, struct yaml_mark m, size_t len);
size_t yaml_next_line(str s, size_t at); /* where the line behind the one of at begins */

#endif
