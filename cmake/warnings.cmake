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

# -- what makes a fault harder to use, and builds equal wherever they are made --------------------------------------------
include(CheckCCompilerFlag)
set(CMAKE_REQUIRED_FLAGS -Werror) # clang takes another machine's flag, and warns that it is not used
foreach(flag -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard)
  string(MAKE_C_IDENTIFIER "has${flag}" has)
  check_c_compiler_flag(${flag} ${has})
  if(${has})
    target_compile_options(tocsin_warnings INTERFACE ${flag})
  endif()
endforeach()
unset(CMAKE_REQUIRED_FLAGS)
target_compile_options(tocsin_warnings INTERFACE -fPIE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -ffile-prefix-map=${CMAKE_BINARY_DIR}/=build/)
target_link_options(tocsin_warnings INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
# The tables are full of pointers: packed, what the loader reads of them is 10 KB instead of 250. Both linker and loader must know it.
include(CheckCSourceRuns)
set(CMAKE_REQUIRED_FLAGS "-fPIE")
set(CMAKE_REQUIRED_LINK_OPTIONS -pie -Wl,-z,pack-relative-relocs)
check_c_source_runs("static int one; int *volatile p = &one; int main(void) { return p != &one; }" has_packed_relocations)
unset(CMAKE_REQUIRED_FLAGS)
unset(CMAKE_REQUIRED_LINK_OPTIONS)
if(has_packed_relocations)
  target_link_options(tocsin_warnings INTERFACE -Wl,-z,pack-relative-relocs)
endif()
if(TOCSIN_SANITIZE)
  target_compile_options(tocsin_warnings INTERFACE -fsanitize=${TOCSIN_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tocsin_warnings INTERFACE -fsanitize=${TOCSIN_SANITIZE})
else()
  # Level 3 where the compiler has it: clang 14 and gcc 12 do; an older one takes it for 2.
  target_compile_options(tocsin_warnings INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
