/* The functions of the rows in server.c, by what they look at. */
#ifndef IMDIR_RULES_SERVER_RULES_H
#define IMDIR_RULES_SERVER_RULES_H

#include "lib/rules/say.h"

/* Names, homes and routers. */
im_rule_survey im_server_name_not_fqdn, im_server_users_orphaned, im_server_no_home, im_server_overfull, im_server_router_missing,
    im_server_router_two_domains, im_server_name_duplicate, im_server_port_not_80;
/* Machines and firewalls. */
im_rule_survey im_server_computer_missing, im_server_stale_object, im_server_build_old, im_server_proxy_with_ntlm,
    im_server_firewall_undefined, im_server_firewall_range_invalid;

/* "imhome --from SERVER --to HOME": to the only other home server, to whichever has room, or to one to come. In the sink's pool,
 * never NULL. */
const char *im_server_drain(const struct im_survey *survey, struct im_sink *s, const char *from);

#endif
