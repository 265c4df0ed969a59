"""What the SBOM says against SPDX 2.3 and against what the program is linked with. Usage: sbom.py FILE PROGRAM VERSION."""
import json, re, shutil, subprocess, sys

# What is loaded, and the package that it is of. A library that is not here belongs here, and into cmake/deps.cmake.
LIBRARIES = {"libyaml": "libyaml", "libcurl": "curl", "libevent": "libevent", "libpcre2": "pcre2", "libsqlite3": "sqlite", "libssl": "openssl",
             "libcrypto": "openssl", "libz": "zlib", "libxxhash": "xxhash", "libcrypt": "libxcrypt", "libseccomp": "libseccomp", "libc": "glibc", "libm": "glibc",
             "libresolv": "glibc", "libjemalloc": "jemalloc", "libpthread": "glibc", "ld": "glibc"}
SANITIZERS = {"libasan", "libubsan", "libtsan", "libgcc_s", "libstdc++"}
ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+\Z")

path, program, version = sys.argv[1:]
with open(path) as f:
    doc = json.load(f)

assert doc["spdxVersion"] == "SPDX-2.3" and doc["dataLicense"] == "CC0-1.0" and doc["SPDXID"] == "SPDXRef-DOCUMENT"
assert doc["name"] == f"tocsin-{version}"
assert re.fullmatch(r"https://[^\s#]+", doc["documentNamespace"]), doc["documentNamespace"]
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", doc["creationInfo"]["created"])
assert doc["creationInfo"]["creators"] and all(re.match("(Tool|Person|Organization): ", c) for c in doc["creationInfo"]["creators"])
packages = {p["SPDXID"]: p for p in doc["packages"]}
assert len(packages) == len(doc["packages"]), "an id stands twice"
for i, p in packages.items():
    assert ID.match(i), i
    assert p["name"] and p["downloadLocation"] and p["filesAnalyzed"] is False and p["copyrightText"], p
    assert p["licenseConcluded"] and p["licenseDeclared"], p
    assert re.match(r"\d+\.\d+", p["versionInfo"]), f"{p['name']} has no version: {p['versionInfo']!r}"
    for r in p.get("externalRefs", []):
        assert r["referenceCategory"] == "PACKAGE-MANAGER" and r["referenceType"] == "purl", r
        assert r["referenceLocator"] == f"pkg:generic/{p['name']}@{p['versionInfo']}", r
links = {(r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"]) for r in doc["relationships"]}
assert all(x in packages or x == "SPDXRef-DOCUMENT" for a, _, b in links for x in (a, b)), "a relationship of something else"
assert ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-tocsin") in links and packages["SPDXRef-tocsin"]["versionInfo"] == version
linked = {packages[b]["name"] for a, kind, b in links if a == "SPDXRef-tocsin" and kind == "DYNAMIC_LINK"}
inside = {packages[b]["name"] for a, kind, b in links if a == "SPDXRef-tocsin" and kind == "STATIC_LINK"}
assert inside - {"jemalloc"} == {"xxhash"}, inside  # its header; a build without optimisation loads the library, too; the other has an archive

if not shutil.which("readelf"):
    sys.exit(77)
dynamic = subprocess.run(["readelf", "-dW", program], capture_output=True, text=True, check=True).stdout
needed = {n.split(".so")[0].split("-")[0] for n in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)} - SANITIZERS
with open(program, "rb") as f:
    needed |= {n.decode() for n in re.findall(rb"\0(lib[a-z0-9]+)\.so\.\d+\0", f.read())} & set(LIBRARIES)  # what it loads later
found = {LIBRARIES["libevent" if n.startswith("libevent") else n] for n in needed}
assert found - inside == linked, f"the program is linked with {sorted(found)}, the SBOM says {sorted(linked)}"
