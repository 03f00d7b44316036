/* Text that goes into filters, and names that are compared: no connection here. */
#include "link/ldap/ldap_link.h"

#include <ctype.h>
#include <ldap.h>
#include <strings.h>

#include "link/ldap/ldap_connection.h"

void ldap_link_filter(struct strbuf *sb, const char *attribute, const char *value)
{
	strbuf_add_format(sb, "(%s=", attribute);
	for (const char *p = value; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x80 && (isalnum(c) || strchr("._@ -", c)))
			strbuf_add_char(sb, *p);
		else
			strbuf_add_format(sb, "\\%02x", c);
	}
	strbuf_add_char(sb, ')');
}

bool ldap_link_filter_hex(struct strbuf *sb, const char *attribute, const char *hex)
{
	size_t digits = strspn(hex, "0123456789abcdefABCDEF");

	strbuf_add_format(sb, "(%s=", attribute);
	for (size_t i = 0; i + 1 < digits; i += 2)
		strbuf_add_format(sb, "\\%.2s", hex + i);
	strbuf_add_char(sb, ')');
	return digits > 0 && digits % 2 == 0 && hex[digits] == '\0';
}

/* Values without case (ASCII), spaces at the ends dropped and runs of them equal
 * to one: what caseIgnoreMatch does to the characters we meet in names. */
static bool same_value(const struct berval *a, const struct berval *b)
{
	const char *p = a->bv_val, *p_end = p + a->bv_len;
	const char *q = b->bv_val, *q_end = q + b->bv_len;

	while (p < p_end && *p == ' ')
		p++;
	while (q < q_end && *q == ' ')
		q++;
	while (p_end > p && p_end[-1] == ' ')
		p_end--;
	while (q_end > q && q_end[-1] == ' ')
		q_end--;
	while (p < p_end && q < q_end) {
		if (tolower((unsigned char)*p) != tolower((unsigned char)*q))
			return false;
		if (*p == ' ') {
			while (*p == ' ')
				p++;
			while (*q == ' ')
				q++;
		} else {
			p++;
			q++;
		}
	}
	return p == p_end && q == q_end;
}

static bool same_type(const struct berval *a, const struct berval *b)
{
	return a->bv_len == b->bv_len &&
	       strncasecmp(a->bv_val, b->bv_val, a->bv_len) == 0;
}

static size_t rdn_length(LDAPRDN rdn)
{
	size_t n = 0;

	while (rdn[n])
		n++;
	return n;
}

/* An RDN is a set: "cn=a+uid=b" is "uid=b+cn=a". */
static bool same_rdn(LDAPRDN a, LDAPRDN b)
{
	if (rdn_length(a) != rdn_length(b))
		return false;
	for (size_t i = 0; a[i]; i++) {
		size_t j = 0;

		while (b[j] && !(same_type(&a[i]->la_attr, &b[j]->la_attr) &&
				 same_value(&a[i]->la_value, &b[j]->la_value)))
			j++;
		if (!b[j])
			return false;
	}
	return true;
}

bool ldap_link_same_dn(const char *a, const char *b)
{
	LDAPDN left = NULL, right = NULL;
	bool same = false;

	ldap_connection_prepare();
	if (ldap_str2dn(a, &left, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS &&
	    ldap_str2dn(b, &right, LDAP_DN_FORMAT_LDAPV3) == LDAP_SUCCESS) {
		size_t i = 0;

		/* The empty DN parses to NULL. */
		while (left && right && left[i] && right[i] &&
		       same_rdn(left[i], right[i]))
			i++;
		same = (!left || !left[i]) && (!right || !right[i]);
	}
	if (left)
		ldap_dnfree(left);
	if (right)
		ldap_dnfree(right);
	return same;
}
