/*
 * clean -- text that may go into a message of ours, and data that may stand before a model.
 *
 * Our messages take no NULs and no noncharacters (base/json.h, JSON_CONTRACT); what a
 * model says may hold both. And whatever comes from outside is fenced: it stands between
 * two lines that name it and carry a mark which is made of its own bytes, so that no text
 * can hold the line that ends it. The mark is the same for the same text: prefixes stay
 * equal from request to request, and a provider's cache goes on helping.
 */
#ifndef WORKER_CLEAN_H
#define WORKER_CLEAN_H

#include "base/strbuf.h"

/* Append 'text' with U+FFFD for NULs, noncharacters and what is no UTF-8. */
void clean_text(struct strbuf *sb, const char *text, size_t length);

/* Append 'text' between fences. 'label' loses its line ends. 'cut': say that more was there. */
void fence(struct strbuf *sb, const char *label, const char *text, size_t length,
	   bool cut);

#endif
