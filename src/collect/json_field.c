#include "collect/json_field.h"

/* The next step of a path: a name, or the index of a list. */
static bool cut_step(str *path, str *name, uint64_t *index, bool *is_index)
{
    size_t n = 0;

    *is_index = path->n != 0 && path->p[0] == '[';
    if (*is_index) {
        ptrdiff_t end = str_find(*path, ']');

        if (end < 0 || !str_to_u64(str_sub(*path, 1, (size_t)end), index))
            return false;
        n = (size_t)end + 1;
    } else {
        while (n < path->n && path->p[n] != '.' && path->p[n] != '[')
            n++;
        *name = str_sub(*path, 0, n);
    }
    *path = str_sub(*path, n, path->n);
    if (path->n != 0 && path->p[0] == '.')
        *path = str_sub(*path, 1, path->n);
    return *is_index || name->n != 0;
}

/* What stands at one step, as it is written. */
static bool json_step(str in, str name, uint64_t index, bool is_index, struct arena *a, str *out)
{
    struct json_reader r;
    bool found = false;
    str key, raw;

    json_reader_init(&r, in, a, 64);
    if (is_index) {
        for (json_array_begin(&r); json_array_next(&r); index--)
            if (json_raw(&r, &raw) && index == 0) {
                *out = raw;
                found = true;
            }
    } else {
        for (json_object_begin(&r); json_object_next(&r, &key);)
            if (json_raw(&r, &raw) && str_eq(key, name)) {
                *out = raw;
                found = true;
            }
    }
    return json_end(&r) && found;
}

static bool json_field_value(str in, str field, struct arena *a, enum json_type *type, str *text,
                             struct err *e)
{
    struct json_reader r;
    bool b = false, ok;

    json_reader_init(&r, in, a, 64);
    *type = json_peek(&r);
    switch (*type) {
    case JSON_NULL: ok = json_null(&r); break;
    case JSON_BOOL:
        ok = json_bool(&r, &b);
        *text = b ? S("true") : S("false");
        break;
    case JSON_NUMBER: ok = json_number(&r, text); break;
    case JSON_STRING: ok = json_string(&r, text); break;
    default: return err_set(e, ERR_INVALID, "'%.*s' is an object or a list", STR(field));
    }
    return (ok && json_end(&r)) || err_set(e, ERR_INVALID, "'%.*s' is no value", STR(field));
}

bool json_field(str document, str field, struct arena *a, enum json_type *type, str *text,
                struct err *e)
{
    struct json_reader r;
    str rest = field, in = str_trim(document), name = STR_NONE;
    uint64_t index = 0;
    bool is_index;

    json_reader_init(&r, in, a, 64);
    if (!json_skip(&r) || !json_end(&r))
        return err_set(e, ERR_INVALID, "the answer is no JSON: %s", r.err.msg);
    while (rest.n != 0)
        if (!cut_step(&rest, &name, &index, &is_index) ||
            !json_step(in, name, index, is_index, a, &in))
            return err_set(e, ERR_NOT_FOUND, "there is no '%.*s' in the answer", STR(field));
    return json_field_value(in, field, a, type, text, e);
}
