"""A second OpenLDAP server that follows the first one by syncrepl, over a wire that can be held."""

from .ldif import modification, record
from .process import await_true
from .proxies import Proxy
from .slapd import PrivateSlapd

# What a server needs that others follow: PrivateSlapd(**PROVIDER).
PROVIDER = {"modules": ("syncprov",), "overlays": record("olcOverlay=syncprov,olcDatabase={1}mdb,cn=config", {
    "objectClass": ["olcOverlayConfig", "olcSyncProvConfig"], "olcOverlay": "syncprov", "olcSpSessionlog": 1000})}
SECONDS = 60


class Consumer:
    """Follows `provider`; `server` is it, `wire` the Proxy between the two. The IM schema must be on both."""

    def __init__(self, provider: PrivateSlapd, max_size: int = 1 << 28):
        self.provider = provider
        self.server = PrivateSlapd(provider.flavor, max_size=max_size, debug="stats")
        self.wire = Proxy(("127.0.0.1", provider.port))

    def __enter__(self):
        self.wire.__enter__()
        self.server.start()
        self.server.add_im_schema()
        for server in (self.provider, self.server):  # or each change is searched for among all entries
            server.load(modification(server.database, [("add", "olcDbIndex", ["entryUUID,entryCSN eq"])]))
        follow = (f'rid=001 provider={self.wire.uri()} type=refreshAndPersist retry="1 +" bindmethod=simple binddn="{self.provider.root_dn}" '
                  f'credentials={self.provider.password} searchbase="{self.provider.suffix}"')
        self.server.set_config(self.server.database, olcSyncrepl=follow)
        self.await_equal()
        return self

    def __exit__(self, *_):
        self.wire.__exit__()
        self.server.close()

    def _state(self, server: PrivateSlapd) -> list:
        return server.search(base=self.provider.suffix, scope="base", attributes=("contextCSN",)).get(self.provider.suffix, {}).get("contextCSN", [])

    def is_equal(self) -> bool:
        """Has everything come over that was written so far?"""
        import ldap  # the demonstration may load this folder where python-ldap is not installed

        try:
            return self._state(self.provider) == self._state(self.server) != []
        except ldap.NO_SUCH_OBJECT:
            return False

    def asked(self) -> int:
        """How often somebody has asked the second server for IM attributes since it was started."""
        return self.server.log_text().count("SRCH attr=msExchIM")

    def await_equal(self):
        """Waits for that."""
        await_true(self.is_equal, "the second server", SECONDS)
