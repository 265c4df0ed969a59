# Finds every library tocsin links, and names the Debian package of one that is missing.
find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
  message(FATAL_ERROR "pkg-config is missing: apt-get install pkg-config, or run ./dev deps")
endif()
find_package(Threads REQUIRED)

add_library(tocsin_deps INTERFACE)

# need(MODULE PACKAGE [NAME LICENCE [STATIC_LINK]]): what pkg-config calls it, what Debian does, and what sbom.cmake tells of it. A second
# module of one library has no name.
set(missing "")
set(loaded libcurl) # by src/net/curl_late.c: its headers are all that a build takes
set(archives "") # linked from the file that MODULE_pic names, but by targets with the property LIBC_MALLOC
function(need module package)
  string(MAKE_C_IDENTIFIER ${module} id)
  pkg_check_modules(${id} QUIET IMPORTED_TARGET ${module})
  if(${id}_FOUND)
    if(module IN_LIST loaded)
      target_include_directories(tocsin_deps SYSTEM INTERFACE ${${id}_INCLUDE_DIRS})
      target_link_libraries(tocsin_deps INTERFACE ${CMAKE_DL_LIBS})
    elseif(module IN_LIST archives)
      target_link_libraries(tocsin_deps INTERFACE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:LIBC_MALLOC>>>:${${module}_pic}> -static-libgcc)
    else()
      target_link_libraries(tocsin_deps INTERFACE PkgConfig::${id})
    endif()
    if(ARGC GREATER 2)
      sbom_package(${ARGV2} "${${id}_VERSION}" ${ARGV3} ${ARGV4})
    endif()
  else()
    set(missing "${missing} ${package}" PARENT_SCOPE)
  endif()
endfunction()

# In the order in which a start looks for symbols: libcrypto and SQLite look for 3,000 and 1,200 of their own.
need(libcrypto libssl-dev openssl Apache-2.0)
need(sqlite3 libsqlite3-dev sqlite blessing)
need(libssl libssl-dev)
need(libevent_core libevent-dev libevent BSD-3-Clause)
need(libevent_openssl libevent-dev)
need(libevent_pthreads libevent-dev)
need(libpcre2-8 libpcre2-dev pcre2 BSD-3-Clause)
need(yaml-0.1 libyaml-dev libyaml MIT)
need(libcurl libcurl4-openssl-dev curl curl)
need(zlib zlib1g-dev zlib Zlib)
need(libxxhash libxxhash-dev xxhash BSD-2-Clause STATIC_LINK) # its header is all that is used
need(libcrypt libcrypt-dev libxcrypt LGPL-2.1-or-later)
if(NOT TOCSIN_SANITIZE AND NOT TOCSIN_FUZZ) # which bring an allocator of their own
  # From its archive where there is one: its shared library loads that of C++, too.
  find_library(jemalloc_pic libjemalloc_pic.a)
  if(jemalloc_pic)
    list(APPEND archives jemalloc)
    need(jemalloc libjemalloc-dev jemalloc BSD-2-Clause STATIC_LINK)
  else()
    need(jemalloc libjemalloc-dev jemalloc BSD-2-Clause)
  endif()
endif()
target_link_libraries(tocsin_deps INTERFACE Threads::Threads m resolv)
if(missing)
  message(FATAL_ERROR "libraries are missing: apt-get install${missing}, or run ./dev deps")
endif()

pkg_check_modules(cmocka QUIET IMPORTED_TARGET cmocka) # tests only
pkg_check_modules(jansson QUIET IMPORTED_TARGET jansson) # oracle of the JSON tests
