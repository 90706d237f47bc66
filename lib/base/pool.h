/* An arena: many small pieces that live and die together. */
#ifndef IMDIR_BASE_POOL_H
#define IMDIR_BASE_POOL_H

#include <lber.h>
#include <stdarg.h>
#include <stddef.h>

struct im_pool;

struct im_pool *im_pool_new(void); /* NULL when out of memory */
void im_pool_free(struct im_pool **pool);
void im_pool_reset(struct im_pool *pool); /* forgets all pieces, keeps one block */

/* All return NULL when out of memory; pieces are aligned for any type. */
void *im_pool_alloc(struct im_pool *pool, size_t size);               /* zeroed */
void *im_pool_array(struct im_pool *pool, size_t count, size_t size); /* zeroed; overflow is NULL */
char *im_pool_strdup(struct im_pool *pool, const char *s);            /* NULL gives NULL */
char *im_pool_strndup(struct im_pool *pool, const char *s, size_t len);
char *im_pool_printf(struct im_pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *im_pool_vprintf(struct im_pool *pool, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
int im_pool_value(struct im_pool *pool, const struct berval *in, struct berval *out); /* copies, adds a NUL; 0 or -1 */

#endif
