/* The catalogue, as bytes in the program. */
    .section .rodata
    .global lint_catalogue_txt
    .global lint_catalogue_txt_end
lint_catalogue_txt:
    .incbin CATALOGUE_FILE
lint_catalogue_txt_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
#ifdef __CET__
#include <cet.h> /* says that nothing here stands in the way of it */
#endif
