/*
 * reading -- a playbook, or a section of it, opened to be shown.
 */
#ifndef PLAYBOOKS_READING_H
#define PLAYBOOKS_READING_H

#include "servers/playbooks/answer.h"
#include "servers/playbooks/playbooks.h"

struct reading {
	struct index *index;
	uint32_t document, section;
	bool has_section, renamed;
	struct strbuf body;     /* the page as it is */
	struct strbuf markdown; /* what may be shown of it */
	size_t start, end;      /* the bytes of 'body' that 'markdown' is of */
};
#define READING_INIT                                                                     \
	{                                                                                \
		.body = STRBUF_INIT, .markdown = STRBUF_INIT                             \
	}

/* 'section' NULL: all of it. */
bool reading_start(struct playbooks *p, const char *id, const char *section,
		   const char *requester, struct reading *ret, struct error *err);
void reading_done(struct reading *r);
/* The steps of what is read, as get_playbook has them; new, NULL without memory. */
json_t *reading_steps(const struct reading *r, const struct section_names *names);

#endif
