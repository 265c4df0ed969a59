#include "codec/tar.h"

#include "base/mem.h"

/* Where the fields of a header stand. */
enum {
    NAME = 0,
    NAME_MAX_ = 99,
    MODE = 100,
    OWNER = 108,
    GROUP = 116,
    SIZE = 124,
    MODIFIED = 136,
    SUM = 148,
    KIND = 156,
    MAGIC = 257,
};

static const char magic[] = "ustar\00000";

static void put_octal(char *field, int digits, uint64_t v)
{
    for (int i = digits; i-- > 0; v >>= 3)
        field[i] = (char)('0' + (v & 7));
}

/* Of all bytes, those of the sum itself as blanks. */
static unsigned tar_sum_of(const char *block)
{
    unsigned sum = 0;

    for (int i = 0; i < TAR_BLOCK; i++)
        sum += i >= SUM && i < SUM + 8 ? ' ' : (unsigned char)block[i];
    return sum;
}

void tar_head(struct buf *out, str name, uint64_t size, ts_ns modified)
{
    char block[TAR_BLOCK] = {0};

    BUG_ON(name.n == 0 || name.n > NAME_MAX_ || size > TAR_SIZE_MAX);
    memcpy(block + NAME, name.p, name.n);
    put_octal(block + MODE, 7, 0600);
    put_octal(block + OWNER, 7, 0);
    put_octal(block + GROUP, 7, 0);
    put_octal(block + SIZE, 11, size);
    put_octal(block + MODIFIED, 11, modified > 0 ? (uint64_t)(modified / NS_PER_S) : 0);
    block[KIND] = '0';
    memcpy(block + MAGIC, magic, 8);
    put_octal(block + SUM, 6, tar_sum_of(block));
    block[SUM + 7] = ' ';
    buf_add(out, (str){block, TAR_BLOCK});
}

static uint64_t padding_of(uint64_t size)
{
    return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

void tar_pad(struct buf *out, uint64_t size)
{
    buf_pad(out, '\0', (size_t)padding_of(size));
}

void tar_finish(struct buf *out)
{
    buf_pad(out, '\0', 2 * (size_t)TAR_BLOCK);
}

static bool get_octal(const char *field, int digits, uint64_t *out)
{
    uint64_t v = 0;

    for (int i = 0; i < digits; i++) {
        if (field[i] < '0' || field[i] > '7')
            return false;
        v = v * 8 + (uint64_t)(field[i] - '0');
    }
    *out = v;
    return field[digits] == '\0' || field[digits] == ' ';
}

static bool tar_bad(const struct tar_reader *t, struct err *e, const char *what)
{
    return err_set(e, ERR_CORRUPT, "archive at %llu: %s", (unsigned long long)(t->at - TAR_BLOCK),
                   what);
}

static bool is_zero(const char *block)
{
    for (int i = 0; i < TAR_BLOCK; i++)
        if (block[i] != '\0')
            return false;
    return true;
}

static bool tar_read_head(struct tar_reader *t, struct err *e)
{
    str name = {t->block + NAME, 0};
    uint64_t sum, size;

    if (is_zero(t->block)) {
        t->is_over = true;
        return true;
    }
    if (t->is_over)
        return tar_bad(t, e, "something follows its end");
    if (memcmp(t->block + MAGIC, magic, 8) != 0 || !get_octal(t->block + SUM, 6, &sum) ||
        sum != tar_sum_of(t->block))
        return tar_bad(t, e, "not the header of a file, or it is damaged");
    while (name.n < NAME_MAX_ + 1 && name.p[name.n] != '\0')
        name.n++;
    if (t->block[KIND] != '0')
        return tar_bad(t, e, "not a regular file");
    if (name.n == 0 || name.n > NAME_MAX_ || !get_octal(t->block + SIZE, 11, &size) ||
        size > TAR_SIZE_MAX)
        return tar_bad(t, e, "a name or size that no backup has");
    t->left = size;
    t->padding = padding_of(size);
    return t->file(t->arg, name, size, e) && (size != 0 || t->end(t->arg, e));
}

static str tar_take(struct tar_reader *t, str *bytes, uint64_t most)
{
    str got = str_sub(*bytes, 0, most < bytes->n ? (size_t)most : bytes->n);

    *bytes = str_sub(*bytes, got.n, bytes->n);
    t->at += got.n;
    return got;
}

static bool feed_file(struct tar_reader *t, str *bytes, struct err *e)
{
    str got = tar_take(t, bytes, t->left);

    t->left -= got.n;
    return t->bytes(t->arg, got, e) && (t->left != 0 || t->end(t->arg, e));
}

bool tar_feed(struct tar_reader *t, str bytes, struct err *e)
{
    while (bytes.n != 0) {
        str got;

        if (t->left != 0) {
            if (!feed_file(t, &bytes, e))
                return false;
            continue;
        }
        if (t->padding != 0) {
            t->padding -= tar_take(t, &bytes, t->padding).n;
            continue;
        }
        got = tar_take(t, &bytes, TAR_BLOCK - t->n);
        assume(got.p != NULL);
        memcpy(t->block + t->n, got.p, got.n);
        t->n += got.n;
        if (t->n < TAR_BLOCK)
            continue;
        t->n = 0;
        if (!tar_read_head(t, e))
            return false;
    }
    return true;
}

bool tar_end(const struct tar_reader *t, struct err *e)
{
    return (t->is_over && t->n == 0) ||
           err_set(e, ERR_CORRUPT, "the archive ends early, at %llu", (unsigned long long)t->at);
}
