#include "os/yaml_file.h"

#include "base/buf.h"
#include "os/file.h"

bool yaml_read_file_of(const struct files *f, str path, struct arena *a, struct yaml_doc *out,
                       struct diags *d, struct err *e)
{
    struct buf text = BUF_INIT;
    bool ok = files_read(f, path, FILE_REGULAR, YAML_MAX, &text, e);

    if (ok && !yaml_parse(buf_str(&text), path, a, out, d))
        ok = err_set(e, ERR_INVALID, "\"%.*s\" is not valid YAML", STR(path));
    buf_release(&text);
    return ok;
}

bool yaml_read_file(str path, struct arena *a, struct yaml_doc *out, struct diags *d, struct err *e)
{
    return yaml_read_file_of(NULL, path, a, out, d, e);
}
