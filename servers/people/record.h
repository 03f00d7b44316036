/*
 * record -- a person as schemas/people/ describes one, out of the index and our copy.
 */
#ifndef PEOPLE_RECORD_H
#define PEOPLE_RECORD_H

#include "servers/people/people.h"

/* New reference. '*ret_moved', when NULL is returned without 'err': our copy is of this
 * revision by now, and the snapshot too old to say who that is (see people_catch_up). */
json_t *record_make(struct people *p, const struct snapshot *s, uint32_t person,
		    const struct freshness *f, int64_t *ret_moved,
		    struct error *err) _must_use_;

#endif
