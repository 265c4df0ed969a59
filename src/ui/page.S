/* The page, as bytes in the program. */
    .section .rodata
    .global ui_page_html
    .global ui_page_html_end
ui_page_html:
    .incbin PAGE_FILE
ui_page_html_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
#ifdef __CET__
#include <cet.h> /* says that nothing here stands in the way of it */
#endif
