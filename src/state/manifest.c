#include "state/manifest.h"

#include "base/crc32c.h"
#include "codec/timefmt.h"

static bool are_digits(str s, const char *digits)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr(digits, s.p[i]) == NULL || s.p[i] == '\0')
            return false;
    return s.n != 0;
}

bool manifest_is_name(str name)
{
    static const str samples = S_INIT("samples/samples-"), pushed = S_INIT("pushed/");
    uint64_t number;

    if (str_is(name, "state.db") || str_is(name, "alerts.log"))
        return true;
    if (str_starts_with(name, samples) && str_ends_with(name, S(".log")) &&
        name.n > samples.n + 4 && name.n < 64)
        return str_to_u64(str_sub(name, samples.n, name.n - 4), &number);
    return str_starts_with(name, pushed) && name.n == pushed.n + 16 &&
           are_digits(str_sub(name, pushed.n, name.n), "0123456789abcdef");
}

void manifest_begin(struct buf *out, str version, ts_ns taken)
{
    buf_addf(out, "tocsin backup 1\nversion %.*s\ntaken ", STR(version));
    rfc3339_ms(out, taken);
    buf_addc(out, '\n');
}

void manifest_add(struct buf *out, const struct manifest_file *f)
{
    buf_addf(out, "file %08x %llu %.*s\n", f->crc, (unsigned long long)f->size, STR(f->name));
}

void manifest_end(struct buf *out)
{
    buf_addf(out, "end %08x\n", crc32c(buf_str(out)));
}

static bool manifest_bad(struct err *e, size_t line, const char *what)
{
    return err_set(e, ERR_CORRUPT, "line %zu: %s", line, what);
}

static bool read_crc(str s, uint32_t *out)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t v = 0;

    if (s.n != 8 || !are_digits(s, digits))
        return false;
    for (size_t i = 0; i < s.n; i++)
        v = v << 4 | (uint32_t)(strchr(digits, s.p[i]) - digits);
    *out = v;
    return true;
}

static bool manifest_read_file(str line, struct arena *a, struct manifest_file *out)
{
    struct manifest_file f;
    str crc = str_cut(&line, ' '), size = str_cut(&line, ' ');

    if (!read_crc(crc, &f.crc) || !str_to_u64(size, &f.size) || !manifest_is_name(line))
        return false;
    f.name = arena_str(a, line);
    *out = f;
    return true;
}

static bool take_line(str *rest, str before, str *value)
{
    str line = str_cut(rest, '\n');

    if (!str_starts_with(line, before))
        return false;
    *value = str_sub(line, before.n, line.n);
    return true;
}

static size_t manifest_count_lines(str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

/* That it is whole comes first: what is said of a line is then no damage, but not ours. */
static bool is_whole(str text, str *lines)
{
    uint32_t crc;

    if (text.n < 13 || text.p[text.n - 1] != '\n')
        return false;
    *lines = str_sub(text, 0, text.n - 13);
    return str_starts_with(str_sub(text, lines->n, text.n), S("end ")) &&
           read_crc(str_sub(text, text.n - 9, text.n - 1), &crc) && crc == crc32c(*lines);
}

bool manifest_read(str text, struct arena *a, struct manifest *out, struct err *e)
{
    struct manifest m = {0};
    str rest, value;
    size_t line = 3, n = manifest_count_lines(text);

    if (!str_starts_with(text, S("tocsin backup ")))
        return manifest_bad(e, 1, "not the manifest of a backup");
    if (!str_starts_with(text, S("tocsin backup 1\n")))
        return err_set(e, ERR_UNSUPPORTED, "a newer program wrote this backup: use that one");
    if (!is_whole(text, &rest) || n > MANIFEST_FILES_MAX)
        return manifest_bad(e, n, "the manifest is cut or damaged");
    (void)str_cut(&rest, '\n');
    if (!take_line(&rest, S("version "), &value))
        return manifest_bad(e, 2, "no version");
    m.version = arena_str(a, value);
    if (!take_line(&rest, S("taken "), &value) || !rfc3339_parse(value, &m.taken, NULL))
        return manifest_bad(e, 3, "no time");
    m.files = arena_array(a, n, sizeof(*m.files));
    while (rest.n != 0) {
        line++;
        if (!take_line(&rest, S("file "), &value) || !manifest_read_file(value, a, &m.files[m.n]))
            return manifest_bad(e, line, "not a file of a storage folder");
        if (m.n != 0 && str_cmp(m.files[m.n - 1].name, m.files[m.n].name) >= 0)
            return manifest_bad(e, line, "files are not in order, or one stands twice");
        m.n++;
    }
    *out = m;
    return true;
}
