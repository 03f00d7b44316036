#include "wire/schema_uri.h"

#include "wire/schema_format.h"

struct span {
	const char *text; /* NULL: absent, which is not the same as empty */
	size_t length;
};

struct uri {
	struct span scheme, authority, path, query, fragment;
};

static bool is_in(char c, const char *set)
{
	return c && strchr(set, c);
}

static size_t run_until(const char *text, size_t length, const char *stops)
{
	size_t n = 0;

	while (n < length && !is_in(text[n], stops))
		n++;
	return n;
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_scheme(const char *text, size_t length)
{
	if (length == 0 || !is_alpha(text[0]))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!is_alpha(text[i]) && !is_digit(text[i]) && !is_in(text[i], "+-."))
			return false;
	return true;
}

/* RFC 3986, appendix B. */
static struct uri split(const char *text, size_t length)
{
	struct uri u = { 0 };
	size_t n = run_until(text, length, ":/?#");

	if (n < length && text[n] == ':' && is_scheme(text, n)) {
		u.scheme = (struct span){ text, n };
		text += n + 1;
		length -= n + 1;
	}
	if (length >= 2 && text[0] == '/' && text[1] == '/') {
		n = run_until(text + 2, length - 2, "/?#");
		u.authority = (struct span){ text + 2, n };
		text += n + 2;
		length -= n + 2;
	}
	n = run_until(text, length, "?#");
	u.path = (struct span){ text, n };
	text += n;
	length -= n;
	if (length && *text == '?') {
		n = run_until(text + 1, length - 1, "#");
		u.query = (struct span){ text + 1, n };
		text += n + 1;
		length -= n + 1;
	}
	if (length)
		u.fragment = (struct span){ text + 1, length - 1 };
	return u;
}

/* Append 'path' less its "." and ".." segments (section 5.2.4). */
static void add_without_dots(struct strbuf *sb, const char *path, size_t length)
{
	size_t start = sb->length;

	while (length) {
		bool slash = *path == '/';
		size_t n = slash + run_until(path + slash, length - slash, "/");
		struct span segment = { path + slash, n - slash };
		bool last = n == length;
		bool one = segment.length == 1 && segment.text[0] == '.';
		bool two = segment.length == 2 && !memcmp(segment.text, "..", 2);

		if (two) {
			size_t end = sb->length;

			while (end > start && sb->data[end - 1] != '/')
				end--;
			strbuf_truncate(sb, end > start ? end - 1 : start);
		}
		if (!one && !two)
			strbuf_add(sb, path, n);
		else if (last && slash)
			strbuf_add_char(sb, '/');
		path += n;
		length -= n;
	}
}

static void add_merged_path(struct strbuf *sb, const struct uri *base, struct span path)
{
	_cleanup_strbuf_ struct strbuf merged = STRBUF_INIT;
	size_t keep = base->path.length;

	while (keep && base->path.text[keep - 1] != '/')
		keep--;
	if (base->authority.text && base->path.length == 0)
		strbuf_add_char(&merged, '/');
	else
		strbuf_add(&merged, base->path.text, keep);
	strbuf_add(&merged, path.text, path.length);
	add_without_dots(sb, merged.data, merged.length);
	sb->failed |= !strbuf_ok(&merged);
}

