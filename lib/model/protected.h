/* Groups whose members Active Directory protects: their rights are not inherited, and adminCount marks them (MS-ADTS 3.1.1.6.1).
 * Pure. */
#ifndef IMDIR_MODEL_PROTECTED_H
#define IMDIR_MODEL_PROTECTED_H

#include "lib/data/entry.h"
#include "lib/model/account.h"

/* The SID, as text, of such a group, or of the Administrator or krbtgt accounts themselves. */
bool im_sid_is_protected(const char *sid);
/* What SIDs of all groups of an account say, nested ones included: the values of tokenGroups, which a server computes where it is
 * asked for by name in a search of scope base (MS-ADTS 3.1.1.4.5.19). NULL: IM_UNKNOWN. */
enum im_tri im_protected_by_groups(const struct im_attr *token_groups);
/* What the entry itself says: IM_YES or IM_UNKNOWN. */
enum im_tri im_protected_by_entry(const struct im_entry *entry);

#endif
