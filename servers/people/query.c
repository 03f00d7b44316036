#include "servers/people/query.h"

#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/text.h"
#include "servers/people/identifier.h"

/* A piece of the text. */
struct piece {
	const char *at;
	size_t length;
};

/* Bytes of a space at 'at', of Unicode's as well; 0: there is none. */
static size_t space_size(const char *at, size_t left)
{
	static const char *const wide[] = { "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x81\x9f",
					    "\xe3\x80\x80" };

	if (left > 0 && isspace((unsigned char)*at))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
		if (left >= strlen(wide[i]) && memcmp(at, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	/* U+2000 to U+200A: as wide as an em and less. */
	return left >= 3 && memcmp(at, "\xe2\x80", 2) == 0 &&
			       (unsigned char)at[2] >= 0x80 &&
			       (unsigned char)at[2] <= 0x8a
		       ? 3
		       : 0;
}

static void trim(struct piece *p)
{
	size_t size;

	while ((size = space_size(p->at, p->length)) > 0) {
		p->at += size;
		p->length -= size;
	}
	for (size_t back = 1; back <= 3 && back <= p->length; back++) {
		if (space_size(p->at + p->length - back, back) == back) {
			p->length -= back;
			back = 0;
		}
	}
}

static bool begins(const struct piece *p, const char *start)
{
	const size_t length = strlen(start);

	return p->length >= length && strncasecmp(p->at, start, length) == 0;
}

/* Without 'start', if it begins so. */
static bool skip(struct piece *p, const char *start)
{
	if (!begins(p, start))
		return false;
	p->at += strlen(start);
	p->length -= strlen(start);
	return true;
}

/* Up to the first of these. */
static void cut(struct piece *p, const char *ends)
{
	for (size_t i = 0; i < p->length; i++)
		if (strchr(ends, p->at[i]))
			p->length = i;
}

static const char *find_flag(const struct piece *p)
{
	const unsigned scripts = text_scripts(p->at, p->length);
	const unsigned flags = text_flags(p->at, p->length);

	if (flags & (TEXT_BIDI | TEXT_INVISIBLE))
		return "invisible-characters";
	if ((scripts & (scripts - 1)) || (flags & TEXT_MIXED_SCRIPT))
		return "mixed-script";
	return NULL;
}

/* What Slack puts between < and >: a mention, or a link with its label. */
static void unwrap(struct query *q, struct piece *p)
{
	if (p->length < 3 || p->at[0] != '<' || p->at[p->length - 1] != '>')
		return;
	struct piece inner = { p->at + 1, p->length - 2 };
	cut(&inner, "|");
	if (skip(&inner, "@")) {
		q->is_identifier = true;
		q->has_system = true;
		q->system = SYSTEM_SLACK;
	} else if (!begins(&inner, "mailto:") && !begins(&inner, "http://") &&
		   !begins(&inner, "https://")) {
		return;
	}
	*p = inner;
}

/* "github:login", or the address of a profile. */
static void read_github(struct query *q, struct piece *p)
{
	struct piece rest = *p;
	bool is_address;

	(void)(skip(&rest, "https://") || skip(&rest, "http://"));
	(void)skip(&rest, "www.");
	is_address = skip(&rest, "github.com/");
	if (!is_address) {
		rest = *p;
		if (!skip(&rest, "github:"))
			return;
		trim(&rest);
		(void)skip(&rest, "@");
	} else {
		cut(&rest, "?#");
		if (rest.length > 0 && rest.at[rest.length - 1] == '/')
			rest.length--;
	}
	q->is_identifier = true;
	q->has_system = true;
	q->system = SYSTEM_GITHUB;
	*p = rest;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

/* The address of a mailto link, its %XX read. */
static bool read_mailto(struct query *q, struct piece *p, struct strbuf *address)
{
	if (!skip(p, "mailto:"))
		return false;
	cut(p, "?");
	for (size_t i = 0; i < p->length; i++) {
		int high = -1, low = -1;

		if (p->at[i] == '%' && i + 2 < p->length) {
			high = hex_value(p->at[i + 1]);
			low = hex_value(p->at[i + 2]);
		}
		if (high < 0 || low < 0) {
			strbuf_add_char(address, p->at[i]);
			continue;
		}
		strbuf_add_char(address, (char)(high * 16 + low));
		i += 2;
	}
	*p = (struct piece){ address->data, address->length };
	trim(p);
	q->is_identifier = true;
	return true;
}

static void judge_form(struct query *q)
{
	q->is_dn = !q->has_system && identifier_is_dn(q->text);
	q->is_identifier |= q->is_dn || strchr(q->text, '@') ||
			    identifier_is_slack_id(q->text) ||
			    identifier_is_okta_id(q->text);
}

static bool unwrap_all(struct query *q, struct piece *p, struct strbuf *address)
{
	unwrap(q, p);
	trim(p);
	if (!read_mailto(q, p, address)) {
		if (!q->has_system)
			read_github(q, p);
		if (!q->has_system && skip(p, "@"))
			q->is_identifier = true;
		trim(p);
	}
	/* What the link hid counts as what was typed. */
	return strbuf_ok(address) && !memchr(p->at, 0, p->length) &&
	       text_is_utf8(p->at, p->length);
}

bool query_read(struct query *ret, const char *text, struct error *err)
{
	struct piece p = { text, strlen(text) };
	_cleanup_strbuf_ struct strbuf address = STRBUF_INIT;
	struct query q = { 0 };

	if (p.length > QUERY_BYTES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "more than %d bytes name nobody", QUERY_BYTES_MAX);
	if (!text_is_utf8(text, p.length))
		return error_set(err, ERR_INVALID_ARGUMENT, "the name is not UTF-8");
	trim(&p);
	if (p.length == 0)
		return error_set(err, ERR_INVALID_ARGUMENT, "nobody is named");
	q.flag = find_flag(&p);
	if (!q.flag && !unwrap_all(&q, &p, &address))
		return error_set(err, ERR_INVALID_ARGUMENT, "the link is not UTF-8");
	if (!q.flag)
		q.flag = find_flag(&p);
	q.text = q.flag ? strdup("") : strndup(p.at, p.length);
	if (!q.text)
		return error_oom(err);
	if (!q.flag)
		judge_form(&q);
	*ret = q;
	return true;
}

void query_done(struct query *q)
{
	free(q->text);
	*q = (struct query){ 0 };
}
