"""What bash, zsh and fish themselves offer at Tab: each is started at a terminal of its own, with the script as it is installed."""
import pty, select
from harness import *

# line up to the cursor -> what must be offered, what must not
CASES = {
    "tocsin al": ({"alert"}, {"lint"}),
    "tocsin alert ": ({"add", "list"}, {"expire"}),
    "tocsin --con": ({"--config.file"}, {"--data.retention"}),
    "tocsin serve --config.file=a.yml --log.si": ({"--log.silences"}, {"--log.level"}),
    "tocsin silence add --com": ({"--comment"}, {"--config.file"}),
    "tocsin silence add --no-req": ({"--no-require-comment"}, set()),
    "tocsin alert list --output ": ({"text", "json"}, {"rules.yml"}),
    "tocsin alert list -o js": ({"json"}, {"text"}),
    "tocsin alert list --state=si": ({"silenced"}, {"firing"}),
    "tocsin lint ru": ({"rules.yml"}, {"--output"}),
    "tocsin lint rules.yml --fa": ({"--fail-on"}, set()),
    "tocsin --config.file=ru": ({"rules.yml"}, set()),
    "tocsin --config.file ru": ({"rules.yml"}, set()),
    "tocsin completion ": ({"bash", "zsh", "fish"}, {"rules.yml"}),
}


def shell(name):
    path = shutil.which(name)
    if path is None:
        raise (AssertionError if os.environ.get("CI") == "true" else Skip)(f"{name} is missing: ./dev deps")
    return path


class Terminal:
    def __init__(self, *args, dir, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(dir)
            os.execve(args[0], args, env)
        import fcntl, struct, termios
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))

    def read_until(self, mark, seconds=15):
        """What came up to a mark, without the terminal's commands."""
        text, end = b"", time.monotonic() + seconds
        while mark.encode() not in text:
            assert time.monotonic() < end, f"no {mark!r} within {seconds} s: {text!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                text += os.read(self.fd, 65536)
        return re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r|\x07", b"", text).decode(errors="replace")

    def send(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@contextlib.contextmanager
def place():
    with folder() as d:
        bin, work = os.path.join(d, "bin"), os.path.join(d, "work")
        os.makedirs(bin), os.makedirs(work)
        os.symlink(PROGRAM, os.path.join(bin, "tocsin"))
        for name in ("rules.yml", "other.yml"):
            write(os.path.join(work, name), "")
        env = {"PATH": bin + ":/usr/bin:/bin", "HOME": d, "TERM": "vt100", "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}
        yield d, work, env


def script(name, path):
    p = subprocess.run([PROGRAM, "completion", name], capture_output=True, text=True)
    equal(p.returncode, 0, p.stderr)
    return write(path, p.stdout)


def judge(offered):
    """offered(line) -> the words that a shell offers there."""
    for line, (wanted, unwanted) in CASES.items():
        got = {re.sub(r"^--[^=]*=", "", w) if "=" in line.split()[-1] else w for w in offered(line)}
        assert wanted <= got and not (unwanted & got), f"{line!r}: offered {sorted(got)[:30]}, wanted {sorted(wanted)}"


def judge_terminal(t, begin, keys):
    """begin: makes the shell ready. keys: what has it write all that it offers behind a line into it."""
    try:
        t.send(f"PS1='$ '; {begin}; echo rea''dy\n")
        t.read_until("ready")
        n = 0

        def offered(line):
            nonlocal n
            n += 1
            t.send(f"\x15{line}{keys}\x01echo offered: \x05 :en''d{n}\n")
            text = t.read_until(f":end{n}")
            assert "error" not in text, text
            return text.split("offered: ")[-1].split()[1:]
        judge(offered)
    finally:
        t.close()


def test_bash():
    path = shell("bash")
    with place() as (d, work, env):
        judge_terminal(Terminal(path, "--norc", "--noprofile", "-i", dir=work, env=env),
                       "bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'; bind 'set completion-query-items 1000'; "
                       f"bind 'set page-completions off'; source {script('bash', d + '/s')}", "\x1b*")  # Esc *: all candidates


def test_zsh():
    path = shell("zsh")
    with place() as (d, work, env):
        os.makedirs(d + "/functions")
        script("zsh", d + "/functions/_tocsin")
        judge_terminal(Terminal(path, "-f", "-i", dir=work, env=env),
                       f"fpath=({d}/functions $fpath); autoload -U compinit; compinit -u -D; setopt no_list_beep; LISTMAX=1000; "
                       "zstyle ':completion:*' completer _all_matches _complete; zstyle ':completion:*' old-matches false; "
                       "zstyle ':completion:*' insert true", "\t")


def test_zsh_by_source():
    path = shell("zsh")
    with place() as (d, work, env):
        p = subprocess.run([path, "-f", "-c", "autoload -U compinit; compinit -u -D; source <(tocsin completion zsh); print $_comps[tocsin]"],
                           capture_output=True, text=True, env=env, cwd=work)
        equal((p.stdout, p.stderr), ("_tocsin\n", ""))


def test_fish():
    path = shell("fish")
    with place() as (d, work, env):
        file = script("fish", d + "/s")

        def offered(line):
            p = subprocess.run([path, "--no-config", "-c", f"source {file}; complete -C '{line}'"], capture_output=True, text=True, env=env, cwd=work)
            equal((p.returncode, p.stderr), (0, ""), line)
            return [w.split("\t")[0] for w in p.stdout.splitlines()]
        judge(offered)


main()
