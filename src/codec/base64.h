/* base64.h - base64 as RFC 4648 defines it: the standard alphabet and the one for URLs.
 *
 * Errors   decoding refuses bytes outside the alphabet, wrong padding and stray bits in the last group; padding may be
 *          left away in the URL form only.
 * Cost     one pass.
 */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include "base/buf.h"

enum base64_form { BASE64_STD, BASE64_URL };

void base64_encode(struct buf *out, str bytes, enum base64_form form);     /* with padding */
void base64_encode_raw(struct buf *out, str bytes, enum base64_form form); /* without */
bool base64_decode(struct buf *out, str text,
                   enum base64_form form) must_check; /* out is untouched on failure */

#endif
