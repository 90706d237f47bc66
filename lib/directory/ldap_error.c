#include "lib/directory/ldap_error.h"

#include <stdlib.h>
#include <string.h>

struct code_row {
    unsigned code;
    const char *name, *words;
};

/* RFC 4511 appendix A.1, and what libldap adds for its own side (negative codes are as unsigned here). */
static const struct code_row codes[] = {
    {0, "success", "done"},
    {1, "operationsError", "the server could not carry the operation out in this state (often: not authenticated)"},
    {2, "protocolError", "the server does not understand the request"},
    {3, "timeLimitExceeded", "the server's time limit was exceeded"},
    {4, "sizeLimitExceeded", "the server gave only a part of the result (size limit)"},
    {5, "compareFalse", "the comparison is false"},
    {6, "compareTrue", "the comparison is true"},
    {7, "authMethodNotSupported", "the server does not offer this way to authenticate"},
    {8, "strongerAuthRequired",
     "the server demands a protected connection: use ldaps://, --starttls, or GSS-SPNEGO with sealing"},
    {10, "referral", "the server refers to another server"},
    {11, "adminLimitExceeded", "an administrative limit of the server was exceeded"},
    {12, "unavailableCriticalExtension", "the server does not support a control that is needed"},
    {13, "confidentialityRequired", "the server demands encryption: use ldaps:// or --starttls"},
    {14, "saslBindInProgress", "the log-on is not finished"},
    {16, "noSuchAttribute", "a value that was to be replaced is not there any more"},
    {17, "undefinedAttributeType", "the server's schema does not know the attribute: run imschema"},
    {18, "inappropriateMatching", "the attribute cannot be compared in this way"},
    {19, "constraintViolation", "the value breaks a rule of the server (an object that it names may not exist)"},
    {20, "attributeOrValueExists", "the value is there already"},
    {21, "invalidAttributeSyntax", "the value does not fit the attribute's syntax"},
    {32, "noSuchObject", "the object does not exist"},
    {33, "aliasProblem", "an alias leads nowhere"},
    {34, "invalidDNSyntax", "the DN is malformed"},
    {36, "aliasDereferencingProblem", "an alias cannot be followed"},
    {48, "inappropriateAuthentication", "this account cannot log on in this way"},
    {49, "invalidCredentials", "unknown user name or wrong password"},
    {50, "insufficientAccessRights", "the account that is used has no right to do this"},
    {51, "busy", "the server is busy"},
    {52, "unavailable", "the server is shutting down or not available"},
    {53, "unwillingToPerform", "the server refuses to do this"},
    {54, "loopDetect", "the server found a loop"},
    {64, "namingViolation", "the name is not allowed there"},
    {65, "objectClassViolation", "the object's classes do not allow the attribute: run imschema"},
    {66, "notAllowedOnNonLeaf", "the object has children"},
    {67, "notAllowedOnRDN", "the attribute is part of the name"},
    {68, "entryAlreadyExists", "the object exists already"},
    {69, "objectClassModsProhibited", "the object's class cannot be changed"},
    {71, "affectsMultipleDSAs", "more than one server would be concerned"},
    {80, "other", "the server failed in a way that it does not name"},
    {122, "assertionFailed", "the entry is not any more as it was read"},
    {123, "authorizationDenied", "acting as that identity is not allowed"},
};

