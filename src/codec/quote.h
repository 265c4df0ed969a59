/* quote.h - string literals as Go and JSON write them.
 *
 * Source   Go strconv.Quote (group keys, matcher text), Go encoding/json with HTML escaping (webhook bodies).
 */
#ifndef CODEC_QUOTE_H
#define CODEC_QUOTE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* strconv.Quote: \a \b \f \n \r \t \v \\ \", printable runes as they are, others as \x.. \u.... \U........ */
void quote_go(struct buf *out, str s);
/* The first ten runes, with "..." behind them when there are more: as Go's parsers show a token. */
void quote_go_cut(struct buf *out, str s);
/* strconv.QuoteRune of the one rune that s is. */
void quote_go_rune(struct buf *out, str s);

/* A JSON string. Bad UTF-8 becomes \ufffd. html: also escape < > & U+2028 U+2029, as Go's encoder does. */
void quote_json(struct buf *out, str s, bool html);
bool quote_json_is_plain(str s); /* nothing in it is escaped, with html either */

/* Decodes a Go interpreted string body (without the quotes): \n \t \\ \" \' \xNN \NNN \uNNNN \UNNNNNNNN. The result
 * must be valid UTF-8. It lives in a. */
bool unquote_go(struct arena *a, str body, str *out, struct err *e) must_check;
/* The same, but \\xNN and \\NNN may make any bytes. */
bool unquote_go_bytes(struct arena *a, str body, str *out, struct err *e) must_check;

#endif
