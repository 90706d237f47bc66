#include "lib/rules/http_tell.h"
#include "lib/rules/rows.h"

#define SOURCE_RVP "draft-osborne-rvp-00"
#define SOURCE_HELP "Exchange 2000 product help on instant messaging"

/* All that are more exact than "this is something else". */
#define MORE_EXACT "http-directory-exposed http-ssl-required http-handler-broken http-busy http-verb-blocked http-auth-scheme"

const struct im_rule im_http_rules[] = {
    {
        .id = "http-unreachable",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .title = "Nobody answers on the web port",
        .cause = "The web service does not run, or something on the way keeps connections away. Nobody can sign in there.",
        .remedy = "start the web service and instant messaging on that machine, and let port 80 through the firewall",
        .source = SOURCE_RVP " section 4.1",
        .survey = im_http_unreachable,
    },
    {
        .id = "http-not-rvp",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .hidden_by = MORE_EXACT,
        .title = "Something else than instant messaging answers",
        .cause =
            "Every answer of instant messaging has a header of its own. Without it, another web server is behind this name, or "
            "the service behind the web server has not started.",
        .remedy = "let the name lead to the server of instant messaging, and see that it has started behind the web service",
        .source = SOURCE_RVP "; KB 279095",
        .survey = im_http_not_rvp,
    },
    {
        .id = "http-handler-broken",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .hidden_by = "http-directory-exposed",
        .title = "The handler of instant messaging is broken",
        .cause = "The script map that leads requests to instant messaging was removed or edited. People are asked for their "
                 "password again and again.",
        .remedy = "put the wildcard script map back on the directory INSTMSG of the web site",
        .source = "KB 276557",
        .survey = im_http_handler_broken,
    },
    {
        .id = "http-directory-exposed",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .title = "The directory of the program can be read",
        .cause =
            "The directory INSTMSG lies on the program's files, and only the script map keeps readers away. A healthy server "
            "answers 501 to GET.",
        .remedy = "put the wildcard script map back on the directory INSTMSG of the web site, and take the right to read away",
        .source = "MSXFAQ on Exchange 2000 Instant Messaging; KB 276557",
        .survey = im_http_directory_exposed,
    },
    {
        .id = "http-ssl-required",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .title = "The web server demands a secure channel",
        .cause = "Clients of instant messaging do not speak TLS. Who secured the web site locked them out.",
        .remedy = "clear \"Require secure channel (SSL)\" on the directory INSTMSG of the web site",
        .source = SOURCE_HELP,
        .survey = im_http_ssl_required,
    },
    {
        .id = "http-verb-blocked",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .hidden_by = "http-directory-exposed",
        .title = "A filter keeps the methods of instant messaging away",
        .cause = "The web server answers GET, but not the methods that clients use: something hardens it.",
        .remedy = "let the filter pass SUBSCRIBE, UNSUBSCRIBE, SUBSCRIPTIONS, NOTIFY, PROPFIND, PROPPATCH and ACL",
        .source = SOURCE_RVP "; KB 298421",
        .survey = im_http_verb_blocked,
    },
    {
        .id = "http-access-denied",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .title = "The log-on is right, but refused",
        .cause = "Ordinary users lack the right to read and execute the files of instant messaging on the server.",
        .remedy = "give Authenticated Users the right to read and execute the BIN folder and the DLL of instant messaging",
        .source = "KB 307217",
        .survey = im_http_access_denied,
    },
    {
        .id = "http-auth-scheme",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .title = "No way to log on that clients know",
        .cause = "Clients log on with NTLM, Negotiate or Digest. The server offers none of them.",
        .remedy = "allow Integrated Windows authentication on the directory INSTMSG of the web site",
        .source = SOURCE_HELP ", HTTP Digest authentication",
        .survey = im_http_auth_scheme,
    },
    {
        .id = "http-digest-realm",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_WARNING,
        .title = "Digest has another realm than the IM domain",
        .cause = "Clients that use Digest expect the IM domain as the realm.",
        .remedy = "set the realm of Digest on the directory INSTMSG of the web site to the IM domain",
        .source = SOURCE_RVP " section 6.3",
        .survey = im_http_digest_realm,
    },
    {
        .id = "http-redirect-wrong-home",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .title = "The router sends a person elsewhere",
        .cause = "The router looks people up at a domain controller of its own, which does not know the home that is in the "
                 "directory, or it names a server that clients cannot find.",
        .remedy = "make the domain controller that the router asks replicate, or set the home anew with imhome",
        .source = SOURCE_RVP " section 4.1.2",
        .survey = im_http_redirect_wrong_home,
    },
    {
        .id = "http-user-unknown",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_ERROR,
        .hidden_by = "http-redirect-wrong-home",
        .title = "The server does not know a person",
        .cause = "The server asks a domain controller that has not heard of the person or of the new home yet.",
        .remedy =
            "wait until the change has reached the domain controller that this server asks, or set the home anew with imhome",
        .source = SOURCE_RVP,
        .survey = im_http_user_unknown,
    },
    {
        .id = "http-busy",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_WARNING,
        .title = "The server has too much to do",
        .cause = "The queue of the server counts outgoing work too and holds 1,024 entries; what is beyond it is refused.",
        .remedy = "bring the server to Service Pack 3, or spread its users over more home servers",
        .source = "KB 318158",
        .survey = im_http_busy,
    },
    {
        .id = "http-negotiate-spn",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_WARNING,
        .title = "Kerberos does not know the server's name",
        .cause =
            "The server offers Negotiate, but no account has the service principal name of its web service, so that Kerberos "
            "cannot be used.",
        .remedy = "register it: setspn -A HTTP/SERVER COMPUTER",
        .source = "MS-KILE section 3.1.5.11; RFC 4559",
        .survey = im_http_negotiate_spn,
    },
    {
        .id = "http-probe-local",
        .scope = IM_SCOPE_HTTP,
        .severity = IM_INFO,
        .title = "The probe asked its own machine",
        .cause = "A web server may refuse a log-on from its own machine that it allows others, so that the answers say little.",
        .remedy = "repeat the probe from another machine",
        .source = "KB 896861",
        .survey = im_http_probe_local,
    },
};
const size_t im_http_rule_count = sizeof im_http_rules / sizeof im_http_rules[0];