/* Win32 codes in the first eight digits of Active Directory's texts. */
static const struct code_row win32[] = {
    {0x00000005, NULL, "the account that is used has no right to do this"},
    {0x000004dc, NULL, "not authenticated: a bind must come first"},
    {0x0000052d, NULL, "the password does not meet the domain's policy"},
    {0x0000200a, NULL, "a value that was to be replaced is not there any more"},
    {0x0000200b, NULL, "the value does not fit the attribute's syntax"},
    {0x0000200c, NULL, "the schema does not know the attribute: run imschema"},
    {0x0000200d, NULL, "the value is there already"},
    {0x0000200e, NULL, "the domain controller is busy"},
    {0x0000200f, NULL, "the domain controller is not available"},
    {0x00002014, NULL, "the object's classes do not allow the attribute: run imschema"},
    {0x00002020, NULL, "the domain controller could not carry the operation out"},
    {0x00002022, NULL, "the time limit was exceeded"},
    {0x00002023, NULL, "the size limit was exceeded"},
    {0x00002024, NULL, "an administrative limit was exceeded"},
    {0x00002028, NULL, "the domain controller demands signing or TLS: use ldaps://, --starttls, or GSS-SPNEGO with sealing"},
    {0x00002029, NULL, "signing inside TLS is not allowed"},
    {0x0000202b, NULL, "the domain controller refers to another one"},
    {0x0000202f, NULL, "the value breaks a rule of the directory"},
    {0x00002030, NULL, "the object does not exist"},
    {0x00002032, NULL, "the DN is malformed"},
    {0x00002035, NULL, "the domain controller refuses to do this"},
    {0x00002040, NULL, "a control that is needed is not supported, or a paged search was lost"},
    {0x00002071, NULL, "the object exists already"},
    {0x00002077, NULL, "the domain controller refuses to do this"},
    {0x00002081, NULL, "more values than the attribute may have"},
    {0x00002082, NULL, "the value is too short or too long"},
    {0x00002083, NULL, "the value is there already"},
    {0x00002085, NULL, "a value that was to be replaced is not there any more"},
    {0x0000208d, NULL, "the object does not exist"},
    {0x00002098, NULL, "the account that is used has no right to do this"},
    {0x000020b1, NULL, "only the system may change this attribute"},
    {0x000020e7, NULL, "only the system may change this attribute"},
    {0x000021c7, NULL, "the service principal name is in use elsewhere in the forest"},
    {0x000021c8, NULL, "the user principal name is in use elsewhere in the forest"},
    {0x80090346, NULL, "channel binding is demanded: the SASL library lacks it, so use ldap:// with sealing instead of ldaps://"},
};

/* "data XXX" of a refused bind. */
static const struct code_row bind_data[] = {
    {0x35b, NULL, "channel binding is demanded: the SASL library lacks it, so use ldap:// with sealing instead of ldaps://"},
    {0x525, NULL, "the user does not exist"},
    {0x52e, NULL, "unknown user name or wrong password"},
    {0x530, NULL, "log-on is not allowed at this time"},
    {0x531, NULL, "log-on is not allowed from this computer"},
    {0x532, NULL, "the password has expired"},
    {0x533, NULL, "the account is disabled"},
    {0x701, NULL, "the account has expired"},
    {0x773, NULL, "the password must be changed first"},
    {0x775, NULL, "the account is locked"},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct code_row *find(const struct code_row *rows, size_t count, unsigned code) {
    for (size_t i = 0; i < count; i++) {
        if (rows[i].code == code)
            return &rows[i];
    }
    return NULL;
}

bool im_ldap_is_busy(int code) {
    enum { BUSY = 51, UNAVAILABLE = 52 };
    return code == BUSY || code == UNAVAILABLE;
}

const char *im_ldap_code_name(int code) {
    const struct code_row *row = code < 0 ? NULL : find(codes, COUNT(codes), (unsigned)code);
    return row ? row->name : "other";
}

/* A hexadecimal number of the text, or 0; at least `digits` digits. */
static unsigned hex_at(const char *text, size_t digits) {
    if (strspn(text, "0123456789abcdefABCDEF") < digits)
        return 0;
    return (unsigned)strtoul(text, NULL, 16);
}

static const struct code_row *from_text(int code, const char *diagnostic) {
    const char *data = strstr(diagnostic, "data ");
    unsigned front = hex_at(diagnostic, 8);
    const struct code_row *row = NULL;
    if (front == 0x80090346)
        return find(win32, COUNT(win32), front);
    if (code == 49 && data)
        row = find(bind_data, COUNT(bind_data), hex_at(data + 5, 2));
    if (!row && front)
        row = find(win32, COUNT(win32), front);
    return row;
}

void im_ldap_explain(int code, const char *diagnostic, struct im_buf *out) {
    const struct code_row *row = diagnostic ? from_text(code, diagnostic) : NULL;
    if (!row)
        row = code < 0 ? NULL : find(codes, COUNT(codes), (unsigned)code);
    if (row) {
        im_buf_adds(out, row->words);
    } else {
        im_buf_addf(out, "the server answered with a code that is not in the standard (%d)", code);
    }
}
