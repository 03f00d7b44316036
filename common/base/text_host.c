#include "base/text.h"

#include <unicode/uidna.h>

bool text_host_ascii(struct strbuf *sb, const char *host, size_t length)
{
	enum { HOST_MAX = 1024, ASCII_BYTES = 256 };
	UErrorCode status = U_ZERO_ERROR;
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	char ascii[ASCII_BYTES];
	int32_t n;

	if (length == 0 || length > HOST_MAX || !text_is_utf8(host, length))
		return false;
	UIDNA *idna = uidna_openUTS46(
		UIDNA_USE_STD3_RULES | UIDNA_NONTRANSITIONAL_TO_ASCII, &status);
	if (U_FAILURE(status))
		return false;
	n = uidna_nameToASCII_UTF8(idna, host, (int32_t)length, ascii, sizeof ascii,
				   &info, &status);
	uidna_close(idna);
	if (U_FAILURE(status) || info.errors != 0 || n <= 0 || n >= (int32_t)sizeof ascii)
		return false;
	strbuf_add(sb, ascii, (size_t)n);
	return true;
}
