/* What is accepted is written so that it is accepted again, and canonically for good. */
#include "tests/fuzz/fuzz.h"

#include "base/canonical.h"

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void check_syntax(const json_t *value)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	need(json_write(&text, value, &err));
	json_auto_t *again = json_parse(text.data, text.length, JSON_SYNTAX, &err);
	need(again != NULL);
}

static void check_contract(const json_t *value)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	need(json_check_contract(value, &err));
	need(canonical_write(&text, value, &err));
	need(canonical_is(text.data, text.length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT, contract_err = ERROR_INIT;
	json_auto_t *value = json_parse((const char *)data, size, JSON_SYNTAX, &err);
	json_auto_t *strict =
		json_parse((const char *)data, size, JSON_CONTRACT, &contract_err);

	need((value != NULL) == !error_is_set(&err));
	need(!strict || value);
	if (value)
		check_syntax(value);
	if (strict)
		check_contract(strict);
	return 0;
}
