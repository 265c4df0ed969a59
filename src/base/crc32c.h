/* crc32c.h - the Castagnoli checksum that guards records in append logs.
 *
 * Cost     eight bytes an instruction where the machine has one, else one table look-up a byte.
 * Source   RFC 3720 B.4: 32 bytes of zero give 8A9136AA.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/str.h"

uint32_t crc32c(str s);
/* Of what stands behind bytes whose checksum is known; 0: behind nothing. */
uint32_t crc32c_more(uint32_t before, str s);

#endif
