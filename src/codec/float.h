/* float.h - floating point numbers as text, both ways, exactly as Go reads and writes them.
 *
 * Printing yields the fewest digits that read back as the same double.
 *
 * Shapes   finite numbers, "NaN", "+Inf", "-Inf". At most 24 bytes with an exponent, 330 without.
 * Errors   ERR_INVALID for what is no number, ERR_LIMIT for one that is too large for a double.
 * Cost     printing: integers below 2^53 a few ns, others about 30. Reading: about 15 ns to 15 digits, else strtod().
 * Source   Go strconv.ParseFloat and FormatFloat, encoding/json.
 */
#ifndef CODEC_FLOAT_H
#define CODEC_FLOAT_H

#include "base/buf.h"
#include "base/err.h"

/* Decimal and hexadecimal (with p exponent), inf, infinity, nan in any case. No blanks, no underscores. */
bool float_parse(str s, double *out, struct err *e) must_check;
/* The decimal number that the text at *at begins with, as far as it goes, when nothing has to be searched for it, which is
 * most often. False: it is another, or none, and float_parse() knows. */
bool float_read_exact(const char **at, const char *end, double *out) must_check;

void float_print_shortest(struct buf *out,
                          double v); /* 'f', -1: never an exponent; values of samples */
void float_print_g(struct buf *out,
                   double v); /* 'g', -1: exponent below 1e-4 and from 1e6, as %v */
void float_print_go_json(struct buf *out,
                         double v); /* exponent below 1e-6 and from 1e21; not for NaN, Inf */
void float_print_exponent(struct buf *out, double v); /* 'e', -1: 1e+00 */

static inline double float_of_bits(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

#endif
