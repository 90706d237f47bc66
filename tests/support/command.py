"""Runs the commands in a clean environment."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve()
SANITIZERS = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")


def clean_environment(home: Path) -> dict[str, str]:
    """A UTF-8 locale, an empty home, no configuration of the machine's user; only what steers sanitizers is passed on."""
    places = {"XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share", "XDG_STATE_HOME": ".local/state", "XDG_CACHE_HOME": ".cache"}
    env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC", "KRB5CCNAME": f"FILE:{home}/tickets"}
    env |= {name: str(home / place) for name, place in places.items()}
    return env | {name: os.environ[name] for name in SANITIZERS if name in os.environ}


class Commands:
    """Calls the commands: imdir("imenable", "--uri", …) returns status, standard output and standard error as text.

    `inside` is a SambaDC in whose network the command runs; `status` the exit status wanted.
    """

    def __init__(self, home: Path):
        self.home = home
        self.environment = clean_environment(home)

    def __call__(self, tool: str, *words, stdin: str | bytes = "", env: dict | None = None, inside=None, status: int | None = None,
                 seconds: float = 120) -> subprocess.CompletedProcess:
        command = [str(BIN / tool), *map(str, words)]
        full = self.environment | (inside.environment if inside else {}) | (env or {})
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(inside.command(command) if inside else command, input=data, capture_output=True, timeout=seconds, env=full,
                              cwd=self.home, start_new_session=True)
        done.stdout, done.stderr = (out.decode(errors="surrogateescape") for out in (done.stdout, done.stderr))
        assert status is None or done.returncode == status, f"status {done.returncode}, not {status}\n{done.stdout}{done.stderr}"
        return done

    def file(self, name: str, contents: str | bytes, mode: int = 0o600) -> Path:
        """A file in the home directory."""
        path = self.home / name
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        path.chmod(mode)
        return path
