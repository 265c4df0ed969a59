/* advice.h - what to do about an attempt that failed, in English and in Chinese: for whoever looks at a receiver that is not
 * told.
 *
 * What a receiver or the transport says is looked up by its words, the first row that fits; then the status decides.
 *
 * Owns     texts are static.
 */
#ifndef NOTIFY_ADVICE_H
#define NOTIFY_ADVICE_H

#include "tocsin/str.h"

struct advice {
    const char *en, *zh; /* NULL: there is none */
};

/* status: of the last answer, 0 = none. */
struct advice advice_of(str error, int status);

#endif
