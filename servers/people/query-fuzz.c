/* Whatever is typed: understood or refused, looked up without a fault, never a name of
 * letters that only look like others. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"
#include "servers/people/find.h"
#include "servers/people/identifier.h"
#include "servers/people/words.h"

static struct people_index *make(struct error *err)
{
	static const char *const names[] = { "John Doe", "Jürgen Müller-Lüdenscheidt",
					     "Zoë O'Connor", "Андрей Смирнов", "赵欣" };
	static const struct index_rules rules;
	struct index_builder *b = index_builder_new(&rules, err);
	struct account a = ACCOUNT_INIT;

	if (!b)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char key[2] = { (char)('a' + i), 0 };

		account_begin(&a, SYSTEM_LDAP);
		account_set_key(&a, key);
		account_add(&a, ACCOUNT_LOGIN, i ? "login" : "jdoe");
		account_add(&a, ACCOUNT_DN, "cn=Stone\\, Peter,dc=x");
		account_add(&a, ACCOUNT_MAIL, "john.doe@example.test");
		account_add(&a, ACCOUNT_NAME, names[i]);
		if (!account_finish(&a, err) ||
		    !index_add(b, SYSTEM_LDAP, key, 0, a.fields.data, a.fields.length,
			       err))
			abort();
	}
	account_done(&a);
	return index_build(b, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct people_index
		*x; /* kept by the process: making it is not what is tried */
	static const struct find_rules rules;
	_cleanup_(find_result_done) struct find_result r = { 0 };
	_cleanup_(words_done) struct words words = WORDS_INIT;
	_cleanup_strbuf_ struct strbuf dn = STRBUF_INIT;
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct error err = ERROR_INIT;

	if (!x)
		x = make(&err);
	if (!x || !text)
		abort();
	(void)identifier_fold_dn(&dn, text, &err);
	error_clear(&err);
	if (text_is_utf8(text, strlen(text)) && !words_read(&words, text, &err))
		abort();
	if (!find_people(x, &rules, text, &r, &err)) {
		if (err.code != ERR_INVALID_ARGUMENT)
			abort();
		return 0;
	}
	const unsigned scripts = text_scripts(text, strlen(text));
	if ((scripts & (scripts - 1)) && r.match != FIND_NONE)
		abort();
	/* What is around it may be a space that no page shows. */
	if (strpbrk(text, "\v\f"))
		return 0;
	if ((text_flags(text, strlen(text)) & (TEXT_BIDI | TEXT_INVISIBLE)) &&
	    r.match != FIND_NONE)
		abort();
	if ((r.match == FIND_NONE) != (r.count == 0) ||
	    (r.match == FIND_UNIQUE && (r.count != 1 || r.via == FIND_VIA_FUZZY)))
		abort();
	return 0;
}
