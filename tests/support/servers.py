"""Instant messaging servers as a directory's configuration holds them."""

from dataclasses import dataclass

from .ldif import record

ORGANIZATION = "CN=Example Organization,CN=Microsoft Exchange,CN=Services"


@dataclass(frozen=True)
class VirtualServer:
    """A home server (hosts users) or a router."""

    name: str
    hosts_users: bool
    dn: str


def _container(dn: str, kind: str) -> str:
    return record(dn, {"objectClass": ["top", *kind.split()], "cn": dn.split(",")[0][3:]})


# What containers are where Exchange's classes are known, and where they are not.
EXCHANGE = {"org": "container msExchOrganizationContainer", "groups": "container msExchAdminGroupContainer",
            "group": "container msExchAdminGroup", "servers": "container msExchServersContainer", "server": "server msExchExchangeServer",
            "protocols": "protocolCfgShared protocolCfgSharedServer",
            "im": "protocolCfgShared msExchProtocolCfgSharedContainer msExchProtocolCfgIMContainer"}
BARE = dict.fromkeys(EXCHANGE, "container") | {"im": "container msExchProtocolCfgIMContainer"}


def virtual_server(machines: str, machine: str, name: str, hosts_users: bool, kind: dict) -> tuple[str, VirtualServer]:
    """LDIF of one machine below CN=Servers with a virtual server, and what that is."""
    server = f"CN={machine},{machines}"
    protocols = f"CN=Protocols,{server}"
    text = _container(server, kind["server"]) + _container(protocols, kind["protocols"]) + _container(f"CN=IM,{protocols}", kind["im"])
    dn = f"CN=1,CN=IM,{protocols}"
    text += record(dn, {"objectClass": ["top", "protocolCfg", "msExchProtocolCfgIM", "msExchProtocolCfgIMVirtualServer"], "cn": "1",
                        "msExchIMServerIISId": 1, "msExchIMServerName": name, "msExchIMServerHostsUsers": hosts_users,
                        "msExchIMHostName": name.encode("utf-16-le")})
    return text, VirtualServer(name, hosts_users, dn)


def virtual_servers(configuration: str, domain: str, exchange_classes: bool) -> tuple[str, list[VirtualServer]]:
    """LDIF of two home servers and a router below CN=Services of the configuration, and what they are."""
    kind = EXCHANGE if exchange_classes else BARE
    org = f"{ORGANIZATION},{configuration}"
    groups = f"CN=Administrative Groups,{org}"
    group = f"CN=First Administrative Group,{groups}"
    machines = f"CN=Servers,{group}"
    text = _container(org.split(",", 1)[1], "container") + _container(org, kind["org"]) + _container(groups, kind["groups"])
    text += _container(group, kind["group"]) + _container(machines, kind["servers"])
    servers = []
    for machine, name, hosts_users in (("IM1", f"im1.{domain}", True), ("IM2", f"im2.{domain}", True), ("ROUTER", f"im.{domain}", False)):
        more, server = virtual_server(machines, machine, name, hosts_users, kind)
        text += more
        servers.append(server)
    return text, servers
