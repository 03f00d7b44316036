/*
 * rest_page -- where the next page is, by RFC 8288's Link header.
 *
 * Strict: a header that is no list of links has no next page, and one that names two of
 * them is refused.
 */
#ifndef API_REST_PAGE_H
#define API_REST_PAGE_H

#include "base/error.h"
#include "base/strbuf.h"

/*
 * Look through one Link header for the relation "next" and append its target to 'ret',
 * which stays as it is when there is none. ERR_INVALID_ARGUMENT for what is no such
 * header. The target is a stranger's: judge it.
 */
bool rest_page_next(const char *header, struct strbuf *ret, struct error *err);

#endif
