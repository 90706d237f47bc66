"""Rounds of trouble: a command is disturbed while it works, run again until it is through, and taken back; each step is compared
with the directory, read by python-ldap. A round is wholly made from its seed."""

import collections
import csv
import json
import random
import signal
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path

import ldap

from .between import Between, Cut
from .lab import IM_DOMAIN, Lab
from .process import await_true
from .slapd import IM_ATTRIBUTES

IM_CLASS = b"msExchIMRecipient"
DONE = ("changed", "unchanged")
MAY_BE_MADE = ("changed", None)  # outcomes of a change on record; None: the journal does not say
COMMANDS = {"enable1": ("imenable", "--home", "im1"), "enable2": ("imenable", "--home", "im2"), "disable": ("imdisable",)}
MUTE = ("kill", "stop-twice")  # after these nobody reports
SECONDS = 60


class Wire(Between):
    """A proxy that can also tear: after tear(n) so many bytes of answers still pass, then that connection ends, often inside an answer."""

    def __init__(self, port: int):
        super().__init__(port)
        self._left: int | None = None

    def tear(self, size: int):
        self._left = size

    def _answers(self, server: socket.socket, client: socket.socket):
        try:
            while chunk := server.recv(65536):
                left = self._left
                if left is None or left >= len(chunk):
                    self._left = None if left is None else left - len(chunk)
                    client.sendall(chunk)
                    continue
                self._left = None
                client.sendall(chunk[:left])
                break
        except OSError:
            pass
        finally:
            self._end(client, server)


# ---- the directory ----


