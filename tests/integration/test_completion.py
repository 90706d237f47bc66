"""The completion scripts at work in real shells."""

import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve()
TOOLS = ["imenable", "imdisable", "imschema"]
WAIT = 60  # seconds, for a machine that is busy; only a failure takes that long


@pytest.fixture
def files(tmp_path):
    """A folder with two files to complete, the commands' names in PATH and no start-up files."""
    (tmp_path / "site one.yaml").write_text("")
    (tmp_path / "other.yaml").write_text("")
    env = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    return tmp_path, env


def script(tool, shell):
    return subprocess.run([BIN / tool, f"--completion={shell}"], check=True, capture_output=True, text=True).stdout


# What is typed, and what must be offered. {} is the folder.
CASES = [
    (["--outp"], ["--output"]),
    (["-o", "js"], ["json", "jsonl"]),
    (["--color=ne"], ["never"]),
    (["-Y", "GSS"], ["GSS-SPNEGO", "GSSAPI"]),
    (["--config", "{}/site"], ["site one.yaml"]),
    (["-y", "{}/oth"], ["other.yaml"]),
    (["--profile", "exch"], ["exchange2000"]),
    (["--bind-dn", ""], []),
    ([""], []),
]


def bash_offers(tool, words, files):
    folder, env = files
    (folder / "script").write_text(script(tool, "bash"))
    # Where = breaks words, --a=b is three.
    pieces = [piece for word in words for piece in (word.replace("=", "\n=\n").split("\n") if "=" in word else [word])]
    quoted = " ".join("'" + piece.format(folder) + "'" for piece in [tool] + pieces)
    program = f"""compopt() {{ :; }}  # only works while bash itself completes
source '{folder}/script'
complete -p {tool} >/dev/null || exit 9
COMP_WORDS=({quoted}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_{tool}
for word in "${{COMPREPLY[@]}}"; do printf '%s\\n' "$word"; done"""
    done = subprocess.run(["bash", "--norc", "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


def fish_offers(tool, words, files):
    folder, env = files
    (folder / "script").write_text(script(tool, "fish"))
    line = " ".join([tool] + words).format(folder)
    done = subprocess.run(["fish", "--no-config", "-c", f"source {folder}/script; complete -C '{line}'"],
                          env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [offer.split("\t")[0].replace("\\ ", " ") for offer in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", [bash_offers, fish_offers])
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("words, wanted", CASES, ids=[" ".join(words) or "empty" for words, _ in CASES])
def test_offers(shell, tool, words, wanted, files):
    offers = shell(tool, words, files)
    assert sorted(offer.rsplit("/", 1)[-1].rsplit("=", 1)[-1] for offer in offers) == sorted(wanted)


def test_bash_lists_every_option(files):
    offers = bash_offers("imenable", ["-"], files)
    rows = subprocess.run([BIN / "imenable", "--list-options"], check=True, capture_output=True, text=True).stdout
    names = {name for row in rows.splitlines() for name in row.split("\t")[:2] if name}
    assert set(offers) == names
    assert "--completion" not in offers


class Terminal:
    """A zsh at a terminal; keys go in, what the line has become comes out."""

    def __init__(self, folder, env):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(["zsh", "-f", "-i"], stdin=slave, stdout=slave, stderr=slave, env=env, cwd=folder,
                                        start_new_session=True)
        os.close(slave)
        self.seen = ""

    def send(self, text):
        os.write(self.master, text.encode())

    def expect(self, text):
        """Waits for the text, and forgets what was printed up to its end."""
        end = time.monotonic() + WAIT
        while text not in self.seen:
            assert time.monotonic() < end and self.process.poll() is None, f"{text!r} did not come: {self.seen!r}"
            if select.select([self.master], [], [], 0.2)[0]:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def line_after(self, keys):
        """The command line after typing keys."""
        self.send("\x15" + keys + "\x18")
        self.expect("LINE<")
        return self.expect(">LINE")

    def close(self):
        self.process.terminate()
        os.close(self.master)
        try:
            self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def zsh(files):
    folder, env = files
    functions = folder / "functions"
    functions.mkdir()
    for tool in TOOLS:
        (functions / f"_{tool}").write_text(script(tool, "zsh"))
    (folder / "start").write_text(f"""PS1='> '
fpath=({functions} $fpath)
autoload -Uz compinit
compinit -u -D
show() {{ print -r -- "LINE<$BUFFER>LINE" }}
zle -N show
bindkey '^X' show
setopt no_beep
print -r -- started''-up
""")
    terminal = Terminal(folder, env)
    terminal.send(f"source {folder}/start\n")
    terminal.expect("started-up")
    yield terminal
    terminal.close()


@pytest.mark.parametrize("tool", TOOLS)
def test_zsh(zsh, tool):
    assert zsh.line_after(f"{tool} --outp\t") == f"{tool} --output="
    assert zsh.line_after(f"{tool} --color=ne\t").strip() == f"{tool} --color=never"
    assert zsh.line_after(f"{tool} -o jsonl\t").strip() == f"{tool} -o jsonl"
    assert zsh.line_after(f"{tool} -Y GSSA\t").strip() == f"{tool} -Y GSSAPI"
    assert zsh.line_after(f"{tool} --config si\t").strip() == f"{tool} --config site\\ one.yaml"
    assert zsh.line_after(f"{tool} --profile exch\t").strip().endswith("exchange2000")
