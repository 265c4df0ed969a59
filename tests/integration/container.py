"""contrib/docker: the image's user is a number, and what its HEALTHCHECK runs tells a server that works from one that does not."""
from harness import *

DOCKERFILE = os.path.join(SOURCE, "contrib/docker/Dockerfile")


def test_the_image():
    text = re.sub(r"\\\n\s*", " ", open(DOCKERFILE).read())
    last = text[text.rindex("\nFROM "):]
    users = re.findall(r"^USER (.*)$", last, re.M)
    assert len(users) == 1 and re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[0]), f"runAsNonRoot cannot be checked: {users}"
    check, = re.findall(r"^HEALTHCHECK .*?CMD (\[.*\])$", last, re.M)
    command = json.loads(check)
    equal(command[0], json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", last, re.M).group(1))[0])
    run = lambda url: subprocess.run([PROGRAM, *command[1:], "--url=" + url], capture_output=True, text=True, timeout=20)
    with folder() as d:
        with Tocsin("route: {receiver: r}\nreceivers: [{name: r}]\n", d) as t:
            p = run(t.url)
            equal(p.returncode, 0, p.stderr)
            url = t.url
        assert run(url).returncode != 0, "nobody is there"


main()
