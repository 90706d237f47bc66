/* Counts accounts into a census while they pass by. */
#ifndef IMDIR_ENGINE_COUNT_H
#define IMDIR_ENGINE_COUNT_H

#include "lib/model/account.h"
#include "lib/model/census.h"

struct im_counter;

/* servers must outlive it. NULL when out of memory. */
struct im_counter *im_counter_new(const struct im_servers *servers);
void im_counter_free(struct im_counter **counter);

/* One more account. *home is the number of its home in the census; SIZE_MAX: it names none. *new_mail_domain is set where no
 * account before had that domain; else NULL. What a home is, is known at once where it is one of the servers, or deleted. */
enum im_err im_counter_add(struct im_counter *counter, const struct im_account *account, size_t *home,
                           const char **new_mail_domain, struct im_error *e);
/* The same without counting: SIZE_MAX where no account that was counted names that home. */
size_t im_counter_home(const struct im_counter *counter, const struct im_account *account);
/* Grows as accounts are added: its arrays move. Targets may be filled in by the caller. */
struct im_census *im_counter_census(struct im_counter *counter);

#endif
