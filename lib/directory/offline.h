/* A directory that is an export of one: an LDIF file as ldapsearch, slapcat and ldifde write it, perhaps compressed by gzip.
 *
 * The file is read as a stream, as often as there is something to ask: searches that are in flight together are answered by one
 * pass over it, and so many of them at a time cost little more than one (im_directory_window). Memory does not grow with it.
 * Nothing is ever written: a modify or an add is IM_E_USAGE. Base and scope go by parsed, folded DNs; a base that has nothing at
 * or below it does not exist. Of two entries with one DN, a search for that DN gives the first.
 *
 * What a server says of itself is deduced in a first pass, which also finds what is no LDIF:
 *  - family: OpenLDAP where entries have entryUUID or entryCSN; else Active Directory where they have objectGUID, objectSid or
 *    instanceType, or one is a domainDNS; else an LDAP server.
 *  - naming contexts: the shallowest entries, or what all entries of a tree lie below; on Active Directory also the heads within
 *    (domainDNS, configuration, dMD), which searches from above do not enter.
 *  - schema: definitions that the export holds: of the schema partition, of a subschema entry, or below cn=schema,cn=config.
 * Where it holds none they are assumed (im_rootdse.has_assumed_schema): what the profile defines is there, as are attributes and
 * classes that entries have, as text. On Active Directory the profile's class is then part of the classes that it is attached to;
 *    elsewhere it comes with each entry, unless there is one that has the address without it.
 *
 * Of an attribute that a server gave only in parts (";range=0-1499" without the rest) the whole is not known: IM_E_TRUNCATED. */
#ifndef IMDIR_DIRECTORY_OFFLINE_H
#define IMDIR_DIRECTORY_OFFLINE_H

#include "lib/directory/live.h"

/* Is an export named ("ldif:FILE") instead of servers? */
bool im_offline_is_wanted(const struct im_config *config);
const char *im_offline_path(const char *uri); /* the file that it names; NULL: it names a server */
/* IM_E_USAGE: servers are named as well. IM_E_IO, IM_E_INPUT: the file cannot be read, or is wrong; IM_E_TRUNCATED: it says
 * itself that it is not whole. IM_E_INVISIBLE: it holds no entry. */
enum im_err im_offline_open(const struct im_live_options *options, struct im_directory **out, struct im_error *e);

#endif
