#include "os/yaml_file.h"
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>

static bool read_all(FILE *f, struct buf *text)
{
    char block[16384];
    size_t k;

    while ((k = fread(block, 1, sizeof(block), f)) != 0 && text->n <= YAML_MAX)
        buf_add(text, (str){block, k});
    return !ferror(f);
}

bool yaml_read_file(str path, struct arena *a, struct yaml_doc *out, struct diags *d, struct err *e)
{
    struct buf text = BUF_INIT;
    str z = arena_str(a, path);
    FILE *f = fopen(z.p, "rbe");
    bool ok;

    if (f == NULL)
        return err_errno(e, errno, "cannot open \"%.*s\"", STR(path));
    ok = read_all(f, &text) || err_errno(e, errno, "cannot read \"%.*s\"", STR(path));
    fclose(f);
    if (ok && !yaml_parse(buf_str(&text), path, a, out, d))
        ok = err_set(e, ERR_INVALID, "\"%.*s\" is not valid YAML", STR(path));
    buf_release(&text);
    return ok;
}
