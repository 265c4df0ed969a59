# Finds every library tocsin links, and names the Debian package of one that is missing.
find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
  message(FATAL_ERROR "pkg-config is missing: apt-get install pkg-config, or run ./dev deps")
endif()
find_package(Threads REQUIRED)

add_library(tocsin_deps INTERFACE)
target_link_libraries(tocsin_deps INTERFACE Threads::Threads m resolv)

set(missing "")
function(need module package)
  string(MAKE_C_IDENTIFIER ${module} id)
  pkg_check_modules(${id} QUIET IMPORTED_TARGET ${module})
  if(${id}_FOUND)
    target_link_libraries(tocsin_deps INTERFACE PkgConfig::${id})
  else()
    set(missing "${missing} ${package}" PARENT_SCOPE)
  endif()
endfunction()

need(yaml-0.1 libyaml-dev)
need(libcurl libcurl4-openssl-dev)
need(libevent_core libevent-dev)
need(libevent_openssl libevent-dev)
need(libevent_pthreads libevent-dev)
need(libpcre2-8 libpcre2-dev)
need(sqlite3 libsqlite3-dev)
need(openssl libssl-dev)
need(zlib zlib1g-dev)
need(libxxhash libxxhash-dev)
need(libcrypt libcrypt-dev)
if(missing)
  message(FATAL_ERROR "libraries are missing: apt-get install${missing}, or run ./dev deps")
endif()

pkg_check_modules(cmocka QUIET IMPORTED_TARGET cmocka) # tests only
pkg_check_modules(jansson QUIET IMPORTED_TARGET jansson) # oracle of the JSON tests
