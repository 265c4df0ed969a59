# Finds every library tocsin links, and names the Debian package of one that is missing.
find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
  message(FATAL_ERROR "pkg-config is missing: apt-get install pkg-config, or run ./dev deps")
endif()
find_package(Threads REQUIRED)

add_library(tocsin_deps INTERFACE)
target_link_libraries(tocsin_deps INTERFACE Threads::Threads m resolv)

# need(MODULE PACKAGE [NAME LICENCE [STATIC_LINK]]): what pkg-config calls it, what Debian does, and what sbom.cmake tells of it. A second
# module of one library has no name.
set(missing "")
set(loaded libcurl) # by src/net/curl_late.c: its headers are all that a build takes
function(need module package)
  string(MAKE_C_IDENTIFIER ${module} id)
  pkg_check_modules(${id} QUIET IMPORTED_TARGET ${module})
  if(${id}_FOUND)
    if(module IN_LIST loaded)
      target_include_directories(tocsin_deps SYSTEM INTERFACE ${${id}_INCLUDE_DIRS})
      target_link_libraries(tocsin_deps INTERFACE ${CMAKE_DL_LIBS})
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

need(yaml-0.1 libyaml-dev libyaml MIT)
need(libcurl libcurl4-openssl-dev curl curl)
need(libevent_core libevent-dev libevent BSD-3-Clause)
need(libevent_openssl libevent-dev)
need(libevent_pthreads libevent-dev)
need(libpcre2-8 libpcre2-dev pcre2 BSD-3-Clause)
need(sqlite3 libsqlite3-dev sqlite blessing)
need(openssl libssl-dev openssl Apache-2.0)
need(zlib zlib1g-dev zlib Zlib)
need(libxxhash libxxhash-dev xxhash BSD-2-Clause STATIC_LINK) # its header is all that is used
need(libcrypt libcrypt-dev libxcrypt LGPL-2.1-or-later)
if(missing)
  message(FATAL_ERROR "libraries are missing: apt-get install${missing}, or run ./dev deps")
endif()

pkg_check_modules(cmocka QUIET IMPORTED_TARGET cmocka) # tests only
pkg_check_modules(jansson QUIET IMPORTED_TARGET jansson) # oracle of the JSON tests
