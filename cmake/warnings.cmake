# One set of flags for everything we compile; warnings are errors. No -ffast-math anywhere: PromQL is exact.
add_library(tocsin_warnings INTERFACE)
target_compile_options(tocsin_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wvla -Werror -fno-common -ffp-contract=off
  -fstack-protector-strong)
# snprintf into a fixed field is how error texts are cut on purpose.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tocsin_warnings INTERFACE -Wno-format-truncation)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # GCC 12 takes a const-qualified designated initialiser list for an unset field.
  target_compile_options(tocsin_warnings INTERFACE -Wno-missing-field-initializers)
else()
  target_compile_options(tocsin_warnings INTERFACE -Wno-missing-field-initializers -Wno-gnu-zero-variadic-macro-arguments)
endif()
if(TOCSIN_SANITIZE)
  target_compile_options(tocsin_warnings INTERFACE -fsanitize=${TOCSIN_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tocsin_warnings INTERFACE -fsanitize=${TOCSIN_SANITIZE})
else()
  target_compile_definitions(tocsin_warnings INTERFACE _FORTIFY_SOURCE=2)
endif()
