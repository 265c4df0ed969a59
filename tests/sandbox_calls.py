"""The system calls of src/os/sandbox_calls.h against SystemCallFilter= of the unit, as systemd expands it. Usage: sandbox_calls.py SOURCE_ROOT."""
import os, re, shutil, subprocess, sys

root = sys.argv[1]
if not shutil.which("systemd-analyze"):
    sys.exit(77)
version = int(subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True).stdout.split()[1])
if version != 252:  # its sets are what the table was made from
    sys.exit(77)


def expand(name):
    if not name.startswith("@"):
        return {name}
    out = set()
    for line in subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout.splitlines():
        word = line.strip()
        if word and word != name and not word.startswith("#"):
            out |= expand(word)
    return out


allowed = set()
for line in open(os.path.join(root, "contrib/systemd/tocsin.service")):
    m = re.match(r"SystemCallFilter=(~?)(.*)", line)
    for word in m.group(2).split() if m else []:
        allowed = allowed - expand(word) if m.group(1) else allowed | expand(word)

header = open(os.path.join(root, "src/os/sandbox_calls.h")).read()
table = re.sub(r"#if defined\(__SANITIZE.*?#endif", "", header, flags=re.S)
ours = set(re.findall(r"__NR_(\w+),", table)) | set(re.findall(r"__NR_(landlock_\w+)", table))
# What this machine's kernel headers have no number for is of another architecture, or older.
known = set(re.findall(r"#define __NR_(\w+)", subprocess.run(["cc", "-E", "-dM", "-include", "asm/unistd.h", "-x", "c", "/dev/null"],
                                                            capture_output=True, text=True, check=True).stdout))
missing, more = sorted((allowed & known) - ours), sorted((ours & known) - allowed)
assert not missing, f"the unit allows, the sandbox does not: {missing}"
assert not more, f"the sandbox allows, the unit does not: {more}"
