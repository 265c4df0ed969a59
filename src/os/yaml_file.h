/* yaml_file.h - a YAML document out of a file. */
#ifndef OS_YAML_FILE_H
#define OS_YAML_FILE_H

#include "codec/yaml.h"
#include "os/file_set.h"

/* yaml_parse() after reading the file; e is for "cannot read". */
bool yaml_read_file(str path, struct arena *a, struct yaml_doc *out, struct diags *d,
                    struct err *e) must_check;
bool yaml_read_file_of(const struct files *f, str path, struct arena *a, struct yaml_doc *out,
                       struct diags *d, struct err *e) must_check;

#endif