void uri_resolve(struct strbuf *sb, const char *base, const char *reference,
		 size_t length)
{
	struct uri b = split(base, strlen(base)), r = split(reference, length);
	bool own = r.scheme.text != NULL;
	struct span scheme = own ? r.scheme : b.scheme;
	struct span query = r.query;

	if (scheme.text) {
		strbuf_add(sb, scheme.text, scheme.length);
		strbuf_add_char(sb, ':');
	}
	own = own || r.authority.text;

	struct span authority = own ? r.authority : b.authority;

	if (authority.text) {
		strbuf_add_string(sb, "//");
		strbuf_add(sb, authority.text, authority.length);
	}
	if (own || (r.path.length && r.path.text[0] == '/')) {
		add_without_dots(sb, r.path.text, r.path.length);
	} else if (r.path.length) {
		add_merged_path(sb, &b, r.path);
	} else {
		strbuf_add(sb, b.path.text, b.path.length);
		if (!query.text)
			query = b.query;
	}
	if (query.text) {
		strbuf_add_char(sb, '?');
		strbuf_add(sb, query.text, query.length);
	}
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool uri_decode(struct strbuf *sb, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] != '%') {
			strbuf_add_char(sb, text[i]);
			continue;
		}
		if (length - i < 3 || hex_value(text[i + 1]) < 0 ||
		    hex_value(text[i + 2]) < 0)
			return false;

		int c = hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]);

		if (c == 0)
			return false;
		strbuf_add_char(sb, (char)c);
		i += 2;
	}
	return strbuf_ok(sb);
}

/* Unreserved characters, escapes, sub-delims and those of 'more'. */
static bool is_made_of(struct span s, const char *more, bool international)
{
	for (size_t i = 0; i < s.length; i++) {
		char c = s.text[i];

		if (c == '%') {
			if (s.length - i < 3 || hex_value(s.text[i + 1]) < 0 ||
			    hex_value(s.text[i + 2]) < 0)
				return false;
			i += 2;
		} else if ((unsigned char)c >= 0x80) {
			if (!international)
				return false;
		} else if (!is_alpha(c) && !is_digit(c) && !is_in(c, "-._~!$&'()*+,;=") &&
			   !is_in(c, more)) {
			return false;
		}
	}
	return true;
}

static bool is_ip_literal(struct span s)
{
	if (s.length && (s.text[0] | 0x20) == 'v') {
		size_t n = 1;

		while (n < s.length && hex_value(s.text[n]) >= 0)
			n++;
		return n > 1 && n + 1 < s.length && s.text[n] == '.' &&
		       is_made_of((struct span){ s.text + n + 1, s.length - n - 1 }, ":",
				  false) &&
		       !memchr(s.text, '%', s.length);
	}
	return format_is_ipv6(s.text, s.length);
}

static bool is_authority(struct span s, bool international)
{
	const char *at = memchr(s.text, '@', s.length);

	if (at) {
		struct span user = { s.text, (size_t)(at - s.text) };

		if (!is_made_of(user, ":", international))
			return false;
		s = (struct span){ at + 1, s.length - user.length - 1 };
	}

	size_t host = 0;

	if (s.length && s.text[0] == '[') {
		const char *end = memchr(s.text, ']', s.length);

		if (!end || !is_ip_literal((struct span){ s.text + 1,
							  (size_t)(end - s.text) - 1 }))
			return false;
		host = (size_t)(end - s.text) + 1;
		if (host < s.length && s.text[host] != ':')
			return false;
	} else {
		host = run_until(s.text, s.length, ":");
		if (!is_made_of((struct span){ s.text, host }, "", international))
			return false;
	}
	for (size_t i = host + 1; i < s.length; i++)
		if (!is_digit(s.text[i]))
			return false;
	return true;
}

bool uri_is_valid(const char *text, size_t length, unsigned rules)
{
	bool international = rules & URI_INTERNATIONAL;
	struct uri u = split(text, length);

	if (!u.scheme.text) {
		size_t first = run_until(u.path.text, u.path.length, "/");

		if (rules & URI_ABSOLUTE)
			return false;
		/* "1a:b" would be neither a scheme nor a relative path. */
		if (!u.authority.text && memchr(u.path.text, ':', first))
			return false;
	}
	return (!u.authority.text || is_authority(u.authority, international)) &&
	       is_made_of(u.path, ":@/", international) &&
	       is_made_of(u.query, ":@/?", international) &&
	       is_made_of(u.fragment, ":@/?", international);
}
