#include "net/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>

/* An address of four or sixteen bytes, and how many bits of it count. */
struct cidr {
    unsigned char ip[16];
    size_t n;
    unsigned bits;
};

static bool cidr_parse(str text, struct cidr *out)
{
    char z[INET6_ADDRSTRLEN];
    str bits = text, ip = str_cut(&bits, '/');
    bool has_bits = ip.n != text.n;
    uint64_t n = 0;

    *out = (struct cidr){.n = 4};
    if (ip.n == 0 || ip.n >= sizeof(z))
        return false;
    snprintf(z, sizeof(z), "%.*s", STR(ip));
    if (inet_pton(AF_INET, z, out->ip) != 1) {
        out->n = 16;
        if (inet_pton(AF_INET6, z, out->ip) != 1)
            return false;
    }
    out->bits = (unsigned)out->n * 8;
    if (!has_bits)
        return true;
    if (!str_to_u64(bits, &n) || n > out->bits)
        return false;
    out->bits = (unsigned)n;
    return true;
}

/* The bits of byte i that count. */
static unsigned char cidr_mask(const struct cidr *c, size_t i)
{
    unsigned left = c->bits > i * 8 ? c->bits - (unsigned)i * 8 : 0;

    return (unsigned char)(left >= 8 ? 0xff : (0xff00 >> left) & 0xff);
}

bool cidr_check(str text, struct err *e)
{
    struct cidr c;

    if (str_is(text, "unix"))
        return true;
    if (!cidr_parse(text, &c))
        return err_set(e, ERR_INVALID,
                       "\"%.*s\" is neither an address, nor one with /BITS, nor \"unix\"",
                       STR(text));
    for (size_t i = 0; i < c.n; i++)
        if ((c.ip[i] & ~cidr_mask(&c, i)) != 0)
            return err_set(e, ERR_INVALID, "\"%.*s\" has bits behind its prefix", STR(text));
    return true;
}

bool cidr_has(str text, str peer)
{
    struct cidr c, p;

    if (str_is(text, "unix") || str_is(peer, "unix"))
        return str_eq(text, peer);
    if (!cidr_parse(text, &c) || !cidr_parse(peer, &p) || c.n != p.n)
        return false;
    for (size_t i = 0; i < c.n; i++)
        if (((c.ip[i] ^ p.ip[i]) & cidr_mask(&c, i)) != 0)
            return false;
    return true;
}
