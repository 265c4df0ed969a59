#include "os/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include "os/file.h"

enum { FILE_MAX = 256 * 1024 };

static struct tz *named(struct tz *z, str name)
{
    if (z != NULL)
        tz_rename(z, name, false);
    return z;
}

static struct tz *unknown(str name, struct err *e)
{
    err_set(e, ERR_NOT_FOUND, "unknown time zone '%.*s'", STR(name));
    return NULL;
}

static struct tz *zones_load_file(const char *path, str name, struct err *e)
{
    struct buf text = BUF_INIT;
    bool ok = file_read(str_of(path), FILE_REGULAR, FILE_MAX, &text, NULL) && text.n != 0;
    struct tz *z = ok ? tz_parse(buf_str(&text), e) : unknown(name, e);

    buf_release(&text);
    return z;
}

static struct tz *load_named(str name, struct err *e)
{
    const char *dir = getenv("ZONEINFO");
    char path[512];

    if (name.n == 0 || str_is(name, "UTC"))
        return tz_utc();
    if (name.p[0] == '/' || name.p[0] == '.' || str_find_str(name, S("..")) >= 0 || name.n > 200 ||
        memchr(name.p, '\0', name.n) != NULL)
        return unknown(name, e);
    snprintf(path, sizeof(path), "%s/%.*s", dir != NULL ? dir : "/usr/share/zoneinfo", STR(name));
    return zones_load_file(path, name, e);
}

static struct tz *load_local(void)
{
    static const char path[] = "/etc/localtime";
    const char *tz = getenv("TZ");
    struct tz *z;

    if (tz != NULL && tz[0] == ':')
        tz++;
    if (tz == NULL || strcmp(tz, path) == 0)
        z = named(zones_load_file(path, S("Local"), NULL), S("Local"));
    else if (tz[0] == '/')
        z = named(zones_load_file(tz, str_of(tz), NULL), str_of(tz));
    else
        z = named(load_named(str_of(tz), NULL), str_of(tz[0] != '\0' ? tz : "UTC"));
    if (z == NULL)
        z = tz_utc();
    tz_rename(z, tz_name(z), true);
    return z;
}

struct tz *zone_load(str name, struct err *e)
{
    if (str_is(name, "Local"))
        return load_local();
    return named(load_named(name, e), name.n != 0 ? name : S("UTC"));
}
