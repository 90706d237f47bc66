"""The night in which a home server dies, as a script: thousands are moved to others in one go, every copy of the directory shows it, the check
is clean, and the next day all of it is taken back, while the wire to the other server is cut."""

import collections
import json

from .lab import BIN, plain_dn
from .process import await_true

IS_SANITIZED = b"__asan_init" in (BIN / "imhome").read_bytes()
MANY = 500 if IS_SANITIZED else 5000
STAYING = 20
HOME, PHYSICAL = "msExchIMVirtualServer", "msExchIMPhysicalURL"
SECONDS = 120
CROWD = [f"night{number:05}" for number in range(MANY)]  # homed on the server that dies
CALM = [f"calm{number:05}" for number in range(STAYING)]  # homed on the first of those that are left


class World:
    """Two servers with the same people, of whom MANY are homed on a server whose object is gone already."""

    dead: str  # what --from calls it
    left: dict[str, tuple[str, str]]  # name -> DN and host of the servers that live; the first homes STAYING people, the other nobody
    when_cut: str  # the state of the second server in a report when nothing passes to it

    def run(self, *words):
        """A command on the first server, whatever its status."""
        raise NotImplementedError

    def here(self) -> dict:
        """Everything on the first server that the second one has to have as well."""
        raise NotImplementedError

    def there(self) -> dict:
        """The same as the second one has it."""
        raise NotImplementedError

    def journal(self):
        """Where the journal of the move goes."""
        raise NotImplementedError

    def cut(self):
        """Nothing comes to the second server any more."""
        raise NotImplementedError

    def mend(self):
        """And now it does again."""
        raise NotImplementedError


def run(world: World, *words, status: int = 0):
    """A command that must end with this status; of a long report only the end is shown."""
    done = world.run(*words)
    assert done.returncode == status, f"{done.stderr}...{done.stdout[-1000:]}"
    return done


def check(world: World, *words, status: int) -> tuple[dict, list]:
    """Findings by rule, and the rules that were asked."""
    told = json.loads(run(world, "imcheck", "-o", "json", *words, status=status).stdout)
    found = collections.Counter(finding["rule"] for finding in told["findings"])
    return found, [rule["rule"] for rule in told["rules"] if rule["status"] == "checked"]


def homes(dump: dict) -> collections.Counter:
    """People by home server, whose host the physical URL must name."""
    found = collections.Counter()
    for entry in dump.values():
        if HOME in entry:
            found[plain_dn(entry[HOME][0].decode()), entry[PHYSICAL][0].decode().split("/")[2]] += 1
    return found


def differing(one: dict, other: dict) -> list:
    """Some of the entries that are not the same, with what is different: whole dumps would fill the screen."""
    names = [dn for dn in {**one, **other} if one.get(dn) != other.get(dn)]
    return [(dn, *(sorted(set(map(str, a.get(dn, {}).items())) - set(map(str, b.get(dn, {}).items()))) for a, b in ((one, other), (other, one))))
            for dn in names[:3]]


def untouched(dump: dict) -> dict:
    """All but what a move may change."""
    return {dn: {name: values for name, values in entry.items() if name not in (HOME, PHYSICAL)} for dn, entry in dump.items()}


def report(done) -> tuple[dict, dict]:
    """What a run says of the accounts and of the second server."""
    told = json.loads(done.stdout)
    [replica] = told["replicas"]
    return told["summary"], replica


def scan_before(world: World) -> dict:
    before = world.here()
    assert differing(world.there(), before) == []
    found, _ = check(world, "--scope", "account,server", status=1)
    assert found["account-home-dangling"] == MANY and found["server-users-orphaned"] == 1
    return before


def move(world: World, before: dict) -> dict:
    done = run(world, "imhome", "--from", world.dead, "--to", ",".join(world.left), "--yes", "--wait", "--journal", world.journal(), "-o", "json")
    summary, replica = report(done)
    assert (summary["total"], summary["changed"]) == (MANY, MANY) and "still homes" not in done.stderr
    assert (replica["state"], replica["accounts"], replica["lacking"]) == ("arrived", MANY, 0)
    after = world.there()  # there when the command returned, and nothing else was touched
    assert differing(after, world.here()) == []
    assert homes(after) == {(plain_dn(dn), host): (MANY + STAYING) // 2 for dn, host in world.left.values()}
    assert differing(untouched(after), untouched(before)) == []
    return after


def scan_after(world: World):
    found, asked = check(world, "--scope", "account,server", status=0)
    assert not found["account-home-dangling"] and not found["server-users-orphaned"]
    assert {"account-home-dangling", "account-home-url-mismatch", "server-users-orphaned"} <= set(asked)
    found, asked = check(world, "--replicas", "--rule", "replication-attr-differs", status=0)
    assert not found and asked == ["replication-attr-differs"]


def take_back(world: World, before: dict, after: dict):
    """The second server is cut off meanwhile, which is said, and has everything when it is not any more."""
    world.cut()
    try:
        summary, replica = report(run(world, "imundo", "--wait=2", "--no-journal", "-o", "json", world.journal(), status=1))
        assert summary["changed"] == MANY and differing(world.here(), before) == []
        assert (replica["state"], replica["accounts"], replica["lacking"]) == (world.when_cut, MANY, MANY)
        assert differing(world.there(), after) == []
    finally:
        world.mend()
    await_true(lambda: world.there() == before, "the second server", SECONDS, every=0.5)
    found, asked = check(world, "--replicas", "--rule", "replication-attr-differs", status=0)
    assert not found and asked == ["replication-attr-differs"]


def live_through(world: World):
    """The whole night."""
    before = scan_before(world)
    after = move(world, before)
    scan_after(world)
    take_back(world, before, after)
