"""Starting, awaiting and ending the programs of a test; nothing outlives the process that started it."""

import atexit
import concurrent.futures
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# The kernel ends a daemon when the thread that started it does, so that thread must last: hooks of proxies restart servers from theirs.
STARTER = concurrent.futures.ThreadPoolExecutor(1, "starter")
SCHEMA = Path(__file__).resolve().parent / "schema"


class SupportError(Exception):
    """A server or a tool that the tests need did not do what it was asked for."""


def short_folder(name: str) -> Path:
    """A new private folder whose path leaves room for Unix sockets below it; it goes when the program ends, if not before."""
    path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def free_port() -> int:
    """A port of loopback that is free in TCP and in UDP. It is none of those that the kernel gives to clients (32768 and up): one of them
    might have it before the server that it is meant for."""
    for port in random.sample(range(10_000, 32_768), 200):
        with socket.socket() as stream, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
            try:
                stream.bind(("127.0.0.1", port))
                packets.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SupportError("no port of loopback is free")


def await_true(condition: Callable[[], object], what: str, seconds: float = 30, every: float = 0.01):
    """Polls until the condition returns something true, and returns that."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise SupportError(f"waited {seconds:g} seconds in vain for {what}")
        time.sleep(every)
    return value


def tool(*command, stdin: str | bytes = "", env: dict | None = None, seconds: float = 120, check: bool = True) -> subprocess.CompletedProcess:
    """Runs a program to its end, in the C.UTF-8 locale, and complains when it fails."""
    words = [str(word) for word in command]
    text = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(words, input=text, capture_output=True, timeout=seconds, env=dict(os.environ, LC_ALL="C.UTF-8") | (env or {}))
    done.stdout, done.stderr = done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="surrogateescape")
    if check and done.returncode:
        raise SupportError(f"{' '.join(words)}\nended with status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Daemon:
    """A server in the foreground of its own process, with a log file; the kernel ends it when we die."""

    def __init__(self, command: list, log: Path, inside: tuple = (), env: dict | None = None):
        program = str(command[0])
        if not inside and not shutil.which(program):
            raise SupportError(f"{program} is not installed")
        self.log = log
        with log.open("ab") as out:
            words = [*inside, "setpriv", "--pdeathsig", "KILL", *map(str, command)]
            self.process = STARTER.submit(subprocess.Popen, words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                                          env=env).result()

    def await_ready(self, answers: Callable[[], bool], name: str, seconds: float = 30, every: float = 0.01):
        """Polls until the server answers; when it ended instead, what it said becomes the error."""
        try:
            await_true(lambda: self.process.poll() is not None or answers(), f"{name} to answer", seconds, every)
        except SupportError as error:
            self.end(signal.SIGKILL)
            raise SupportError(f"{error}\n{self.tail()}") from None
        if self.process.poll() is not None:
            raise SupportError(f"{name} ended with status {self.process.returncode}\n{self.tail()}")

    def tail(self, lines: int = 25) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def send(self, number: int):
        """Sends a signal to this process only."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM, seconds: float = 20):
        """Ends the process, hard when it does not go by itself, and reaps it."""
        self.send(number)
        self.send(signal.SIGCONT)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
