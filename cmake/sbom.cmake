# Writes tocsin.spdx.json beside the program: what it is linked with, in the versions found here, as SPDX 2.3.
# The same commit with the same libraries gives the same bytes: the time is SOURCE_DATE_EPOCH, or that of the commit.

# sbom_package(NAME VERSION LICENCE [STATIC_LINK]): one package that the program is linked with.
function(sbom_package name version licence)
  string(MAKE_C_IDENTIFIER ${name} id)
  string(REPLACE "_" "-" id ${id})
  set(how DYNAMIC_LINK)
  if(ARGC GREATER 3)
    set(how ${ARGV3})
  endif()
  if(NOT version)
    set(version NOASSERTION)
  endif()
  set_property(GLOBAL APPEND_STRING PROPERTY sbom_packages ",
    {\"SPDXID\": \"SPDXRef-${id}\", \"name\": \"${name}\", \"versionInfo\": \"${version}\", \"downloadLocation\": \"NOASSERTION\",
     \"filesAnalyzed\": false, \"licenseConcluded\": \"${licence}\", \"licenseDeclared\": \"${licence}\", \"copyrightText\": \"NOASSERTION\",
     \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": \"pkg:generic/${name}@${version}\"}]}")
  set_property(GLOBAL APPEND_STRING PROPERTY sbom_links ",
    {\"spdxElementId\": \"SPDXRef-tocsin\", \"relationshipType\": \"${how}\", \"relatedSpdxElement\": \"SPDXRef-${id}\"}")
endfunction()

function(sbom_time out)
  if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
    execute_process(COMMAND git log -1 --format=%ct WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE seconds
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed AND seconds)
      set(ENV{SOURCE_DATE_EPOCH} ${seconds})
      set(borrowed TRUE)
    endif()
  endif()
  string(TIMESTAMP time "%Y-%m-%dT%H:%M:%SZ" UTC)
  if(borrowed)
    unset(ENV{SOURCE_DATE_EPOCH})
  endif()
  set(${out} ${time} PARENT_SCOPE)
endfunction()

function(sbom_write file)
  execute_process(COMMAND getconf GNU_LIBC_VERSION OUTPUT_VARIABLE libc OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  string(REPLACE "glibc " "" libc "${libc}")
  sbom_package(glibc "${libc}" LGPL-2.1-or-later)
  get_property(packages GLOBAL PROPERTY sbom_packages)
  get_property(links GLOBAL PROPERTY sbom_links)
  string(SHA256 hash "${PROJECT_VERSION}${CMAKE_C_COMPILER_ID}${CMAKE_C_COMPILER_VERSION}${packages}")
  sbom_time(time)
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT [[
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "tocsin-@PROJECT_VERSION@",
  "documentNamespace": "https://spdx.org/spdxdocs/tocsin-@PROJECT_VERSION@-@hash@",
  "creationInfo": {"created": "@time@", "creators": ["Tool: CMake-@CMAKE_VERSION@"]},
  "documentDescribes": ["SPDXRef-tocsin"],
  "packages": [
    {"SPDXID": "SPDXRef-tocsin", "name": "tocsin", "versionInfo": "@PROJECT_VERSION@", "downloadLocation": "NOASSERTION",
     "filesAnalyzed": false, "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION",
     "primaryPackagePurpose": "APPLICATION"},
    {"SPDXID": "SPDXRef-compiler", "name": "@CMAKE_C_COMPILER_ID@", "versionInfo": "@CMAKE_C_COMPILER_VERSION@", "downloadLocation": "NOASSERTION",
     "filesAnalyzed": false, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION"}@packages@
  ],
  "relationships": [
    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-tocsin"},
    {"spdxElementId": "SPDXRef-compiler", "relationshipType": "BUILD_TOOL_OF", "relatedSpdxElement": "SPDXRef-tocsin"}@links@
  ]
}
]])
endfunction()
