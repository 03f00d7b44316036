/* What is shown decodes to what was given; nothing reads behind the end of any bytes. */
#include "tests/fuzz/fuzz.h"

#include "base/text.h"

static void check_back(const struct strbuf *shown, const char *text, size_t length)
{
	_cleanup_strbuf_ struct strbuf back = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!text_unescape(&back, shown->data, shown->length, &err) ||
	    back.length != length || memcmp(back.data, text, length) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf visible = STRBUF_INIT, escaped = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf other = STRBUF_INIT;
	const char *text = (const char *)data;
	struct error err = ERROR_INIT;

	text_visible(&visible, text, size);
	text_escaped(&escaped, text, size);
	text_redact(&other, text, size);
	(void)text_unescape(&other, text, size, &err);
	(void)text_flags(text, size);
	(void)text_columns(text, size);
	if (!text_is_utf8(text, size))
		return 0;
	check_back(&visible, text, size);
	check_back(&escaped, text, size);
	error_clear(&err);
	if (!text_fold(&other, text, size, &err))
		abort();
	return 0;
}
