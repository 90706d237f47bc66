/* The organisation as the directory describes it, beyond its accounts. Pure.
 *
 * Each group of facts says whether it is known. Where it is not, why_not is the reason in words: no right to read it, an
 * attribute that this schema does not have, an error. Texts come from the directory: they are escaped where they go. */
#ifndef IMDIR_MODEL_ORGANISATION_H
#define IMDIR_MODEL_ORGANISATION_H

#include "lib/model/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Password policy of the domain that the accounts are in (MS-ADTS 6.1.1.4: attributes of the domain's object). */
struct im_policy {
    bool is_known;
    const char *why_not;
    int64_t max_password_age_s; /* 0: passwords do not age */
    long min_password_length;
    bool stores_reversible; /* pwdProperties & 0x10 */
};

/* The object of a machine that was set up as a server; virtual servers lie below it. */
struct im_machine {
    const char *dn, *name; /* name: the CN */
    const char *key;       /* the DN in the form of im_dn_normalize, for comparison */
    const char *host;      /* DNS name; NULL: not told */
    const char *version;   /* "Version 6.0 (Build 6249.4: Service Pack 3)"; NULL: none */
    bool is_described;     /* more than its name can be read: then a version that is not read is not there */
    bool has_stores;       /* mailboxes or public folders; see im_organisation.stores */
};
struct im_machines {
    bool is_known;
    const char *why_not;
    const struct im_machine *items;
    size_t count;
};

/* An account that a computer, or a service, logs on with. */
struct im_computer {
    const char *dn;
    const char *host; /* dNSHostName; NULL: none */
    bool is_computer; /* else it was found by its service principal names only */
    bool is_disabled;
    struct im_strings spns; /* as the directory has them: "HTTP/im.corp.example" */
};
struct im_computers {
    bool is_known;
    const char *why_not; /* also set where only a part was read: what is not in the list may still be there */
    const struct im_computer *items;
    size_t count;
};

/* Settings for the way through firewalls, which are global. */
struct im_firewall {
    const char *dn;
    bool has_proxy;           /* a value that is not empty */
    size_t proxy_octets;      /* their number: how they are to be read is not documented */
    size_t range_count;       /* protected ranges of addresses */
    struct im_strings ranges; /* those that can be read, as "10.0.0.0-10.255.255.255" */
};
struct im_global_settings {
    bool is_known;
    const char *why_not;
    size_t container_count; /* objects that hold such settings; none: they are not visible, or were never made */
    const struct im_firewall *firewalls;
    size_t count;
};

/* Who may change the schema. */
struct im_schema_role {
    bool is_known;
    const char *why_not;
    const char *owner; /* DN of its directory service */
    const char *host;  /* DNS name; NULL: could not be read */
    bool is_here;      /* the server that was asked */
};

/* Which attributes of the profile a global catalog holds. */
struct im_gc_attr {
    const char *name, *dn; /* dn: of its definition */
    bool is_in_gc;
};
struct im_gc_set {
    bool is_known;
    const char *why_not;
    const struct im_gc_attr *items;
    size_t count;
};

/* What the account that is used may write on people of a domain; some of them were looked at. */
struct im_domain_rights {
    const char *domain; /* DN */
    bool is_known;
    const char *why_not;
    size_t sampled;
    size_t can_enable; /* people of whom every attribute that enabling sets may be written */
    size_t can_write;  /* people of whom anything may be written */
};

struct im_organisation {
    const char *identity; /* who asked, for messages */
    struct im_policy policy;
    struct im_machines machines;
    struct {
        bool is_known;
        const char *why_not;
    } stores; /* has_stores of the machines */
    struct im_computers computers;
    struct im_global_settings settings;
    struct im_schema_role schema_role;
    struct im_gc_set gc;
    const struct im_domain_rights *domains; /* domains of the forest; elsewhere naming contexts */
    size_t domain_count;
};

/* As im_dn_is_under, of DNs that are normalised already. */
bool im_key_is_under(const char *key, const char *base);
/* The machine that the object is or lies on, by the normalised DN of the object; NULL: none that is known. */
const struct im_machine *im_organisation_machine(const struct im_organisation *o, const char *key);
/* The computer account of that DNS name, an enabled one where there is one; NULL: none that is known. */
const struct im_computer *im_organisation_computer(const struct im_organisation *o, const char *host);
/* Is there an enabled account that answers for web servers of that name: HTTP/host, or HOST/host, which stands for it as well?
 * False where it is not known: look at computers.is_known and why_not. */
bool im_organisation_answers_for(const struct im_organisation *o, const char *host);
/* The build in a version's text: 6249. 0: not of the release (major and minor, "6.0"), or not understood. */
long im_version_build(const char *version, const char *release);

#endif