class World:
    """A lab whose people are in different states, and what each command makes of them when nobody disturbs it."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.naming = "uid" if lab.variant == "plain" else "sAMAccountName"
        self.crowd = {lab.account(person): person for person in lab.people.of("healthy", "umlaut", "comma")}
        names = list(self.crowd)
        lab.run("imenable", "--no-journal", "--home", "im1", *names[::3])
        lab.run("imenable", "--no-journal", "--home", "im2", *names[1::3])
        with lab.server.connection() as link:
            for name in names[::6]:  # somebody left these half-way
                link.modify_s(self.crowd[name]["dn"], [(ldap.MOD_DELETE, "msExchIMPhysicalURL", None)])
        self.refused = [person["sam"] for person in lab.people.of("disabled")[:2]]
        lab.server.snapshot()
        self.initial = lab.server.dump()
        # The DNs as the server writes them.
        self.dns = {entry[self.naming][0].decode(): dn for dn, entry in self.initial.items() if self.naming in entry}
        self.first_image = self.image()
        self.goals = {name: self._goal(words) for name, words in COMMANDS.items()}

    def image(self) -> dict[str, dict]:
        """The IM attributes of the crowd, by account name."""
        found = self.lab.server.search(f"({self.naming}=*)", (*IM_ATTRIBUTES, "objectClass", self.naming), self.lab.base)
        entries = {entry[self.naming][0].decode(): entry for entry in found.values()}
        return {name: image_of(entries[name]) for name in self.crowd}

    def _goal(self, words) -> dict[str, dict]:
        path = self.lab.folder / "goal.jsonl"
        self.lab.run(words[0], "--journal", path, *words[1:], *self.crowd)
        image = self.image()
        self.lab.run("imundo", "--no-journal", path)
        path.unlink()
        assert self.lab.server.dump() == self.initial
        return image


def image_of(entry: dict) -> dict:
    found = {name: sorted(value.decode() for value in entry[name]) for name in IM_ATTRIBUTES if name in entry}
    return found | ({"objectClass": [IM_CLASS.decode()]} if IM_CLASS in entry["objectClass"] else {})


class Edits:
    """What somebody else does meanwhile. Each account is met once."""

    def __init__(self, world: World, rng: random.Random, seed: int):
        self._world, self._rng, self._seed = world, rng, seed
        self.addresses: dict[str, str] = {}  # by account name
        self.phones: dict[str, str] = {}
        self.moved: dict[str, tuple[str, str]] = {}  # where it is now, where it was

    def touched(self) -> set[str]:
        return {*self.addresses, *self.phones, *self.moved}

    def some(self):
        """Called between two requests of the tool."""
        with self._world.lab.server.connection() as link:
            for _ in range(self._rng.randint(1, 3)):
                free = [name for name in self._world.crowd if name not in self.touched()]
                if free:
                    self._rng.choice([self._address, self._phone, self._move])(link, self._rng.choice(free))

    def _address(self, link, name: str):
        dn, value = self._world.dns[name], f"chosen-{self._seed}-{len(self.addresses)}@{IM_DOMAIN}"
        change = [(ldap.MOD_REPLACE, "msExchIMAddress", [value.encode()])]
        self.addresses[name] = value
        if self._world.lab.has_class:
            try:
                link.modify_s(dn, [(ldap.MOD_ADD, "objectClass", [IM_CLASS]), *change])
                return
            except ldap.TYPE_OR_VALUE_EXISTS:
                pass
        link.modify_s(dn, change)

    def _phone(self, link, name: str):
        self.phones[name] = f"+49 1 {self._seed} {len(self.phones)}"
        link.modify_s(self._world.dns[name], [(ldap.MOD_REPLACE, "telephoneNumber", [self.phones[name].encode()])])

    def _move(self, link, name: str):
        dn = self._world.dns[name]
        rdn = dn[:dn.lower().index(",ou=")]
        self.moved[name] = (f"{rdn},{self._world.lab.base}", dn)
        link.rename_s(dn, rdn, self._world.lab.base)

    def check_kept_and_take_back(self):
        """Everything else is as it was at first; what was done here is still there."""
        world = self._world
        with world.lab.server.connection() as link:
            for now, before in self.moved.values():
                rdn, place = before[:before.lower().index(",ou=")], before[before.lower().index(",ou=") + 1:]
                link.rename_s(now, rdn, place)
            wanted, found = dict(world.initial), world.lab.server.dump()
            for name, value in self.phones.items():
                dn = world.dns[name]
                wanted[dn] = wanted[dn] | {"telephoneNumber": [value.encode()]}
            for name, value in self.addresses.items():
                dn = world.dns[name]
                assert found[dn].get("msExchIMAddress") == [value.encode()], f"the address that somebody gave {name} was lost"
                assert outside(found.pop(dn)) == outside(wanted.pop(dn)), name
            assert found.keys() == wanted.keys()
            different = {dn: (entry, wanted[dn]) for dn, entry in found.items() if entry != wanted[dn]}
            assert not different, different
            for name in {*self.phones, *self.addresses}:
                dn = world.dns[name]
                names = [*IM_ATTRIBUTES, "telephoneNumber", "objectClass"] if name in self.addresses else ["telephoneNumber"]
                link.modify_s(dn, [(ldap.MOD_REPLACE, attribute, world.initial[dn].get(attribute)) for attribute in names])


def outside(entry: dict) -> dict:
    """What is nothing of ours."""
    return {name: [value for value in values if value != IM_CLASS] for name, values in entry.items() if name not in IM_ATTRIBUTES}


# ---- what the tool leaves ----


@dataclass
class Change:
    """One change on record."""

    account: str
    before: dict
    after: dict
    outcome: str | None = None


def read_journal(path: Path) -> list[Change] | None:
    """None: there is none. Its end may be torn."""
    if not path.exists():
        return None
    found: dict[int, Change] = {}
    for line in path.read_text().split("\n")[:-1]:
        line = json.loads(line)
        if line["type"] == "change":
            sides = [{told["attribute"]: sorted(told[side]) for told in line["attributes"]} for side in ("before", "after")]
            found[line["id"]] = Change(line["account"], *sides)
        elif line["type"] == "result":
            found[line["id"]].outcome = line["outcome"]
    return list(found.values())


def tear_journal(path: Path, rng: random.Random):
    """What a loss of power may take: results are not waited for, changes are."""
    text = path.read_bytes()
    kept = text.rfind(b'{"type":"change"')
    end = text.find(b"\n", kept) + 1 if kept >= 0 else 0
    if end:
        path.write_bytes(text[:rng.randint(end, len(text))])


def part(image: dict, names) -> dict:
    return {name: image.get(name, []) for name in names}


def check_account(name: str, changes: list[Change], before: dict, now: dict):
    """The journal tells the truth about an account that nobody else changed."""
    possible = [change for change in changes if change.outcome in MAY_BE_MADE]
    if now == before:
        assert not any(change.outcome == "changed" for change in changes), f"{name}: the journal tells of a change that was not made"
        return
    assert possible, f"{name} was changed, and the journal does not tell: {changes}"
    last = possible[-1]
    names = [*last.after]
    assert part(before, names) == last.before, f"{name}: the before-image is another one"
    assert part(now, names) == last.after, f"{name}: what the journal says was written is not there"
    others = {*before, *now} - {*names}
    assert part(now, others) == part(before, others), f"{name}: more was written than the journal tells"


@dataclass
class Copy:
    """One process of the tool."""

    words: list
    journal: Path
    process: object = None
    out: str = ""
    said: str = ""
    reports: list = field(default_factory=list)
    summary: dict | None = None

    def finish(self):
        self.out, self.said = self.process.communicate(timeout=SECONDS)
        whole = self.out.split("\n")[:-1]
        lines = [json.loads(line) for line in whole]
        self.reports = [line for line in lines if line["type"] == "account"]
        self.summary = next((line for line in lines if line["type"] == "summary"), None)

    @property
    def status(self) -> int:
        return self.process.returncode


# ---- a round ----


class Round:
    """play() does it all; `fired` counts the troubles that came about."""

    def __init__(self, world: World, seed: int):
        self.world, self.lab, self.seed = world, world.lab, seed
        self.rng = random.Random(seed)
        self.folder = self.lab.folder / f"round-{seed}"
        self.folder.mkdir()
        self.edits = Edits(world, random.Random(-seed - 1), seed)  # of its own: it is drawn from in other threads
        self.journals: list[Path] = []
        self.fired: collections.Counter = collections.Counter()
        self.story: list[str] = []
        self._number = 0
        self._deed = threading.RLock()  # what a hook begins it also ends before the round goes on
        self._is_over = False

    def play(self):
        rng = self.rng
        self.goal = rng.choice([*COMMANDS, *COMMANDS])
        self.form = rng.choice(["list", "csv", "plan"])
        self.window = rng.choice([[], [], ["--window", "1"], ["--window", "4"]])
        self._write_inputs()
        left: list[str] | None = None
        for _ in range(rng.randint(1, 2)):
            if self._attempt(left, self._troubles()):
                break
            left = self._rejected if self._rejected is not None and rng.random() < 0.5 else None
        assert self._attempt(left, []), "the last run was not disturbed and did not finish"
        self._check_goal()
        for path in reversed(self.journals):
            self._undo(path)
        self.edits.check_kept_and_take_back()
        assert self.lab.server.dump() == self.world.initial

    # ---- inputs ----

    def _write_inputs(self):
        names = list(self.world.crowd)
        self.rng.shuffle(names)
        names += self.rng.sample(names, 2) + [f"nobody-{self.seed}"] + self.world.refused
        self.names = names
        self._rejected: list[str] | None = None
        self.plan = self.folder / "plan.jsonl"
        if self.form == "plan":
            self.lab.run(COMMANDS[self.goal][0], "-n", "--plan", self.plan, *COMMANDS[self.goal][1:], "--list", self._file(names), status=1)

    def _file(self, names: list[str], form: str = "list") -> Path:
        self._number += 1
        path = self.folder / f"input-{self._number}"
        rows = [f"{name};of {self.seed}" for name in names] if form == "csv" else names
        path.write_text("\n".join((["account;note"] if form == "csv" else []) + rows) + "\n")
        return path

    def _new(self, name: str) -> Path:
        self._number += 1
        return self.folder / f"{name}-{self._number}"

    def _copy(self, names: list[str]) -> Copy:
        journal = self._new("journal")
        if self.form == "plan":
            words = ["imapply"]
            inputs = [self.plan]
        else:
            words = [*COMMANDS[self.goal]]
            inputs = [f"--{self.form}", self._file(names, self.form)]
        self.journals.append(journal)
        return Copy([*words, "--journal", journal, "-o", "jsonl", *self.window, *inputs], journal)

    # ---- troubles ----

    def _troubles(self, kinds: tuple = ("kill", "restart", "cut", "tear", "stop", "stop-twice", "edit", "rival")) -> list[tuple]:
        rng = self.rng
        chosen = rng.sample(kinds, rng.choice([1, 1, 2, 3]))
        if rng.random() < 0.06:  # the tool tries for eight seconds to come back
            chosen.append("lost")
        return [(kind, *(("search", rng.randint(1, 9)) if rng.random() < 0.15 else ("modify", rng.randint(1, 24))))
                for kind in chosen for _ in range(rng.randint(1, 3) if kind in ("edit", "cut", "tear") else 1)]

    def _hook(self, kind: str, wire: Wire, copies: list[Copy], ready: threading.Event):
        tool, rng = copies[0], self.rng
        size, number = rng.randint(0, 300), rng.choice([signal.SIGINT, signal.SIGTERM])

        def cut():
            raise Cut

        def restart():
            self.lab.server.kill()
            self.lab.server.start()

        def stop_twice():
            tool.process.send_signal(number)
            tool.process.send_signal(number)

        def rival():
            copies.append(self._copy(self._current))
            copies[-1].process = self.lab.start(*copies[-1].words)

        deeds = {"kill": lambda: tool.process.kill(), "restart": restart, "cut": cut, "lost": wire.cut, "tear": lambda: wire.tear(size),
                 "stop": lambda: tool.process.send_signal(number), "stop-twice": stop_twice, "edit": self.edits.some, "rival": rival}

        def hook():
            assert ready.wait(SECONDS)
            with self._deed:
                if self._is_over:
                    raise Cut
                self.fired[kind] += 1
                self.story.append(f"{kind} before {dict(wire.counts)}")
                deeds[kind]()

        return hook

    def _run(self, tool: Copy, troubles: list[tuple]) -> list[Copy]:
        """Runs it, and what else is started meanwhile, to the end."""
        copies, ready = [tool], threading.Event()
        self._is_over = False
        self.story.append(f"{' '.join(map(str, tool.words))}  {troubles}")
        with Wire(self.lab.server.port) as wire:
            for kind, what, number in troubles:
                wire.before(what, number, self._hook(kind, wire, copies, ready))
            tool.process = self.lab.start(tool.words[0], *self.lab.behind(wire), *tool.words[1:])
            ready.set()
            try:
                tool.finish()
                with self._deed:
                    self._is_over = True
                for copy in copies[1:]:
                    copy.finish()
            finally:
                for copy in copies:
                    if copy.process.poll() is None:
                        copy.process.kill()
            assert wire.failure is None, wire.failure
        await_true(self._is_quiet, "the server to be through with what was sent")
        self.story += [f"  status {copy.status}: {copy.said.strip()}" for copy in copies]
        return copies

    def _is_quiet(self) -> bool:
        """Whoever was killed has left requests behind; the server closes a connection when it is through with them."""
        text = self.lab.server.log_text()
        text = text[max(text.rfind("slapd starting"), 0):]
        return text.count(" ACCEPT from ") == text.count(" closed")

    # ---- runs ----

    def _attempt(self, names: list[str] | None, troubles: list[tuple]) -> bool:
        """True: it went to its end."""
        self._current = names or self.names
        kinds = {kind for kind, *_ in troubles}
        before, known = self.world.image(), set(self.edits.addresses)
        tool = self._copy(self._current)
        rejects = self._new("rejects") if self.form == "csv" else None
        if rejects:
            tool.words += ["--rejects", rejects]
        fired = +self.fired
        copies = self._run(tool, troubles)
        is_mute = any(self.fired[kind] > fired[kind] for kind in MUTE)
        changes = [read_journal(copy.journal) or [] for copy in copies]
        self._check_truth(sum(changes, []), before, set(self.edits.addresses) - known, len(copies) > 1)
        for copy, told in zip(copies, changes):
            if copy is not tool or not is_mute or copy.status in (0, 1):
                self._check_reports(copy, told, "kill" in kinds or "stop-twice" in kinds)
        self._rejected = self._read_rejects(rejects, tool) if rejects and not is_mute else None
        if tool.status == -signal.SIGKILL and tool.journal.exists():
            tear_journal(tool.journal, self.rng)
        return tool.status in (0, 1)

    def _check_truth(self, changes: list[Change], before: dict, edited: set[str], is_shared: bool):
        now = self.world.image()
        for name in self.world.crowd:
            mine = [change for change in changes if change.account == name]
            if name in edited:
                value = self.edits.addresses[name]
                kept = [now[name], *(change.before for change in mine if change.outcome in MAY_BE_MADE)]
                assert any([value] == image.get("msExchIMAddress") for image in kept), f"{name}: {value} is lost"
                continue
            if is_shared:  # two that want the same: one of them has it on record as changed
                mine.sort(key=lambda change: change.outcome == "changed")
            check_account(name, mine, before[name], now[name])

    def _check_reports(self, copy: Copy, changes: list[Change], may_be_mute: bool):
        """Each line once, in order; outcomes that agree with the journal, the summary and the status."""
        text = f"{copy.words}\n{copy.out}{copy.said}"
        assert copy.status in (0, 1, 4) or (copy.status == 3 and not changes), text  # 3: lost before anything was written
        assert copy.summary or may_be_mute or not copy.reports, text
        if not copy.reports and copy.status in (3, 4) and not changes:
            return  # stopped before the inputs were looked at
        wanted = self._planned() if self.form == "plan" else self._current
        assert [line["input"] for line in copy.reports] == wanted, text
        outcomes = collections.Counter(line["outcome"] for line in copy.reports)
        told = {name.replace("_", "-"): count for name, count in copy.summary.items() if count and name.replace("_", "-") in outcomes}
        assert told == dict(outcomes) and copy.summary["total"] == len(wanted), text
        left = {line["input"] for line in copy.reports if line["outcome"] not in DONE}
        assert copy.status > 1 or bool(left) == (copy.status == 1), text
        assert {line["account"] for line in copy.reports if line["outcome"] == "changed"} == {
            change.account for change in changes if change.outcome == "changed"}, text
        if copy.status < 2:
            unfinished = left - {f"nobody-{self.seed}", *self.world.refused} - (set(self.edits.addresses) if self.form == "plan" else set())
            assert not unfinished, f"{unfinished}\n{text}"

    def _planned(self) -> list[str]:
        return [line["input"] for line in map(json.loads, self.plan.read_text().splitlines()) if line["type"] == "change"]

    def _read_rejects(self, path: Path, tool: Copy) -> list[str] | None:
        left = [line["input"] for line in tool.reports if line["outcome"] not in DONE]
        if not path.exists():
            assert not left, f"{left} are not in the rejects\n{tool.out}"
            return None
        with path.open(newline="", encoding="utf-8-sig") as text:
            rows = list(csv.DictReader(text, delimiter=";"))
        assert [row["account"] for row in rows] == left and all(row["note"] == f"of {self.seed}" for row in rows), tool.out
        return left

    def _check_goal(self):
        now = self.world.image()
        for name, image in self.world.goals[self.goal].items():
            if name not in self.edits.addresses:
                assert now[name] == image, f"{name} is not as it was to be"

    # ---- undo ----

    def _undo(self, path: Path):
        changes = read_journal(path)
        if not changes:
            return
        if self.rng.random() < 0.4:
            copy = Copy(["imundo", "--journal", self._new("undo"), "-o", "jsonl", path], self._new("undo"))
            self._run(copy, self._troubles(("kill", "restart", "cut", "tear", "stop", "edit")))
        done = self.lab.run("imundo", "-o", "jsonl", "--journal", self._new("undo"), path, status=None)
        reports = [line for line in map(json.loads, done.stdout.splitlines()) if line["type"] == "account"]
        conflicts = {line["account"] for line in reports if line["outcome"] not in DONE}
        assert done.returncode in (0, 1) and conflicts <= set(self.edits.addresses), f"{path}\n{done.stdout}{done.stderr}"
